import type { Check } from '../core/check.js';

/** The position before every entry of a stream. */
export const beginning = '0-0';

/** `$` for whatever comes next, or an id as Redis writes it: `<ms>` or `<ms>-<number>`. */
export const eventPosition: Check = (value) =>
  typeof value === 'string' && /^(\$|\d{1,20}(-\d{1,20})?)$/.test(value) ? undefined : '"$" or the id of an event';

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
