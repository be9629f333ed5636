import type { DurabilityError } from '../../core/errors.js';
import { packStrings } from '../../core/script-packer.js';
import { readLetters, type Letter } from '../letters.js';
import { defineScript, integer, lines, list, text, type RawReply } from '../script.js';
import { lua } from '../lua.generated.js';

/** How a job that its holder gives up goes on; the numbers are the script's. */
export const Ending = { forgotten: 0, kept: 1, keptFor: 2, failed: 3, retried: 4, givenBack: 5, delayed: 6 } as const;

export interface SettleCall {
  session: string;
  seq: number;
  /** What has ended, as `packEnded` packs it. */
  ended: Buffer;
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
  /** Parents in the same queue, which hear of the children that end in this call by the call itself. Default none: letters tell them. */
  near?: NearParents | undefined;
}

export interface NearParents {
  prefix: string;
  queue: string;
  ids: readonly string[];
}

export interface SettleReply {
  now: number;
  lease: string;
  /** The jobs that were handed out. */
  ids: string[];
  /** Their records: in a row, or one by one; undefined when they are so large that they are to be asked for. */
  records: Buffer | RawReply[] | undefined;
  /** Their facts; none when no job of the queue has any. */
  states: (Buffer | undefined)[];
  /** How long a limit keeps jobs back in ms; -1 when the queue is paused or at its concurrency; 0 when nothing holds them. */
  waitMs: number;
  /** When the next delayed job or schedule is due; 0 for never. */
  dueAt: number;
  /** When the next lease runs out, told only when no job was taken; 0 for never. */
  expiresAt: number;
  /** The numbers of the items that were refused because the lease had passed to someone else. */
  refused: readonly number[];
  /** The numbers of the items that cannot complete yet: parents with children to wait for. They are held still. */
  unready: readonly number[];
  /** To the parents of jobs that ended. */
  letters: readonly Letter[];
  /** Ids in `wait` without a record: something else wrote to the queue's keys. */
  missing: readonly string[];
  /** The queue has or had parents or children. */
  hasFlows: boolean;
  /** Set when the ends are stored, but not confirmed as durably as asked for. */
  unconfirmed?: DurabilityError;
}

/** Ends, retries, delays or gives back jobs that the caller holds, and takes the next ones. */
export const settle = defineScript({
  source: lua.settle,
  keys: [
    'meta', 'job', 'wait', 'delayed', 'active', 'completed', 'failed', 'run', 'state', 'outcome', 'history',
    'progress', 'logs', 'expire', 'sessions', 'dedup', 'outbox', 'pending', 'orphans', 'marker', 'rate', 'events', 'metrics',
    'parents', 'children',
  ],
  choose: ({ near }: SettleCall) => near && { children: near.ids },
  args: (call: SettleCall) => [
    call.session, call.seq, call.ended, call.token, call.wanted, call.leaseMs, call.max, call.durationMs,
    call.keepCompleted, call.keepFailed, call.woken ? 1 : 0, call.prefetch,
    call.minutes ?? 0, call.near ? packStrings([call.near.prefix, call.near.queue, ...call.near.ids]) : '',
  ],
  reply: (raw): SettleReply => {
    const [now, lease, ids, records, waitMs, dueAt, expiresAt, more] = list(raw);
    return {
      now: integer(now),
      lease: text(lease),
      ids: lines(ids),
      records: records === 1 ? undefined : Buffer.isBuffer(records) ? records : list(records),
      waitMs: integer(waitMs),
      dueAt: integer(dueAt),
      expiresAt: integer(expiresAt),
      ...(Array.isArray(more) ? readMore(more) : nothingMore),
    };
  },
});

type More = Pick<SettleReply, 'refused' | 'unready' | 'letters' | 'states' | 'missing' | 'hasFlows'>;

const nothingMore: More = { refused: [], unready: [], letters: [], states: [], missing: [], hasFlows: false };

/** What most replies have nothing to say of. */
function readMore([refused, unready, letters, states, missing, flows]: RawReply[]): More {
  return {
    refused: list(refused).map(integer),
    unready: list(unready).map(integer),
    letters: readLetters(letters),
    states: Array.isArray(states) ? states.map((value) => (Buffer.isBuffer(value) ? value : undefined)) : [],
    missing: lines(missing),
    hasFlows: flows === 1,
  };
}
