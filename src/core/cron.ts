import { MAX_DELAY_MS } from './backoff.js';
import { parsePattern, type CronTimes } from './cron-pattern.js';
import { InvalidInputError, type ErrorCode } from './errors.js';
import { nearest, refuseUnknownOptions, shown } from './nearest.js';
import { localZoneName, timeZone } from './time-zone.js';

export { dueSlots, firstSlot, LAST_SLOT_MS, nextSlot } from './schedule-slots.js';

const OPTIONS = [
  'pattern', 'every', 'tz', 'startDate', 'endDate', 'limit', 'immediately', 'offset', 'count', 'missed', 'overlap', 'key',
  'prevMillis', 'jobId',
] as const;
const MISSED = ['skip', 'one', 'all'] as const;
const OVERLAP = ['allow', 'skip'] as const;

/** When a job repeats: BullMQ 6's `RepeatOptions`, plus `missed` and `overlap`. Exactly one of `pattern` and `every`. */
export interface ScheduleOptions {
  /**
   * A cron pattern of five fields, six with seconds first, or an alias such as `@hourly`; in the dialect of cron-parser.
   * At most 1024 characters.
   */
  readonly pattern?: string;
  /** An interval in milliseconds, an integer from 1 to {@link MAX_DELAY_MS}. */
  readonly every?: number;
  /** The IANA time zone of `pattern`, e.g. `Europe/Berlin`. Default: the zone of the process that reads the options. */
  readonly tz?: string;
  /** No slot comes before it; one at that very instant counts. Milliseconds, a Date or what `new Date` reads. */
  readonly startDate?: number | string | Date;
  /** No slot comes after it; one at that very instant counts. Not before `startDate`. */
  readonly endDate?: number | string | Date;
  /** How many runs at most, an integer of at least 1. Default: no limit. */
  readonly limit?: number;
  /** The first run is due at once, ahead of the slots. Not together with `startDate`. Default false. */
  readonly immediately?: boolean;
  /**
   * Shifts the slots of `every`, in milliseconds: an integer of at most {@link MAX_DELAY_MS} in either direction.
   * Default: such that one falls on `startDate`, or without it 0, which aligns them with the epoch. Not with `pattern`.
   */
  readonly offset?: number | null;
  /** From where runs are counted against `limit`, an integer of at least 0. Default 0. */
  readonly count?: number;
  /** What becomes of slots that passed while no worker ran: none runs, one for all of them, or all. Default `one`. */
  readonly missed?: (typeof MISSED)[number];
  /** Whether a run may begin while the one before still runs; if not, its slot is skipped. Default `allow`. */
  readonly overlap?: (typeof OVERLAP)[number];
  /** BullMQ's key of the schedule. Here only the seed of `H` in patterns. */
  readonly key?: string;
  /** Internal to BullMQ; accepted and ignored. */
  readonly prevMillis?: number;
  /** Internal to BullMQ; accepted and ignored. */
  readonly jobId?: string;
}

/** Checked options, as plain data, with every default filled in. Times are in milliseconds since the epoch. */
export type Schedule = (EverySchedule | PatternSchedule) & ScheduleTerms;

/** What all schedules have, whatever says their slots. */
export interface ScheduleTerms {
  readonly startAt: number | undefined;
  readonly endAt: number | undefined;
  readonly limit: number | undefined;
  readonly count: number;
  readonly immediately: boolean;
  readonly missed: (typeof MISSED)[number];
  readonly overlap: (typeof OVERLAP)[number];
}

interface EverySchedule {
  readonly kind: 'every';
  readonly every: number;
  /** In [0, every): slots are the multiples of `every` plus this. */
  readonly offset: number;
}

interface PatternSchedule {
  readonly kind: 'pattern';
  readonly pattern: string;
  /** Always given. Whoever stores a schedule stores this, so that all processes compute the same slots. */
  readonly tz: string;
  readonly times: CronTimes;
}

/** Where the options come from. */
export interface ScheduleSource {
  /** The path that errors name. Default `repeat`. */
  readonly field?: string;
  /** Makes `H` in patterns differ between schedules; the schedule's id serves well. Default: the option `key`, or ''. */
  readonly seed?: string;
}

/**
 * Checks `options` and fills in defaults. Takes bounded time, whatever the pattern. What is undefined or null counts
 * as not given; BullMQ stores `offset: null`.
 *
 * @throws InvalidInputError `INVALID_SCHEDULE` when pattern, interval, zone and dates make no schedule, `UNKNOWN_OPTION`
 * for a misspelt option, `INVALID_OPTION` for a wrong value of any other.
 */
export function parseSchedule(options: unknown, { field = 'repeat', seed }: ScheduleSource = {}): Schedule {
  const given = givenOptions(options, field);
  const terms = termsOf(given);
  return { ...(given.has('pattern') ? patternSchedule(given, seed) : everySchedule(given, terms.startAt)), ...terms };
}

/**
 * The same for a schedule whose `pattern` only a `repeatStrategy` can read: any text of up to 1024 characters.
 * Missed runs cannot be told apart there, so `missed: 'all'` is refused as well.
 */
export function parseCustomSchedule(options: unknown, field = 'repeat'): ScheduleTerms {
  const given = givenOptions(options, field);
  withoutInterval(given);
  const pattern = given.string('pattern') ?? '';
  if (pattern === '' || pattern.length > 1024) throw refused('INVALID_SCHEDULE', given.path('pattern'), 'must be a text of 1 to 1024 characters');
  if (given.has('tz')) zoneName(given);
  const terms = termsOf(given);
  if (terms.missed === 'all') throw refused('INVALID_SCHEDULE', given.path('missed'), 'cannot be "all" where a repeatStrategy says the next time');
  return terms;
}

