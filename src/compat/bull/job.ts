/* eslint-disable @typescript-eslint/no-explicit-any -- Bull's own defaults; with `unknown` its users' code would no longer compile */
import { Job as EngineJob, type JobProgress, type JobState, type JobsOptions, type Worker } from '../../index.js';
import { codeOf, messages } from './errors.js';
import { bullBackoff } from './backoff.js';
import { asJson, fromEngine, toEngine } from './job-options.js';
import { dataOf, jsonOf } from './job-json.js';
import { Lock } from './lock.js';
import type { Queue } from './queue.js';
import type { JobId, JobJson, JobOptions, JobStatus } from './declarations.js';

export const defaultJobName = '__default__';

const views = new WeakMap<EngineJob, Job>();

/** What a job knows beside its fields. It does not show when the job is copied or printed. */
interface Hidden {
  inner: EngineJob;
  /** The options as they are stored. */
  readonly stored: JobsOptions;
  readonly holder: Worker | undefined;
  lock: Lock | undefined;
  ending: 'completed' | 'failed' | 'given up' | undefined;
  discarded: boolean;
}

/** Bull's job: one of the engine's, with Bull's names, states and counting. Its fields are plain ones, as in Bull. */
export class Job<T = any> {
  static readonly DEFAULT_JOB_NAME = defaultJobName;
  readonly queue: Queue<T>;
  id: JobId;
  name: string;
  data: T;
  opts: JobOptions;
  /** Creation time in ms. */
  timestamp: number;
  /** Milliseconds it was asked to wait. */
  delay = 0;
  /** Attempts that failed. */
  attemptsMade = 0;
  /** Stack traces of failed attempts, oldest first. */
  stacktrace: string[] = [];
  returnvalue: any = null;
  failedReason: string | undefined;
  /** When its current or last attempt began, in ms. */
  processedOn: number | undefined;
  /** When it ended, in ms. */
  finishedOn: number | undefined;
  retriedOn: number | undefined;
  debounceId: string | undefined;
  private readonly hidden!: Hidden;

  /** @internal `holder` is the worker that holds the job, if this process does. */
  constructor(queue: Queue<T>, inner: EngineJob, holder?: Worker) {
    this.queue = queue;
    this.id = inner.id;
    this.name = inner.name;
    this.data = inner.data as T;
    this.timestamp = inner.timestamp;
    this.opts = fromEngine(inner.opts, inner);
    this.debounceId = inner.deduplicationId;
    const hidden: Hidden = { inner, stored: inner.opts, holder, lock: undefined, ending: undefined, discarded: false };
    Object.defineProperty(this, 'hidden', { value: hidden });
    views.set(inner, this);
    this.refresh();
    if (holder && inner.opts.backoff !== undefined) this.applyTerms();
  }

  /** Adds a job. */
  static create<T = any>(queue: Queue<T>, name: string, data: T, opts?: JobOptions): Promise<Job<T>> {
    return queue.add(name, data, opts);
  }

  /** Adds jobs together. */
  static createBulk<T = any>(queue: Queue<T>, jobs: { name?: string | undefined; data: T; opts?: JobOptions | undefined }[]): Promise<Job<T>[]> {
    return queue.addBulk(jobs);
  }

  /** The same as `queue.removeJobs`. */
  static remove(queue: Queue, pattern: string): Promise<void> {
    return queue.removeJobs(pattern);
  }

  static fromId<T = any>(queue: Queue<T>, id: JobId): Promise<Job<T> | null> {
    return queue.getJob(id);
  }

  /** @internal What the engine knows of it. */
  get inner(): EngineJob {
    return this.hidden.inner;
  }

  /** @internal How it ended, or that it was given up, once this process has seen it. */
  get ending(): Hidden['ending'] {
    return this.hidden.ending;
  }

  set ending(ending: Hidden['ending']) {
    this.hidden.ending = ending;
  }

  /** @internal The view of a job of the engine's, if there is one. */
  static of(inner: EngineJob): Job | undefined {
    return views.get(inner);
  }

  /** What was reported last; with an argument, reports. */
  progress(): any;
  progress(value: any): Promise<void>;
  progress(value?: JobProgress): unknown {
    return value === undefined ? this.inner.progress : this.report(value);
  }

  /** Adds a row to its log, and answers how many there are. */
  log(row: string): Promise<number> {
    return this.inner.log(row);
  }

  async update(data: T): Promise<void> {
    this.data = data;
    const stored = new EngineJob<unknown>(this.queue.engine, this.inner.name, data, this.hidden.stored, this.inner.id);
    stored.timestamp = this.inner.timestamp;
    await stored.updateData(asJson(data) ?? {});
  }

  /** Throws when a worker holds it. */
  async remove(): Promise<void> {
    await this.inner.remove().catch((cause: unknown) => {
      throw codeOf(cause) === 'JOB_LOCKED' ? new Error(`Could not remove job ${this.id}`, { cause }) : cause;
    });
    this.queue.tell('removed', this);
  }

  /** Puts a failed job back. */
  async retry(): Promise<void> {
    await this.inner.retry('failed').catch(async (cause: unknown) => {
      throw await this.notRetried(cause);
    });
    this.ending = undefined;
    this.retriedOn = Date.now();
    this.refresh();
    this.queue.tell('waiting', this.id, null);
  }

  /** It is not tried again, whatever attempts it has left. */
  discard(): Promise<void> {
    this.hidden.discarded = true;
    return Promise.resolve();
  }

  isDiscarded(): boolean {
    return this.hidden.discarded;
  }

