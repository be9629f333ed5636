import { unpack } from '../core/codec.js';
import { ClosedError, RedisError } from '../core/errors.js';
import { asOutcome, reasonOf } from '../core/job-record.js';
import type { AddedJob, WaitOptions } from '../queue/finish-waiter.js';
import { pageSize, type JobStore } from '../queue/job-store.js';
import type { StoredJob } from '../redis/scripts/fetch.js';
import type { DecodedEvent } from './decode.js';
import { endOf, findEnds, type JobEnd } from './find-ends.js';
import { Wait } from './wait.js';

/** What was seen while an `add` is under way. */
interface Additions {
  /** How a job added meanwhile has ended; undefined when it has not. */
  readonly ends: Map<string, JobEnd | undefined>;
  /** Something may have been missed. */
  isUncertain: boolean;
}

/**
 * Lets callers wait for the ends of jobs, and never miss one.
 *
 * 1. A wait hears all events from before the first look at the job's state on: an end is seen there or there.
 * 2. A job that is gone has left its end in the event stream; only when it is not there either the job was not found.
 * 3. After a reconnect, a gap or an entry that could not be read the states are read again, and now and then anyway.
 * 4. A job that is added and awaited in one is known by its `added` event, so that the end of an earlier job of the
 *    same id does not count.
 */
export class EndWatch {
  readonly #jobs: JobStore;
  readonly #ready: () => Promise<void>;
  readonly #waits = new Map<string, Set<Wait>>();
  readonly #additions = new Set<Additions>();
  readonly #starting = new Set<Wait>();
  #toRead = new Set<Wait>();
  #reading = false;
  #clock: NodeJS.Timeout | undefined;
  #closed = false;

  /** `ready` resolves when events are being read. */
  constructor(jobs: JobStore, ready: () => Promise<void>) {
    this.#jobs = jobs;
    this.#ready = ready;
  }

