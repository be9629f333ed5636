import type { Check } from '../core/check.js';

/** The position before every entry of a stream. */
export const beginning = '0-0';

/** `$` for whatever comes next, an id as Redis writes it, `<ms>` or `<ms>-<number>`, or one that {@link eventId} made. */
export const eventPosition: Check = (value) =>
  typeof value === 'string' && /^(\$|\d{1,20}(-\d{1,20}(\.[1-9]\d{0,9})?)?)$/.test(value) ? undefined : '"$" or the id of an event';

/**
 * The id of event `index` of the `count` that an entry holds: what one call changed is one entry. The last one has the id
 * of the entry; the others have their number behind it, so that reading on after one of them misses none.
 */
export function eventId(entryId: string, index: number, count: number): string {
  return index === count - 1 ? entryId : `${entryId}.${index + 1}`;
}

/** The entry of an event, and how many of its events are over; 0 stands for all. */
export function entryOf(id: string): { entryId: string; heard: number } {
  const [entryId = '', heard = '0'] = id.split('.');
  return { entryId: id === '$' || entryId.includes('-') ? entryId : `${entryId}-0`, heard: Number(heard) };
}

/** Below zero when `a` comes before `b`. */
export function compareEventIds(a: string, b: string): number {
  const [aMs, aNumber] = parts(a);
  const [bMs, bNumber] = parts(b);
  if (aMs !== bMs) return aMs < bMs ? -1 : 1;
  return aNumber === bNumber ? 0 : aNumber < bNumber ? -1 : 1;
}

function parts(id: string): [bigint, bigint] {
  const [ms = '0', number = '0'] = id.split('-');
  return [BigInt(ms), BigInt(number)];
}
