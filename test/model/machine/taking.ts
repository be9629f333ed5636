import { ordered } from './columns.js';
import type { CallOf } from './calls.js';
import type { Turn } from './turn.js';

/** What a worker is handed. */
export interface Taken {
  ids: string[];
  /** What a limit keeps it waiting for, in ms; -1 for a pause or the concurrency. */
  waitMs: number;
  missing: string[];
}

/** Hands out waiting jobs under one lease, as far as pause and limits allow. */
export function take(turn: Turn, call: CallOf<'settle'>, lease: string): Taken {
  const { queue, now } = turn;
  const nothing = (waitMs: number, missing: string[] = []): Taken => ({ ids: [], waitMs, missing });
  if (queue.meta.has('paused')) return nothing(-1);
  const limitedTill = Number(queue.meta.get('limitedTill') ?? 0);
  if (limitedTill > now) return nothing(limitedTill - now);
  const { wanted, counts, waitMs } = allowed(turn, call);
  if (wanted <= 0) return nothing(waitMs === 0 ? -1 : waitMs);
  const first = ordered(queue.wait).slice(0, wanted);
  for (const id of first) queue.wait.delete(id);
  const ids = first.filter((id) => queue.job.has(id));
  const missing = first.filter((id) => !queue.job.has(id));
  if (ids.length === 0) return nothing(waitMs, missing);
  if (ids.length >= 8 && queue.active.size <= narrow && queue.active.size + ids.length > narrow) queue.wide = '-'.repeat(65);
  for (const id of ids) {
    queue.active.set(id, now + call.leaseMs);
    queue.run.set(id, lease);
  }
  if (counts) {
    queue.rate.push(`${now} ${ids.length}`);
    queue.meta.set('rateCount', String(countIn(queue.meta) + ids.length));
  }
  return { ids, waitMs: 0, missing };
}

/** Whether a pause or a limit has to be looked at before anything starts. */
export function isLimited({ queue: { meta }, now }: Turn): boolean {
  return ['paused', 'concurrency', 'max'].some((field) => meta.has(field)) || Number(meta.get('limitedTill')) > now;
}

/** So many active jobs may lie in one block of memory; a large take that makes them more ends that. */
const narrow = 16;

/** How many may start now. */
function allowed(turn: Turn, call: CallOf<'settle'>): { wanted: number; counts: boolean; waitMs: number } {
  const { meta, active } = turn.queue;
  const ofQueue = meta.get('max');
  const max = ofQueue === undefined ? call.max : Number(ofQueue);
  const durationMs = ofQueue === undefined ? call.durationMs : Number(meta.get('duration'));
  const concurrency = meta.get('concurrency');
  let wanted = concurrency !== undefined || max > 0 ? call.wanted - call.prefetch : call.wanted;
  if (concurrency !== undefined) wanted = Math.min(wanted, Number(concurrency) - active.size);
  if (max <= 0 || wanted <= 0) return { wanted, counts: max > 0, waitMs: 0 };
  const { left, nextMs } = window(turn, max, durationMs);
  return { wanted: Math.min(wanted, left), counts: true, waitMs: left === 0 ? Math.max(1, nextMs) : 0 };
}

/** The sum of the starts in the window; one that cannot be read is none. */
const countIn = (meta: Map<string, string>): number => Number(meta.get('rateCount') ?? 0) || 0;

/** How many starts that are over one call lets go of. */
const mostSteps = 1000;

/** The sliding window: what may start in it now, and in how many ms it lets go of its oldest starts. */
function window({ queue, now }: Turn, max: number, durationMs: number): { left: number; nextMs: number } {
  const { rate, meta } = queue;
  let count = countIn(meta);
  for (let steps = 0; rate.length > 0 && steps < mostSteps; steps++) {
    const oldest = rate[0] ?? '';
    const [at = NaN, starts = NaN] = oldest.split(' ').map(Number);
    // One from a time to come was entered before the clock was set back.
    if (Math.abs(now - at) < durationMs) return { left: Math.max(0, max - count), nextMs: at + durationMs - now };
    rate.shift();
    if (!Number.isNaN(starts)) count -= starts;
    meta.set('rateCount', String(count));
  }
  if (rate.length > 0) return { left: 0, nextMs: 1 };
  meta.delete('rateCount');
  return { left: max, nextMs: 1 };
}
