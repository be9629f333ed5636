import { ClosedError, DurabilityError, type Shortfall } from '../core/errors.js';
import { randomToken } from '../core/ids.js';
import type { ParentRef } from '../core/job-record.js';
import { ScriptPacker } from '../core/script-packer.js';
import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import { Ending, settle, type NearParents, type SettleCall, type SettleReply } from '../redis/scripts/settle.js';
import { packEnded } from '../queue/pack-ended.js';
import { readEach, readRow, type TakenRecord } from './taken-records.js';
import type { RateLimiterOptions } from './worker-options.js';

/** One job's end on its way to Redis. */
export interface Ended {
  readonly id: string;
  readonly lease: string;
  /** One of `Ending`. */
  readonly ending: number;
  /** Writes the payload that the ending needs. */
  readonly payload: Buffer | string | ((packer: ScriptPacker) => void);
  /** How many finished jobs of its kind its rule of retention keeps, -1 for all; undefined when it says nothing of them. */
  readonly keep?: number | undefined;
  /** Its parent, if it has one. */
  readonly parent?: ParentRef | undefined;
  /** How large its outcome is, where that counts. */
  readonly bytes?: number | undefined;
  /** When a failed attempt is retried, in ms from now. */
  readonly retryInMs?: number | undefined;
  /** Called once Redis has answered: whether this holder's word counted. */
  settled(accepted: boolean, now: number): void;
  /** Called in its place when its end is stored, but not confirmed as durably as asked for. */
  unconfirmed?(error: DurabilityError): void;
  /** Called in its place when the job cannot complete, because it has children to wait for: how it ends then, if at all. */
  unready?(): Promise<Ended | undefined>;
}

/** What every exchange of a worker says. */
export interface ExchangeTerms {
  /** The connection for calls that end jobs; calls that only take use the ordinary one. */
  confirming: Connection;
  leaseMs: number;
  limiter: RateLimiterOptions | undefined;
  /** How many minutes of per-minute counts to keep, if any. */
  minutes?: number | undefined;
}

/** Who hears of calls that fail, and says when to stop repeating them. */
export interface Supervisor {
  readonly retryDelayMs: number;
  failed(error: Error): void;
  isOver(): boolean;
}

/** A reply, with the records that came with it read. */
export interface Taken extends SettleReply {
  /** Per job: its record, or what is wrong with it. */
  readonly jobs: readonly TakenRecord[];
}

/** What to take. */
export interface TakeRequest {
  wanted: number;
  prefetch?: number;
  token?: string;
  woken?: boolean;
}

/** The most outcomes one call carries. */
export const mostOutcomes = 500;
/** About the most bytes of large results that one call carries; a single one may be larger. */
export const mostOutcomeBytes = 1 << 24;

/** How long one try may take before the worker hears of it; the call itself is repeated until it is answered. */
const tryMs = 5_000;

/**
 * A worker session: one call under way at a time, numbered, which settles what has ended and takes what comes next.
 * A call whose reply is lost is repeated, settles nothing twice, and is given the same jobs.
 */
export class Exchange {
  readonly session: string;
  readonly #connection: Connection;
  readonly #keys: QueueKeys;
  readonly #terms: ExchangeTerms;
  readonly #supervisor: Supervisor;
  readonly #packer = new ScriptPacker();
  #seq = 0;
  busy = false;

  constructor(connection: Connection, keys: QueueKeys, terms: ExchangeTerms, worker: string, supervisor: Supervisor) {
    this.#connection = connection;
    this.#keys = keys;
    this.#terms = terms;
    this.#supervisor = supervisor;
    this.session = `${worker}~${randomToken(8)}`;
  }

  /**
   * Settles and takes. The very same call is repeated until Redis answers: only so is it certain what was settled.
   * Rejects only when the connection is closed or `isOver` says that nobody waits any more.
   */
  async call(ended: readonly Ended[], take: TakeRequest): Promise<Taken> {
    this.busy = true;
    const call = this.#compose(ended, take);
    const connection = ended.length > 0 ? this.#terms.confirming : this.#connection;
    try {
      for (;;) {
        try {
          const reply = await connection.run(settle, this.#keys, call, tryMs);
          this.#connection.observeClock(reply.now);
          const shortfall = connection.shortfallOf(reply);
          if (shortfall) this.#complain(reply, ended, shortfall);
          return Object.assign(reply, { jobs: readRow(reply) ?? (await readEach(reply, this.#connection, this.#keys)) });
        } catch (error) {
          if (error instanceof ClosedError || this.#supervisor.isOver()) throw error;
          this.#supervisor.failed(error as Error);
          await new Promise((resolve) => setTimeout(resolve, this.#supervisor.retryDelayMs));
        }
      }
    } finally {
      this.busy = false;
    }
  }

  /** What has ended is stored, and stays so: nothing is run again. But it is not announced. */
  #complain(reply: SettleReply, ended: readonly Ended[], shortfall: Shortfall): void {
    const without = new Set([...reply.refused, ...reply.unready]);
    const ids = ended.filter((_, i) => !without.has(i)).map(({ id }) => id);
    if (ids.length === 0) return;
    reply.unconfirmed = new DurabilityError(ids, shortfall);
    this.#supervisor.failed(reply.unconfirmed);
  }

  #compose(ended: readonly Ended[], take: TakeRequest): SettleCall {
    const { leaseMs, limiter, minutes } = this.#terms;
    return {
      session: this.session,
      seq: ++this.#seq,
      ended: packEnded(ended, this.#packer),
      token: take.token ?? '',
      wanted: take.wanted,
      leaseMs,
      max: limiter?.max ?? 0,
      durationMs: limiter?.duration ?? 0,
      keepCompleted: strictest(ended, false),
      keepFailed: strictest(ended, true),
      woken: take.woken ?? false,
      prefetch: take.prefetch ?? 0,
      minutes,
      near: nearParents(ended, this.#keys),
    };
  }
}

/** The parents in the same queue. */
function nearParents(ended: readonly Ended[], { prefix, queue }: QueueKeys): NearParents | undefined {
  let ids: Set<string> | undefined;
  let last: ParentRef | undefined;
  for (const { parent } of ended) {
    // Siblings share it.
    if (!parent || parent === last) continue;
    last = parent;
    if (parent.queue === queue && parent.prefix === prefix) (ids ??= new Set()).add(parent.id);
  }
  return ids && { prefix, queue, ids: [...ids] };
}

/** How many completed (or failed) jobs are kept when each of these has its way; -1 for all. */
function strictest(ended: readonly Ended[], failed: boolean): number {
  let least = -1;
  for (const { ending, keep = -1 } of ended) {
    if (keep >= 0 && (least < 0 || keep < least) && (ending === Ending.failed) === failed) least = keep;
  }
  return least;
}

/** Tells each job how its end was received; `later` is given the ends to come of those that could not complete. */
export function announce(ended: readonly Ended[], reply: SettleReply, later: (end: Promise<Ended | undefined>) => void): void {
  const refused = new Set(reply.refused);
  const unready = new Set(reply.unready);
  for (const [i, end] of ended.entries()) {
    if (unready.has(i)) {
      if (end.unready) later(end.unready());
    } else if (reply.unconfirmed && end.unconfirmed && !refused.has(i)) end.unconfirmed(reply.unconfirmed);
    else end.settled(!refused.has(i), reply.now);
  }
}
