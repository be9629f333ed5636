import { randomToken } from '../core/ids.js';
import { ScriptPacker } from '../core/script-packer.js';
import { DurabilityError, RedisError, type Shortfall } from '../core/errors.js';
import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import { enqueue } from '../redis/scripts/enqueue.js';
import { Attendance } from './attendance.js';
import { isMade, packJobs, sizeOf } from './pack-jobs.js';
import { Unconfirmed } from './unconfirmed.js';

/** What makes a job more than "to the end of priority 0 under a new id". */
export interface SpecialRequest {
  /** Its id was made by Drover and no rule can keep it out: nothing has to be looked up. */
  fresh: boolean;
  delayMs: number;
  priority: number;
  lifo: boolean;
  facts: Buffer | undefined;
  deduplication: { id: string; ttlMs: number; extend: boolean; replace: boolean; keepLast: boolean; reschedule: boolean } | undefined;
}

/** One job on its way into the queue. */
export interface EnqueueRequest {
  id: string;
  name: string;
  record: Buffer;
  special: SpecialRequest | undefined;
}

interface Waiting {
  request: EnqueueRequest;
  batch: Batch;
  index: number;
}

/** Jobs that are stored and not confirmed, and what stands in the place of each that was asked for. */
export class UnconfirmedAdd extends DurabilityError {
  override readonly name = 'DurabilityError';
  readonly standing: readonly string[];

  constructor(ids: readonly string[], shortfall: Shortfall, standing: readonly string[]) {
    super(ids, shortfall);
    this.standing = standing;
  }
}

/** Requests that are answered together: `standing[i]` is '' when job i was added, else the job in its place. */
class Batch {
  readonly standing: string[] = [];
  readonly askedAt = performance.now();
  #left: number;
  #error: Error | undefined;
  #unconfirmed: Unconfirmed | undefined;

  constructor(size: number, readonly resolve: (standing: string[]) => void, readonly reject: (error: Error) => void) {
    this.#left = size;
  }

  settle(index: number, standing: string): void {
    this.standing[index] = standing;
    this.#finish();
  }

  /** It is stored, but not confirmed as far as asked. */
  leave(index: number, id: string, standing: string, shortfall: Shortfall): void {
    this.#unconfirmed ??= new Unconfirmed();
    this.#unconfirmed.note([standing || id], shortfall);
    this.settle(index, standing);
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#finish();
  }

