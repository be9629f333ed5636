import { defineScript, integer, list, text } from '../script.js';
import { lua } from '../lua.generated.js';

export interface EnqueueCall {
  session: string;
  seq: number;
  /** Packed [id, record, …], and the ids one a line. */
  plain?: Buffer;
  ids?: string;
  /** Packed [id, record, delayMs, priority, lifo, facts, …]. */
  fresh?: Buffer;
  /** Packed [[id, record, delayMs, priority, lifo, facts, dedup], …]. */
  special?: Buffer;
  /** The names of all items, one a line, or one name if all are the same: those of delayed fresh ones come last. */
  names: string;
  /** A worker of the caller's looks for jobs right behind the call: nobody has to be woken. */
  attended?: boolean;
  /** It holds the `plain` jobs if it can be given them at once. */
  holder?: Holder | undefined;
  /** Records too large to be packed: in their places stand the numbers of their arguments, from {@link firstLarge}. */
  large?: readonly Buffer[];
}

/** The worker that is given new jobs without a take, and for how long it holds them, in ms. */
export interface Holder {
  readonly worker: string;
  readonly leaseMs: number;
}

/** The number of the first argument after the others. */
export const firstLarge = 10;

export interface EnqueueReply {
  now: number;
  /** Per special item: '' when it was added, or the id of the job that stands in its place. */
  standing: string[];
  /** The lease of the `plain` jobs, when they were handed over. */
  lease: string | undefined;
}

/** Adds a batch of jobs: all of them as `plain`, or as `fresh`, or as `special`. */
export const enqueue = defineScript({
  source: lua.enqueue,
  keys: [
    'meta', 'job', 'wait', 'delayed', 'active', 'run', 'state', 'history', 'progress', 'logs', 'sessions', 'dedup',
    'pending', 'marker', 'events',
  ],
  args: (call: EnqueueCall) => [
    call.session, call.seq, call.plain ?? '', call.ids ?? '', call.fresh ?? '', call.special ?? '', call.names,
    call.holder?.leaseMs ?? (call.attended ? 0 : ''), call.holder?.worker ?? '', ...(call.large ?? []),
  ],
  reply: (raw, { plain }): EnqueueReply => {
    const [now, ...outcomes] = list(raw);
    const [lease] = outcomes;
    if (plain) return { now: integer(now), standing: [], lease: lease === undefined ? lease : text(lease) };
    return { now: integer(now), standing: outcomes.map(text), lease: undefined };
  },
});