  /** Lets a delayed job run now. */
  async promote(): Promise<void> {
    await this.inner.promote().catch((cause: unknown) => {
      throw codeOf(cause) === 'WRONG_STATE' || codeOf(cause) === 'JOB_NOT_FOUND' ? new Error(`Job ${this.id} is not in a delayed state`, { cause }) : cause;
    });
    this.refresh();
    this.queue.tell('waiting', this.id, null);
  }

  /** Resolves with its result once it has completed; rejects with its reason once it has failed. */
  finished(): Promise<any> {
    return this.queue.ended(this.inner.id);
  }

  /** `stuck`: the queue does not know it. */
  async getState(): Promise<JobStatus | 'stuck'> {
    return this.queue.stateName(await this.engineState());
  }

  isCompleted(): Promise<boolean> {
    return this.isIn('completed');
  }

  isFailed(): Promise<boolean> {
    return this.isIn('failed');
  }

  isDelayed(): Promise<boolean> {
    return this.isIn('delayed');
  }

  isActive(): Promise<boolean> {
    return this.isIn('active');
  }

  isWaiting(): Promise<boolean> {
    return this.isIn('waiting');
  }

  isPaused(): Promise<boolean> {
    return this.isIn('paused');
  }

  isStuck(): Promise<boolean> {
    return this.isIn('stuck');
  }

  /** Ends it well, and takes the next one unless `notFetch`: see `queue.nextJobFromJobData`. */
  moveToCompleted(returnValue?: any, ignoreLock = false, notFetch = false): Promise<[any, JobId] | null> {
    return this.lock.complete(returnValue, { ignoreLock, notFetch });
  }

  /** Ends the attempt badly: it is retried, or fails for good. */
  moveToFailed(errorInfo?: { message: string }, ignoreLock = false): Promise<null> {
    return this.lock.fail(errorInfo, ignoreLock);
  }

  /** Lets it run again at `timestamp` (ms); not an attempt. */
  moveToDelayed(timestamp: number, ignoreLock = false): Promise<void> {
    return this.lock.delay(timestamp, ignoreLock);
  }

  /** Names the lock. There is no such key in Redis. */
  lockKey(): string {
    return `${this.queue.toKey(this.inner.id)}:lock`;
  }

  /** 1 when this queue holds the job, false otherwise: a lock is only given with the job. */
  takeLock(): Promise<number | false> {
    return this.lock.take();
  }

  /** Gives the job up: it runs again after `stalledInterval`, unless it is removed before. Throws when it is not held. */
  releaseLock(): Promise<void> {
    return this.lock.release();
  }

  /** Holds the job for another `duration` ms: 1, or 0 when the lock is lost. */
  extendLock(duration: number): Promise<number> {
    return this.lock.extend(duration);
  }

  toJSON(): JobJson<T> {
    return jsonOf(this);
  }

  /** The fields as text, as Bull stores them. */
  toData(): Record<string, unknown> {
    return dataOf(this);
  }

  private get lock(): Lock {
    this.hidden.lock ??= new Lock(this, this.hidden.holder);
    return this.hidden.lock;
  }

  /** @internal Shows what the engine knows by now. */
  refresh(): void {
    const { inner } = this;
    this.delay = inner.delay;
    this.attemptsMade = inner.attemptsMade - (this.endedWell() ? 1 : 0);
    this.stacktrace = inner.stacktrace ?? [];
    this.returnvalue = (inner.returnvalue as unknown) ?? null;
    this.failedReason = inner.failedReason;
    this.processedOn = inner.processedOn;
    this.finishedOn = inner.finishedOn;
  }

  /** @internal The job in the hands of a worker. */
  adopt(inner: EngineJob): void {
    this.hidden.inner = inner;
    views.set(inner, this);
    this.applyTerms();
  }

  /** @internal Lets the engine end the job as Bull would: by what its options say now, with Bull's backoff. */
  applyTerms(): void {
    const { attempts, removeOnComplete, removeOnFail } = toEngine(this.opts, undefined);
    this.inner.opts = {
      ...this.hidden.stored,
      attempts: this.hidden.discarded ? 0 : attempts ?? 1,
      ...(this.hidden.stored.backoff === undefined ? undefined : { backoff: { type: bullBackoff } }),
      ...(removeOnComplete === undefined ? undefined : { removeOnComplete }),
      ...(removeOnFail === undefined ? undefined : { removeOnFail }),
    };
  }

  private async report(progress: JobProgress): Promise<void> {
    await this.inner.updateProgress(progress);
    this.queue.tell('progress', this, progress);
  }

  private engineState(): Promise<JobState | 'unknown'> {
    return this.queue.engine.getJobState(this.inner.id);
  }

  private async isIn(state: JobStatus | 'stuck'): Promise<boolean> {
    return (await this.getState()) === state;
  }

  private async notRetried(cause: unknown): Promise<unknown> {
    switch (codeOf(cause)) {
      case 'JOB_NOT_FOUND': return new Error(messages.RETRY_JOB_NOT_EXIST, { cause });
      case 'WRONG_STATE': return new Error(await this.isActive() ? messages.RETRY_JOB_IS_LOCKED : messages.RETRY_JOB_NOT_FAILED, { cause });
      default: return cause;
    }
  }

  /** The engine counts the attempt that went well too. A job that was read tells by its history which way it ended. */
  private endedWell(): boolean {
    if (this.ending !== undefined) return this.ending === 'completed';
    const { finishedOn, attemptHistory } = this.inner;
    return finishedOn !== undefined && (attemptHistory.at(-1)?.at ?? 0) < finishedOn;
  }
}