  #finish(): void {
    if (--this.#left > 0) return;
    if (!this.#error) return this.#end();
    const added = this.standing.filter((standing) => (standing as string | undefined) !== undefined).length;
    if (added === 0) this.reject(this.#error);
    // It was too large for one call, and not all of its calls went well.
    else this.reject(new RedisError('OUTCOME_UNKNOWN', { message: `Only ${added} jobs of a bulk were certainly added.`, cause: this.#error }));
  }

  #end(): void {
    const shortfall = this.#unconfirmed?.shortfall;
    if (this.#unconfirmed && shortfall) this.reject(new UnconfirmedAdd(this.#unconfirmed.ids, shortfall, this.standing));
    else this.resolve(this.standing);
  }
}

/** A producer session: one call under way at a time, numbered, so that a repeat is recognised. */
interface Lane {
  session: string;
  seq: number;
  busy: boolean;
}

const laneCount = 3;
const mostItems = 1000;
const mostBytes = 1 << 20;

/** Below this a call is not worth dividing: what each call costs by itself would weigh more than the overlap gains. */
const leastJobs = 64;
const leastBytes = 1 << 16;

/** How many jobs may wait for Redis in this process before `add` fails at once. */
export const defaultMaxBuffered = 100_000;

/**
 * Turns calls into batches: everything asked for in one tick, or while all lanes are busy, travels in one script call
 * of at most 1,000 jobs or 1 MiB. Lanes share what there is and overlap, so that Redis works while Node packs; order is
 * kept, because calls leave in order on one connection.
 */
export class Enqueuer {
  readonly #connection: Connection;
  readonly #keys: QueueKeys;
  readonly #maxBuffered: number;
  readonly #lanes: Lane[] = Array.from({ length: laneCount }, newLane);
  readonly #packer = new ScriptPacker();
  #waiting: Waiting[] = [];
  #next = 0;
  #scheduled = false;
  #underWay = 0;
  #jobsUnderWay = 0;
  #proven = false;
  #failing = false;
  readonly #whenDrained: (() => void)[] = [];

  constructor(connection: Connection, keys: QueueKeys, maxBuffered = defaultMaxBuffered) {
    this.#connection = connection;
    this.#keys = keys;
    this.#maxBuffered = maxBuffered;
  }

  /** Adds jobs; answers per job '' or the id of the job in its place. Rejects with a typed error that says what is known. */
  add(requests: readonly EnqueueRequest[]): Promise<string[]> {
    if (requests.length === 0) return Promise.resolve([]);
    if (this.#waiting.length - this.#next + requests.length > Math.max(this.#maxBuffered, requests.length)) {
      return Promise.reject(new RedisError('REDIS_UNAVAILABLE', {
        message: `${this.#maxBuffered} jobs already wait for Redis in this process.`,
      }));
    }
    return new Promise((resolve, reject) => {
      const batch = new Batch(requests.length, resolve, reject);
      for (let index = 0; index < requests.length; index++) this.#waiting.push({ request: requests[index] as EnqueueRequest, batch, index });
      this.#schedule();
    });
  }

  /** Resolves when nothing is under way any more. */
  async drained(): Promise<void> {
    if (this.#isDrained()) return;
    await new Promise<void>((resolve) => void this.#whenDrained.push(resolve));
  }

  #isDrained(): boolean {
    return this.#underWay === 0 && this.#next >= this.#waiting.length;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#underWay === 0) queueMicrotask(this.#flush);
    else setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    // Until a call has succeeded only one lane is used: a script that has to be loaded first must not be overtaken.
    const lanes = this.#proven ? this.#lanes : this.#lanes.slice(0, 1);
    const share = this.#fairShare();
    for (const lane of lanes) {
      if (this.#next >= this.#waiting.length) break;
      if (!lane.busy) void this.#send(lane, this.#cut(share));
    }
    this.#letGo();
  };

  /** Forgets what waits no longer, once that is half of the list or more: so it never holds much else, and each job moves about once. */
  #letGo(): void {
    if (this.#next * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#next);
    this.#next = 0;
  }

  /** How many jobs each lane takes for all to have as many. In one call, Redis would rest until all are packed, and Node until all are stored. */
  #fairShare(): number {
    return Math.ceil((this.#waiting.length - this.#next + this.#jobsUnderWay) / laneCount);
  }

  /** What goes into the next call: about `share` jobs. A batch is divided only where it does not fit into one: else all of it is added, or none. */
  #cut(share: number): Waiting[] {
    const from = this.#next;
    let whole = from;
    let bytes = 0;
    let last = '';
    for (; this.#next - from < mostItems; this.#next++) {
      const request = this.#waiting[this.#next]?.request;
      if (!request) break;
      const jobs = this.#next - from;
      if (whole === this.#next && jobs >= share && (jobs >= leastJobs || bytes >= leastBytes)) break;
      bytes += sizeOf(request);
      // New ids of one batch have to ascend; a maker starts with another prefix every few million ids.
      if (this.#next > from && (bytes > mostBytes || (isMade(request) && request.id < last))) break;
      if (isMade(request)) last = request.id;
      if (this.#waiting[this.#next + 1]?.batch !== this.#waiting[this.#next]?.batch) whole = this.#next + 1;
    }
    if (whole > from) this.#next = whole;
    return this.#waiting.slice(from, this.#next);
  }

  async #send(lane: Lane, items: Waiting[]): Promise<void> {
    lane.busy = true;
    this.#underWay++;
    this.#jobsUnderWay += items.length;
    const requests = items.map(({ request }) => request);
    // A script that has to be loaded first would be overtaken.
    const attendance = new Attendance(this.#connection, this.#keys, requests, !this.#proven);
    try {
      const answer = this.#connection.run(enqueue, this.#keys, {
        session: lane.session, seq: ++lane.seq, ...attendance.terms, ...packJobs(requests, this.#packer),
      }, this.#failing ? this.#timeLeft(items) : undefined);
      attendance.sent();
      const reply = await answer;
      attendance.answered(reply);
      this.#connection.observeClock(reply.now);
      this.#proven = true;
      this.#failing = false;
      const shortfall = this.#connection.shortfallOf(reply);
      if (shortfall) return leaveAll(items, reply.standing, shortfall);
      for (const [i, item] of items.entries()) item.batch.settle(item.index, reply.standing[i] ?? '');
    } catch (error) {
      // The outcome may be unknown: this session must not be used for another call.
      Object.assign(lane, newLane());
      this.#proven = false;
      this.#failing = true;
      attendance.failed();
      for (const item of items) item.batch.fail(error as Error);
      this.#giveUpLate();
    } finally {
      lane.busy = false;
      this.#underWay--;
      this.#jobsUnderWay -= items.length;
      if (this.#next < this.#waiting.length) this.#schedule();
      else if (this.#isDrained()) for (const resolve of this.#whenDrained.splice(0)) resolve();
    }
  }

  /** While calls fail, what has waited in the buffer counts against the deadline of a job. */
  #timeLeft(items: Waiting[]): number {
    return Math.max(1, this.#connection.deadlineMs - (performance.now() - (items[0]?.batch.askedAt ?? 0)));
  }

  /** Gives up what has waited as long as a call may take; it was never sent. */
  #giveUpLate(): void {
    const late = performance.now() - this.#connection.deadlineMs;
    for (let item = this.#waiting[this.#next]; item && item.batch.askedAt <= late; item = this.#waiting[++this.#next]) {
      item.batch.fail(new RedisError('REDIS_UNAVAILABLE', this.#connection.why('Could not add a job: Redis could not be reached in time')));
    }
    this.#letGo();
  }
}

/** Adds jobs; that some are not confirmed is told beside what stands in their places, so that one can go on. */
export function addAnyway(enqueuer: Enqueuer, requests: readonly EnqueueRequest[]): Promise<{ standing: readonly string[]; unconfirmed?: DurabilityError }> {
  return enqueuer.add(requests).then((standing) => ({ standing }), (error: unknown) => {
    if (error instanceof UnconfirmedAdd) return { standing: error.standing, unconfirmed: error };
    throw error;
  });
}

function newLane(): Lane {
  return { session: `p${randomToken(14)}`, seq: 0, busy: false };
}

/** All of these are stored, and none is confirmed. */
function leaveAll(items: readonly Waiting[], standing: readonly string[], shortfall: Shortfall): void {
  for (const [i, { batch, index, request }] of items.entries()) {
    batch.leave(index, request.id, standing[i] ?? '', shortfall);
  }
}
