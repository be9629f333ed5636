import { dueSlots, hasPattern, nextSlot, parseCustomSchedule, type Schedule, type ScheduleTerms } from '../core/cron.js';
import { customSlot } from '../core/custom-slots.js';
import { InvalidInputError } from '../core/errors.js';
import { printable } from '../core/nearest.js';
import type { RepeatStrategy } from '../core/strategies.js';
import { asError } from '../queue/as-error.js';
import { scheduleOf, type ScheduleDefinition } from '../queue/schedule-definition.js';

/** How many missed runs one firing makes up for. */
export const mostRuns = 1000;

/** How late a slot may be and still count as on time: a tick of the scheduler, not an outage. */
const lateMs = 5_000;

/** How long a strategy may think, in ms: who asks has delayed jobs to move too. */
const thinkingMs = 5_000;

/** What says when a schedule that is due runs now, and when next. */
export interface Timetable {
  readonly terms: ScheduleTerms;
  /** The slots that get a run now. */
  readonly slots: (now: number) => number[];
  /** The slot after `last`, once it has had `count` runs; undefined when there is none. */
  readonly next: (last: number, now: number, count: number) => number | undefined | Promise<number | undefined>;
}

/** Throws INVALID_SCHEDULE for one that this process cannot compute. */
export function timetableOf(definition: ScheduleDefinition, { id, slot }: { id: string; slot: number }, strategy: RepeatStrategy | undefined): Timetable {
  if (strategy && hasPattern(definition.repeat)) return byStrategy(definition, { id, slot }, strategy);
  if (definition.custom) throw lacksStrategy(id);
  const schedule = scheduleOf(definition, id, slot);
  return {
    terms: schedule,
    slots: (now) => slotsToRun(schedule, slot, now),
    // With more missed runs than one firing makes up for, it goes on from the last; otherwise from now.
    next: (last, now) => nextSlot(schedule, schedule.missed === 'all' ? last : Math.max(last, now)),
  };
}

/** The one slot that is due gets a run, and from now on the strategy counts: which slots lie between only it could tell. */
function byStrategy({ name, repeat }: ScheduleDefinition, { id, slot }: { id: string; slot: number }, strategy: RepeatStrategy): Timetable {
  const terms = parseCustomSchedule(repeat);
  const { immediately: _onlyFirst, ...rest } = repeat;
  return {
    terms,
    slots: (now) => (terms.missed === 'one' || now - slot <= lateMs ? [slot] : []),
    next: async (last, now, count) => {
      try {
        const question = { terms, repeat: { ...rest, count }, name, after: Math.max(last, Math.round(now)), isFirst: false };
        return await inTime(customSlot(strategy, question));
      } catch (cause) {
        throw failed(id, cause);
      }
    },
  };
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not answer within ${thinkingMs} ms`)), thinkingMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The slots that get a run now. On time: the one that is due. After an outage the policy decides:
 * `skip` none, `one` the latest in place of all, `all` every one of them.
 */
function slotsToRun(schedule: Schedule, slot: number, now: number): number[] {
  if (schedule.missed === 'all') return [slot, ...dueSlots(schedule, slot, now, mostRuns)];
  const latest = latestSlot(schedule, slot, now);
  return schedule.missed === 'one' || now - latest <= lateMs ? [latest] : [];
}

/** The latest slot up to now, from `slot` on. Looked for backwards from now: after a long outage there are many. */
function latestSlot(schedule: Schedule, slot: number, now: number): number {
  for (let spanMs = mostRuns; ; spanMs *= 4) {
    const from = Math.max(slot, now - spanMs);
    let latest = from;
    let page: number[];
    do {
      page = dueSlots(schedule, latest, now, mostRuns);
      latest = page.at(-1) ?? latest;
    } while (page.length === mostRuns);
    if (latest > from || from === slot) return latest;
  }
}

function lacksStrategy(id: string): InvalidInputError {
  return new InvalidInputError('INVALID_SCHEDULE', {
    field: 'settings.repeatStrategy', message: `The schedule ${printable(id)} was made with a repeatStrategy, and this worker has none to compute its next run.`,
    hint: 'Give `settings.repeatStrategy` to every worker of the queue.',
  });
}

function failed(id: string, cause: unknown): InvalidInputError {
  return new InvalidInputError('INVALID_SCHEDULE', {
    field: 'settings.repeatStrategy', message: `The next run of the schedule ${printable(id)} is not known, for its repeatStrategy failed: ${asError(cause).message}`, cause,
    hint: 'It is asked again in a minute.',
  });
}