/** Whether options that are not checked yet give a pattern. */
export function hasPattern(options: unknown): boolean {
  return typeof options === 'object' && options !== null && 'pattern' in options && options.pattern !== undefined && options.pattern !== null;
}

function givenOptions(options: unknown, field: string): Given {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw refused('INVALID_OPTION', field, `must be an object, not ${shown(options)}`);
  }
  refuseUnknownOptions(options, OPTIONS, field);
  return new Given(options, field);
}

function termsOf(given: Given): ScheduleTerms {
  const { startAt, endAt } = interval(given);
  return {
    startAt,
    endAt,
    limit: given.integer('limit', { min: 1 }),
    count: given.integer('count', { min: 0 }) ?? 0,
    immediately: immediately(given),
    missed: given.oneOf('missed', MISSED) ?? 'one',
    overlap: given.oneOf('overlap', OVERLAP) ?? 'allow',
  };
}

function withoutInterval(given: Given): void {
  for (const other of ['every', 'offset'] as const) {
    if (given.has(other)) throw refused('INVALID_SCHEDULE', given.path(other), 'cannot be combined with pattern');
  }
}

function patternSchedule(given: Given, seed: string | undefined): PatternSchedule {
  withoutInterval(given);
  const pattern = given.value('pattern');
  const times = parsePattern(pattern, given.path('pattern'), seed ?? given.string('key') ?? '');
  return { kind: 'pattern', pattern: String(pattern), tz: zoneName(given), times };
}

function everySchedule(given: Given, startAt: number | undefined): EverySchedule {
  const every = given.integer('every', { min: 1, max: MAX_DELAY_MS, code: 'INVALID_SCHEDULE' });
  if (every === undefined) throw refused('INVALID_SCHEDULE', given.field, 'needs either pattern or every');
  zoneName(given);
  const shift = given.integer('offset', { min: -MAX_DELAY_MS, max: MAX_DELAY_MS }) ?? startAt ?? 0;
  return { kind: 'every', every, offset: ((shift % every) + every) % every };
}

function zoneName(given: Given): string {
  const name = given.value('tz') ?? localZoneName();
  if (typeof name === 'string' && timeZone(name)) return name;
  throw refused('INVALID_SCHEDULE', given.path('tz'), `must be a known IANA time zone, not ${shown(name)}`);
}

function interval(given: Given): { startAt: number | undefined; endAt: number | undefined } {
  const [startAt, endAt] = [given.date('startDate'), given.date('endDate')];
  if (startAt !== undefined && endAt !== undefined && endAt < startAt) {
    throw refused('INVALID_SCHEDULE', given.path('endDate'), 'must not be before startDate', 'Let the schedule end after it has begun.');
  }
  return { startAt, endAt };
}

function immediately(given: Given): boolean {
  const value = given.value('immediately') ?? false;
  if (typeof value !== 'boolean') {
    throw refused('INVALID_OPTION', given.path('immediately'), `must be true or false, not ${shown(value)}`);
  }
  if (value && given.has('startDate')) {
    throw refused('INVALID_SCHEDULE', given.path('immediately'), 'cannot be combined with startDate', 'Leave one of the two out.');
  }
  return value;
}

type OptionName = (typeof OPTIONS)[number];

interface Bounds {
  readonly min: number;
  readonly max?: number;
  readonly code?: ErrorCode;
}

/** Options as they were given: each is read once and checked by its kind. */
class Given {
  readonly field: string;
  readonly #options: Readonly<Record<string, unknown>>;

  constructor(options: object, field: string) {
    this.#options = { ...options };
    this.field = field;
  }

  value(name: OptionName): unknown {
    return this.#options[name] ?? undefined;
  }

  has(name: OptionName): boolean {
    return this.value(name) !== undefined;
  }

  path(name: OptionName): string {
    return `${this.field}.${name}`;
  }

  string(name: OptionName): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'string') return value;
    throw refused('INVALID_OPTION', this.path(name), `must be a string, not ${shown(value)}`);
  }

  integer(name: OptionName, { min, max = Number.MAX_SAFE_INTEGER, code = 'INVALID_OPTION' }: Bounds): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw refused(code, this.path(name), `must be a whole number from ${min} to ${max}, not ${shown(value)}`);
  }

  oneOf<T extends string>(name: OptionName, allowed: readonly T[]): T | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const found = allowed.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    const close = typeof value === 'string' ? nearest(value, allowed) : undefined;
    throw refused('INVALID_OPTION', this.path(name), `must be '${allowed.join("' or '")}', not ${shown(value)}${close === undefined ? '' : `; did you mean '${close}'`}`);
  }

  date(name: OptionName): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    const readable = typeof value === 'number' || typeof value === 'string' || value instanceof Date;
    const time = readable ? new Date(value).getTime() : NaN;
    if (!Number.isNaN(time)) return time;
    throw refused('INVALID_SCHEDULE', this.path(name), `must be a valid date, not ${shown(value)}`);
  }
}

function refused(code: ErrorCode, field: string, problem: string, hint?: string): InvalidInputError {
  return new InvalidInputError(code, { field, message: `${field} ${problem}.`, ...(hint === undefined ? undefined : { hint }) });
}
