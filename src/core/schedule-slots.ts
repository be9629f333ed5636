import { nextMatch, type CronTimes } from './cron-pattern.js';
import type { Schedule } from './cron.js';
import { InvalidInputError } from './errors.js';
import { timeZone, type TimeZone } from './time-zone.js';

const DAY_MS = 86_400_000;

/** No slot is later than the end of the year 9999. */
export const LAST_SLOT_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/**
 * The first slot strictly after `afterMs`, within the schedule's start and end (both inclusive), 1970 and 9999.
 *
 * Slots are functions of the schedule alone, so every process computes the same ones, and they strictly increase:
 * - `every`: the multiples of `every` from the epoch, shifted by `offset`.
 * - a pattern that names hours (`30 2 * * *`): each matching wall time once. When clocks skip it, at the first instant
 *   after the gap; when it comes twice, at the first. Several times in one gap make one slot.
 * - a pattern whose hours are a wildcard or steps (`0 * * * *`): every instant whose wall time matches, hence again when an
 *   hour comes twice and not when it is skipped. The same distinction as in vixie-cron.
 *
 * Neither `limit` and `count` nor `immediately` play a part here.
 *
 * @returns milliseconds since the epoch, or undefined when no slot follows.
 * @throws InvalidInputError `INVALID_OPTION` when `afterMs` is NaN.
 */
export function nextSlot(schedule: Schedule, afterMs: number): number | undefined {
  if (Number.isNaN(afterMs)) throw invalid('afterMs', 'must be a time in milliseconds, not NaN');
  const last = Math.min(schedule.endAt ?? LAST_SLOT_MS, LAST_SLOT_MS);
  const after = Math.max(afterMs, (schedule.startAt ?? 0) - 1, -1);
  if (after >= last) return undefined;
  const slot = schedule.kind === 'every' ? nextMultiple(schedule, after) : nextOfPattern(schedule, after);
  return slot !== undefined && slot <= last ? slot : undefined;
}

/**
 * When a schedule that begins at `nowMs` runs first: at once with `immediately` (or at its start, if that is later),
 * else at the first slot at or after `nowMs`.
 *
 * @returns undefined when the schedule has ended before.
 */
export function firstSlot(schedule: Schedule, nowMs: number): number | undefined {
  if (!schedule.immediately) return nextSlot(schedule, nowMs - 1);
  const first = Math.max(nowMs, schedule.startAt ?? 0);
  return first <= Math.min(schedule.endAt ?? LAST_SLOT_MS, LAST_SLOT_MS) ? first : undefined;
}

/**
 * The slots in (`fromMs`, `nowMs`], the earliest first and at most `max` of them: what was missed since `fromMs`.
 *
 * @param max an integer, at least 0.
 * @throws InvalidInputError `INVALID_OPTION` for a time that is NaN or a wrong `max`.
 */
export function dueSlots(schedule: Schedule, fromMs: number, nowMs: number, max: number): number[] {
  if (Number.isNaN(nowMs)) throw invalid('nowMs', 'must be a time in milliseconds, not NaN');
  if (!Number.isSafeInteger(max) || max < 0) throw invalid('max', 'must be a whole number from 0');
  const due: number[] = [];
  let slot: number | undefined = fromMs;
  while (due.length < max) {
    slot = nextSlot(schedule, slot);
    if (slot === undefined || slot > nowMs) break;
    due.push(slot);
  }
  return due;
}

function nextMultiple({ every, offset }: Extract<Schedule, { kind: 'every' }>, after: number): number {
  return (Math.floor((after - offset) / every) + 1) * every + offset;
}

function nextOfPattern({ times, tz }: Extract<Schedule, { kind: 'pattern' }>, after: number): number | undefined {
  const zone = timeZone(tz);
  if (!zone) throw new InvalidInputError('INVALID_SCHEDULE', { field: 'tz', message: `Unknown time zone '${tz}'.` });
  return times.intervalLike ? nextByInstant(times, zone, after) : nextByWallTime(times, zone, after);
}

/** Every matching wall time has one slot, its first instant; as that never decreases, wall times are searched in order. */
function nextByWallTime(times: CronTimes, zone: TimeZone, after: number): number | undefined {
  let wall = lastWallTimeShownBy(zone, after);
  for (;;) {
    const match = nextMatch(times, Math.floor(wall / 1000) * 1000 + 1000);
    if (match === undefined || match > LAST_SLOT_MS + DAY_MS) return undefined;
    const slot = zone.firstInstantOf(match);
    if (slot > after) return slot;
    wall = match;
  }
}

/** The latest wall time that any instant up to `instant` has shown; what a repeated hour shows was all shown before. */
function lastWallTimeShownBy(zone: TimeZone, instant: number): number {
  const wall = instant + zone.offsetAt(instant);
  const first = zone.firstInstantOf(wall);
  return first < instant ? zone.changeBetween(first, instant) + zone.offsetAt(first) - 1 : wall;
}

/** Every instant that shows a matching wall time is a slot; stretches of constant offset are searched one by one. */
function nextByInstant(times: CronTimes, zone: TimeZone, after: number): number | undefined {
  let from = Math.floor(after / 1000) * 1000 + 1000;
  while (from <= LAST_SLOT_MS) {
    const offset = zone.offsetAt(from);
    const match = nextMatch(times, from + offset);
    if (match === undefined) return undefined;
    const slot = match - offset;
    const sure = Math.min(slot, from + DAY_MS);
    if (zone.offsetAt(sure) !== offset) from = zone.changeBetween(from, sure);
    else if (slot === sure) return slot;
    else from = Math.max(sure, slot - 2 * DAY_MS);
  }
  return undefined;
}

const invalid = (field: string, problem: string): InvalidInputError =>
  new InvalidInputError('INVALID_OPTION', { field, message: `${field} ${problem}.` });