  waitFor(jobId: string, opts: WaitOptions): Promise<unknown> {
    const wait = this.#start(opts, async (started) => {
      started.jobId = jobId;
      this.#listen(started);
      await this.#ready();
      this.#read([started]);
    });
    return wait.done;
  }

  waitForAdded(add: () => Promise<AddedJob>, opts: WaitOptions): Promise<unknown> {
    const wait = this.#start(opts, async (started) => {
      await this.#ready();
      if (!started.isOver) await this.#add(started, add);
    });
    return wait.done;
  }

  /** Takes note of an event; called for each, in the order of the stream. */
  saw(event: DecodedEvent): void {
    if (event.custom || (this.#waits.size === 0 && this.#additions.size === 0)) return;
    const { jobId } = event.args as { jobId?: string };
    if (jobId === undefined) return;
    if (event.event === 'added') return this.#sawAdded(jobId);
    if (event.event === 'removed') return this.#sawRemoved(jobId);
    const end = endOf(event);
    if (!end) return;
    for (const { ends } of this.#additions) if (ends.has(jobId)) ends.set(jobId, end);
    for (const wait of this.#waits.get(jobId) ?? []) if (wait.isArmed) wait.end(end);
  }

  /** Something may have been missed: reads the state of every job that is waited for. */
  recheck(): void {
    for (const additions of this.#additions) additions.isUncertain = true;
    this.#read([...this.#waits.values()].flatMap((waits) => [...waits]));
  }

  /** Nobody waits any longer: all are told that this was closed. */
  close(): void {
    this.#closed = true;
    const all = [...this.#starting, ...[...this.#waits.values()].flatMap((waits) => [...waits])];
    for (const wait of all) wait.fail(new ClosedError('queue events'));
    clearInterval(this.#clock);
  }

  #start(opts: WaitOptions, begin: (wait: Wait) => Promise<void>): Wait {
    const wait = new Wait(opts, (over) => this.#forget(over));
    if (this.#closed) wait.fail(new ClosedError('queue events'));
    if (wait.isOver) return wait;
    this.#starting.add(wait);
    begin(wait).catch((error: unknown) => wait.fail(error)).finally(() => this.#starting.delete(wait));
    return wait;
  }

  async #add(wait: Wait, add: () => Promise<AddedJob>): Promise<void> {
    const additions: Additions = { ends: new Map(), isUncertain: false };
    this.#additions.add(additions);
    const job = await add().finally(() => this.#additions.delete(additions));
    wait.jobId = job.id;
    if (wait.isOver) return;
    const end = job.deduplicated ? undefined : additions.ends.get(job.id);
    if (end) return wait.end(end);
    wait.isArmed = job.deduplicated || additions.ends.has(job.id);
    this.#listen(wait);
    if (job.deduplicated || additions.isUncertain) this.#read([wait]);
  }

  #sawAdded(jobId: string): void {
    for (const { ends } of this.#additions) ends.set(jobId, undefined);
    for (const wait of this.#waits.get(jobId) ?? []) wait.isArmed = true;
  }

  /** Its end may have been announced before anyone waited for it. */
  #sawRemoved(jobId: string): void {
    for (const additions of this.#additions) if (additions.ends.has(jobId)) additions.isUncertain = true;
    this.#read([...(this.#waits.get(jobId) ?? [])]);
  }

  #listen(wait: Wait): void {
    const known = this.#waits.get(wait.jobId);
    if (known) known.add(wait);
    else this.#waits.set(wait.jobId, new Set([wait]));
    this.#clock ??= setInterval(() => this.#readDue(), 1_000);
  }

  #forget(wait: Wait): void {
    this.#starting.delete(wait);
    this.#toRead.delete(wait);
    const known = this.#waits.get(wait.jobId);
    known?.delete(wait);
    if (known?.size === 0) this.#waits.delete(wait.jobId);
    if (this.#waits.size > 0) return;
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  #readDue(): void {
    const now = performance.now();
    this.#read([...this.#waits.values()].flatMap((waits) => [...waits].filter((wait) => wait.nextReadAt <= now)));
  }

  /** Everything asked for while one read is under way goes into the next. */
  #read(waits: Wait[]): void {
    for (const wait of waits) if (!wait.isOver) this.#toRead.add(wait);
    if (this.#reading || this.#toRead.size === 0) return;
    this.#reading = true;
    setImmediate(() => void this.#readAll().finally(() => (this.#reading = false)));
  }

  async #readAll(): Promise<void> {
    while (this.#toRead.size > 0 && !this.#closed) {
      const page = [...this.#toRead].slice(0, pageSize);
      for (const wait of page) {
        this.#toRead.delete(wait);
        wait.postpone();
      }
      await this.#readPage(page).catch((error: unknown) => {
        // Redis will be back, and the next read is already planned.
        if (!isPassing(error)) for (const wait of page) wait.fail(error);
      });
    }
  }

  async #readPage(waits: Wait[]): Promise<void> {
    const stored = new Map((await this.#jobs.fetch(waits.map((wait) => wait.jobId))).map((job) => [job.id, job]));
    const gone: Wait[] = [];
    for (const wait of waits) {
      const job = stored.get(wait.jobId);
      if (job) endBy(wait, job);
      else gone.push(wait);
    }
    if (gone.length === 0) return;
    const ends = await findEnds(this.#jobs.connection, this.#jobs.keys, gone.map((wait) => wait.jobId));
    for (const wait of gone) {
      const end = ends.get(wait.jobId);
      if (end) wait.end(end);
      else wait.missing();
    }
  }
}

/** Ends the wait when the job has ended. */
function endBy(wait: Wait, job: StoredJob): void {
  if (job.place !== 'completed' && job.place !== 'failed') return;
  try {
    const outcome = job.outcome && unpack(job.outcome);
    wait.end(job.place === 'completed' ? { ended: 'completed', value: asOutcome(outcome).value } : { ended: 'failed', reason: reasonOf(outcome) });
  } catch (error) {
    wait.fail(error);
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof RedisError && ['REDIS_UNAVAILABLE', 'OUTCOME_UNKNOWN', 'REDIS_READ_ONLY', 'REDIS_BUSY'].includes(error.code);
}
