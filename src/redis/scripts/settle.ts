import { readLetters, type Letter } from '../letters.js';
import { defineScript, integer, lines, list, text, type RawReply } from '../script.js';
import { lua } from '../lua.generated.js';

/** How a job that its holder gives up goes on; the numbers are the script's. */
export const Ending = { forgotten: 0, kept: 1, keptFor: 2, failed: 3, retried: 4, givenBack: 5, delayed: 6 } as const;

export interface SettleCall {
  session: string;
  seq: number;
  /** Packed [id, lease, ending, payload, …]. */
  items: Buffer;
  /** What the new leases begin with; '' for session and number of the call. */
  token: string;
  wanted: number;
  leaseMs: number;
  /** The worker's own rate limit; max 0 for none. */
  max: number;
  durationMs: number;
  /** How many finished jobs to keep, -1 for all. */
  keepCompleted: number;
  keepFailed: number;
  /** True when the marker woke the caller. */
  woken: boolean;
  /** How many of `wanted` would not start at once. */
  prefetch: number;
  /** How many minutes of per-minute counts to keep. Default 0: nothing is counted. */
  minutes?: number | undefined;
}

export interface SettleReply {
  /** The numbers of the items that were refused because the lease had passed to someone else. */
  refused: number[];
  now: number;
  lease: string;
  count: number;
  ids: string[];
  /** The records, one after the other. */
  records: Buffer;
  /** The size of each record in bytes, separated by blanks. */
  sizes: string;
  states: (Buffer | undefined)[];
  priorities: number[];
  /** How long a limit keeps jobs back in ms; -1 when the queue is paused or at its concurrency; 0 when nothing holds them. */
  waitMs: number;
  /** Ids in `wait` without a record: something else wrote to the queue's keys. */
  missing: string[];
  /** When the next delayed job or schedule is due; 0 for never. */
  dueAt: number;
  /** When the next lease runs out, told only when no job was taken; 0 for never. */
  expiresAt: number;
  /** To the parents of jobs that ended. */
  letters: Letter[];
  /** The queue has or had parents or children. */
  hasFlows: boolean;
  /** The numbers of the items that cannot complete yet: parents with children to wait for. They are held still. */
  unready: number[];
}

/** Ends, retries, delays or gives back jobs that the caller holds, and takes the next ones. */
export const settle = defineScript({
  source: lua.settle,
  keys: [
    'meta', 'job', 'wait', 'delayed', 'active', 'completed', 'failed', 'run', 'state', 'outcome', 'history',
    'progress', 'logs', 'expire', 'sessions', 'dedup', 'outbox', 'pending', 'orphans', 'marker', 'rate', 'events', 'metrics',
  ],
  args: (call: SettleCall) => [
    call.session, call.seq, call.items, call.token, call.wanted, call.leaseMs, call.max, call.durationMs,
    call.keepCompleted, call.keepFailed, call.woken ? 1 : 0, call.prefetch,
    call.minutes ?? 0,
  ],
  reply: (raw): SettleReply => {
    const [refused, now, lease, count, ids, records, states, priorities, waitMs, missing, sizes, dueAt, expiresAt, letters, flows, unready] = list(raw);
    return {
      refused: list(refused).map(integer),
      now: integer(now),
      lease: text(lease),
      count: integer(count),
      ids: lines(ids),
      records: Buffer.isBuffer(records) ? records : Buffer.alloc(0),
      sizes: text(sizes),
      states: columns(states),
      priorities: lines(priorities).map(Number),
      waitMs: integer(waitMs),
      missing: lines(missing),
      dueAt: dueAt === undefined ? 0 : integer(dueAt),
      expiresAt: expiresAt === undefined ? 0 : integer(expiresAt),
      letters: readLetters(letters),
      hasFlows: flows === 1,
      unready: Array.isArray(unready) ? unready.map(integer) : [],
    };
  },
});

function columns(raw: RawReply | undefined): (Buffer | undefined)[] {
  return Array.isArray(raw) ? raw.map((value) => (Buffer.isBuffer(value) ? value : undefined)) : [];
}
