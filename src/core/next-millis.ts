import { firstSlot, nextSlot, parseSchedule } from './cron.js';
import type { RepeatOptions } from './strategies.js';

/**
 * When a schedule of these options runs next after `millis` (ms): the slots that the scheduler computes, counted from
 * the epoch or `startDate`. With `immediately` that is `millis` itself. `limit` and `count` play no part.
 *
 * @returns ms since 1970, or undefined when the schedule has ended by then.
 * @throws InvalidInputError `INVALID_SCHEDULE`, `INVALID_OPTION` or `UNKNOWN_OPTION` for options that make no schedule.
 */
export function getNextMillis(millis: number, opts: RepeatOptions): number | undefined {
  const schedule = parseSchedule(opts);
  return schedule.immediately ? firstSlot(schedule, millis) : nextSlot(schedule, millis);
}
