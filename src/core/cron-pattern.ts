import { CronExpressionParser, type CronExpression } from 'cron-parser';
import { InvalidInputError } from './errors.js';
import { nearest, shown } from './nearest.js';

/**
 * What a cron pattern matches, as plain data. cron-parser only reads the pattern; the search for matching times is
 * ours, because it has to be bounded in time and right when clocks change.
 */
export interface CronTimes {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: readonly number[];
  readonly daysOfMonth: readonly number[];
  /** The day of month names `L`, the last day. */
  readonly lastDay: boolean;
  readonly weekdays: readonly number[];
  /** Weekdays of which the last in the month is meant, as in `5L`. */
  readonly lastWeekdays: readonly number[];
  /** Which of the month's weekdays is meant, as in `5#3`; 0 when every one is. */
  readonly nth: number;
  readonly anyDayOfMonth: boolean;
  readonly anyWeekday: boolean;
  /** The hours are a wildcard or several hours by a step: what repeats rather than names a time of day. */
  readonly intervalLike: boolean;
}

const DAY_MS = 86_400_000;
const LONGEST_PATTERN = 1024;
/** The Gregorian calendar repeats after 400 years, weekdays included: what does not match in it never does. */
const CALENDAR_CYCLE_MONTHS = 4800;
const ALIASES = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
  '@minutely': '0 * * * * *',
  '@secondly': '* * * * * *',
  '@weekdays': '0 0 0 * * 1-5',
  '@weekends': '0 0 0 * * 0,6',
} as const;
const FIELDS = [
  { name: 'second', values: 60 },
  { name: 'minute', values: 60 },
  { name: 'hour', values: 24 },
  { name: 'day of month', values: 31 },
  { name: 'month', values: 12 },
  { name: 'day of week', values: 7 },
] as const;

/**
 * Reads a pattern of five fields (minute, hour, day of month, month, day of week), six (seconds first) or an alias such
 * as `@hourly`, in the dialect of cron-parser 5: names, lists, ranges, steps, `?`, `L`, `5L`, `5#3` and `H`. When both
 * days are restricted, either suffices.
 *
 * @param seed decides what `H` stands for, always the same for the same seed and pattern.
 * @throws InvalidInputError `INVALID_SCHEDULE` for what is no pattern, is longer than 1024 characters, has a step wider
 * than its field, or matches no date at all.
 */
export function parsePattern(pattern: unknown, field: string, seed: string): CronTimes {
  const atoms = atomsOf(pattern, field);
  FIELDS.forEach((unit, index) => refuseWideStep(atoms[index] ?? '', unit, field));
  const times = timesOf(atoms, read(atoms.join(' '), field, seed));
  if (nextMatchingDay(times, 0) === undefined) throw invalid(field, `No date matches the pattern ${shown(pattern)}.`);
  return times;
}

/** The first matching wall time at or after `wall`, a whole second; undefined when none comes within 400 years. */
export function nextMatch(times: CronTimes, wall: number): number | undefined {
  const second = Math.ceil(wall / 1000);
  const today = Math.floor(second / 86_400);
  let day = nextMatchingDay(times, today);
  let time = day === today ? nextTimeOfDay(times, second - today * 86_400) : nextTimeOfDay(times, 0);
  if (time === undefined) {
    day = nextMatchingDay(times, today + 1);
    time = nextTimeOfDay(times, 0);
  }
  return day === undefined || time === undefined ? undefined : day * DAY_MS + time * 1000;
}

function atomsOf(pattern: unknown, field: string): string[] {
  if (typeof pattern !== 'string') throw invalid(field, `A pattern is a string, not ${shown(pattern)}.`);
  if (pattern.length > LONGEST_PATTERN) throw invalid(field, `The pattern has more than ${LONGEST_PATTERN} characters.`);
  if (!/^[\x20-\x7e\t]*$/.test(pattern)) throw invalid(field, 'The pattern has characters that no pattern can have.');
  const trimmed = pattern.trim();
  const atoms = (trimmed.startsWith('@') ? unaliased(trimmed, field) : trimmed).split(/[ \t]+/);
  if (atoms.length === 5) return ['0', ...atoms];
  if (atoms.length === 6) return atoms;
  const count = trimmed === '' ? 0 : atoms.length;
  throw invalid(field, `A pattern has five fields, or six with seconds first; ${shown(pattern)} has ${count}.`);
}

