import type { LostSight } from '../redis/lost-sight.js';
import type { Dispatcher } from './dispatcher.js';
import { givenBack } from '../queue/endings.js';

/** How long an aborted handler has to end by itself before its job is given back. */
const abortGraceMs = 500;
/** How long Redis has to take back what is given back; after that the leases run out by themselves. */
const handBackMs = 2_000;

/**
 * Brings a quiet dispatcher to rest.
 *
 * 1. Running jobs may end, until the deadline or until `forced`.
 * 2. The rest is told to stop, and has a moment to do so.
 * 3. What still runs is given back, without spending an attempt; what its handler does later does not count.
 *
 * Once nothing runs any more, Redis alone is waited for, and not when it is out of reach: `lost`.
 */
export async function bringToRest(dispatcher: Dispatcher, deadlineMs: number, forced: Promise<void>, lost: LostSight): Promise<void> {
  if (await within(dispatcher.settled(), deadlineMs, Promise.race([forced, lost.promise])) || lost.isLost) return;
  for (const held of dispatcher.held.values()) held.stop('shutdown', new Error('The worker is shutting down.'));
  if (await within(dispatcher.settled(), abortGraceMs)) return;
  for (const held of dispatcher.held.values()) {
    if (held.state !== 'running') continue;
    held.state = 'released';
    dispatcher.post({ id: held.id, lease: held.lease, ...givenBack, settled: () => dispatcher.forget(held) });
  }
  await within(dispatcher.flushed(), handBackMs);
}

/** True when the work is done before the time, or the other event, comes. */
async function within(work: Promise<void>, ms: number, orElse?: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(ms, 2 ** 31 - 1));
    void orElse?.then(() => resolve(false));
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
