/** Per-minute counts of finished jobs, which workers with the `metrics` option keep. */

/** Common numbers of minutes for `maxDataPoints`. The last is BullMQ's, which is eight weeks. */
export enum MetricsTime {
  ONE_MINUTE = 1,
  FIVE_MINUTES = 5,
  FIFTEEN_MINUTES = 15,
  THIRTY_MINUTES = 30,
  ONE_HOUR = 60,
  ONE_WEEK = 10080,
  TWO_WEEKS = 20160,
  ONE_MONTH = 80640,
}

export interface MetricsOptions {
  /** How many minutes are kept, 1 to 100,000. Without it nothing is counted. */
  maxDataPoints?: number;
}

/** What `getMetrics` answers. */
export interface Metrics {
  meta: {
    /** All jobs counted so far. */
    count: number;
    /** When the present minute began, in ms: it has no point yet. 0 when nothing was counted. */
    prevTS: number;
    /** Those counted before the present minute. */
    prevCount: number;
  };
  /** Jobs per minute, the newest first. */
  data: number[];
  /** How many points there are in all. */
  count: number;
}

export const minuteMs = 60_000;

/** The fields of the hash `metrics`: `c` and `f` before a minute for its count, alone for the minutes that were cut off. */
const letters = { completed: 'c', failed: 'f' } as const;

/** The most minutes that are ever kept, whatever stands in Redis. */
const mostPoints = 100_000;

/** A count as it is stored; what is none counts nothing. */
function counted(stored: string | undefined): number {
  const count = Number(stored ?? 0);
  return Number.isSafeInteger(count) && count >= 0 ? count : 0;
}

/** Reads the points `start` to `end` (inclusive; 0 is the newest, -1 the oldest) out of the hash. */
export function readMetrics(fields: Record<string, string>, type: keyof typeof letters, range: { start: number; end: number; now: number }): Metrics {
  const letter = letters[type];
  const present = Math.floor(range.now / minuteMs);
  const inMinute = (minute: number): number => counted(fields[`${letter}${minute}`]);
  const began = fields['since'] !== undefined;
  const points = began ? Math.max(0, Math.min(present - counted(fields['since']), counted(fields['max']), mostPoints)) : 0;
  const data = Array.from({ length: points }, (_, i) => inMinute(present - 1 - i));
  const isOwn = new RegExp(`^${letter}\\d*$`);
  const count = Object.entries(fields).reduce((sum, [field, value]) => (isOwn.test(field) ? sum + counted(value) : sum), 0);
  const { start, end } = range;
  return {
    meta: { count, prevTS: began ? present * minuteMs : 0, prevCount: count - inMinute(present) },
    data: data.slice(start, end === -1 ? undefined : end + 1),
    count: points,
  };
}