function unaliased(alias: string, field: string): string {
  const known = Object.entries(ALIASES).find(([name]) => name === alias);
  if (known) return known[1];
  const meant = nearest(alias, Object.keys(ALIASES));
  throw invalid(field, `Unknown pattern ${shown(alias)}${meant === undefined ? '.' : `, did you mean '${meant}'?`}`);
}

// Every 90 minutes, written as a step of the minutes, would silently mean hourly.
function refuseWideStep(atom: string, { name, values }: (typeof FIELDS)[number], field: string): void {
  for (const [, step = ''] of atom.matchAll(/\/(\d*)/g)) {
    if (Number(step) >= 1 && Number(step) <= values) continue;
    throw invalid(field, `The step ${shown(`/${step}`)} of the ${name} is not between 1 and ${values}.`);
  }
}

function read(pattern: string, field: string, seed: string): CronExpression {
  try {
    return CronExpressionParser.parse(pattern, { tz: 'UTC', currentDate: 0, hashSeed: `${seed} ${pattern}` });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `The pattern ${shown(pattern)} (seconds first) is wrong: ${why}.`;
    throw new InvalidInputError('INVALID_SCHEDULE', { field, message, cause });
  }
}

function timesOf(atoms: readonly string[], { fields }: CronExpression): CronTimes {
  const { second, minute, hour, month, dayOfMonth, dayOfWeek } = fields;
  const hours = numbers(hour.values);
  return {
    seconds: numbers(second.values),
    minutes: numbers(minute.values),
    hours,
    months: numbers(month.values),
    daysOfMonth: numbers(dayOfMonth.values),
    lastDay: dayOfMonth.hasLastChar,
    weekdays: numbers(dayOfWeek.values).map((day) => day % 7),
    lastWeekdays: dayOfWeek.values.map(String).filter((day) => day.endsWith('L')).map((day) => parseInt(day, 10) % 7),
    nth: dayOfWeek.nthDay,
    anyDayOfMonth: dayOfMonth.isWildcard,
    anyWeekday: dayOfWeek.isWildcard,
    intervalLike: hours.length === 24 || (hours.length > 1 && /[*?/]/.test(atoms[2] ?? '')),
  };
}

const numbers = (values: readonly unknown[]): number[] => values.filter((value) => typeof value === 'number');

interface Day {
  readonly dayOfMonth: number;
  readonly monthLength: number;
  readonly weekday: number;
}

/** The first matching day at or after `from`; days are counted from the epoch. */
function nextMatchingDay(times: CronTimes, from: number): number | undefined {
  const date = new Date(from * DAY_MS);
  const lastMonth = date.getUTCMonth() + CALENDAR_CYCLE_MONTHS;
  for (let month = date.getUTCMonth(); month <= lastMonth; month++) {
    if (!times.months.includes((month % 12) + 1)) continue;
    const first = Date.UTC(date.getUTCFullYear(), month) / DAY_MS;
    const length = Date.UTC(date.getUTCFullYear(), month + 1) / DAY_MS - first;
    for (let day = Math.max(first, from); day < first + length; day++) {
      if (matchesDay(times, { dayOfMonth: day - first + 1, monthLength: length, weekday: (day + 4) % 7 })) return day;
    }
  }
  return undefined;
}

function matchesDay(times: CronTimes, { dayOfMonth, monthLength, weekday }: Day): boolean {
  const byDate = times.daysOfMonth.includes(dayOfMonth) || (times.lastDay && dayOfMonth === monthLength);
  if (times.anyWeekday) return byDate;
  const byWeekday =
    (times.weekdays.includes(weekday) && (times.nth === 0 || Math.ceil(dayOfMonth / 7) === times.nth)) ||
    (times.lastWeekdays.includes(weekday) && dayOfMonth > monthLength - 7);
  return byWeekday || (byDate && !times.anyDayOfMonth);
}

/** The first matching second of the day at or after `from`. */
function nextTimeOfDay({ hours, minutes, seconds }: CronTimes, from: number): number | undefined {
  for (const hour of hours) {
    if (hour * 3600 + 3599 < from) continue;
    for (const minute of minutes) {
      const start = hour * 3600 + minute * 60;
      const second = start + 59 < from ? undefined : seconds.find((candidate) => start + candidate >= from);
      if (second !== undefined) return start + second;
    }
  }
  return undefined;
}

const invalid = (field: string, message: string): InvalidInputError =>
  new InvalidInputError('INVALID_SCHEDULE', { field, message });
