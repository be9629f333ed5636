import { checkValue, wholeNumber } from '../core/check.js';
import { MAX_DELAY_MS } from '../core/backoff.js';
import { LeaseLostError, StateError } from '../core/errors.js';
import { MAX_PRIORITY, type JobsOptions } from '../core/job-options.js';
import type { AttemptRecord, JobRecord } from '../core/job-record.js';
import type { JobState } from '../core/states.js';
import { notFound, type JobStore } from './job-store.js';

/** What a job needs of the queue it belongs to. */
export interface JobOwner {
  readonly name: string;
  readonly qualifiedName: string;
  /** @internal */
  readonly jobs: JobStore;
  /** @internal What a worker adds for the jobs it holds. */
  readonly holder?: JobHolder;
}

/** What the holder of a job can do with it. The worker implements it. @internal */
export interface JobHolder {
  complete(job: Job, result: unknown, token: string): Promise<void>;
  fail(job: Job, error: Error, token: string): Promise<void>;
  giveBack(job: Job, dueAt: number, token: string | undefined): Promise<void>;
  progressed(job: Job, progress: unknown): void;
}

export type JobProgress = string | boolean | number | object;

/** A job as `toJSON` shows it. */
export interface JobJson {
  id: string;
  name: string;
  data: unknown;
  opts: JobsOptions;
  progress: unknown;
  attemptsMade: number;
  attemptsStarted: number;
  stalledCounter: number;
  timestamp: number;
  delay: number;
  priority: number;
  queueQualifiedName: string;
  [field: string]: unknown;
}

/**
 * A handle on one job: what was known of it when it was read, and what can be done to it.
 *
 * Reading a field never asks Redis; `queue.getJob(id)` gives a fresh handle.
 */
export class Job<DataType = any, ReturnType = any, NameType extends string = string> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
  /** Its id in the queue. */
  id: string;
  name: NameType;
  data: DataType;
  opts: JobsOptions;
  /** Creation time in ms. */
  timestamp: number;
  /** Milliseconds it was asked to wait before it may run. */
  delay: number;
  /** 0 to 2,097,151; lower runs first. */
  priority: number;
  /** What the handler last reported. Default 0. */
  progress: JobProgress = 0;
  /** What the handler returned, as it was: also false, 0, '' and null. */
  returnvalue: ReturnType = undefined as ReturnType;
  /** Why it failed last. */
  failedReason: string = undefined as unknown as string;
  /** Stack traces of its failed attempts, oldest first. */
  stacktrace: string[] | null = null;
  /** Attempts that ended, well or not. */
  attemptsMade = 0;
  /** Attempts that began. */
  attemptsStarted = 0;
  /** How often its worker disappeared while it ran. */
  stalledCounter = 0;
  /** When its current or last attempt began, in ms. */
  processedOn: number | undefined = undefined;
  /** When it ended, in ms. */
  finishedOn: number | undefined = undefined;
  /** The worker that ran it last. */
  processedBy: string | undefined = undefined;
  /** The token of the lease under which it is held, if it is. */
  token: string | undefined = undefined;
  /** True when `add` found a job in its place: this handle shows that job. */
  deduplicated = false;
  deduplicationId: string | undefined = undefined;
  repeatJobKey: string | undefined = undefined;
  parentKey: string | undefined = undefined;
  parent: { id: string; queueKey: string } | undefined = undefined;
  deferredFailure: string = undefined as unknown as string;
  /** Every attempt that went wrong: time, worker, error, stack. Filled in when the job is read from the queue. */
  attemptHistory: AttemptRecord[] = [];
  /** @internal The whole lease as Redis holds it. */
  lease: string | undefined = undefined;
  protected readonly queue: JobOwner;

  constructor(queue: JobOwner, name: NameType, data: DataType, opts: JobsOptions = {}, id = '') {
    this.queue = queue;
    this.name = name;
    this.data = data;
    this.opts = opts;
    this.id = id;
    this.timestamp = opts.timestamp ?? 0;
    this.delay = opts.delay ?? 0;
    this.priority = opts.priority ?? 0;
    if (opts.repeatJobKey !== undefined) this.repeatJobKey = opts.repeatJobKey;
    if (opts.deduplication !== undefined) this.deduplicationId = opts.deduplication.id;
    if (opts.parent !== undefined) {
      this.parent = { id: opts.parent.id, queueKey: opts.parent.queue };
      this.parentKey = `${opts.parent.queue}:${opts.parent.id}`;
    }
  }

  get queueName(): string {
    return this.queue.name;
  }

  get queueQualifiedName(): string {
    return this.queue.qualifiedName;
  }

  get prefix(): string {
    return this.queue.jobs.keys.prefix;
  }

  /** Replaces the job's data. Throws JOB_NOT_FOUND. */
  async updateData(data: DataType): Promise<void> {
    await this.queue.jobs.updateData(this.id, this.#record(), data);
    this.data = data;
  }

  /** Stores progress and announces it to every QueueEvents and to the worker's listeners. Throws JOB_NOT_FOUND. */
  async updateProgress(progress: JobProgress): Promise<void> {
    await this.queue.jobs.updateProgress(this.id, progress);
    this.progress = progress;
    this.queue.holder?.progressed(this, progress);
  }

  /** Adds a row to the job's log and answers how many there are. Throws JOB_NOT_FOUND. */
  log(row: string): Promise<number> {
    return this.queue.jobs.log(this.id, row, this.opts.keepLogs ?? -1);
  }

  /** Removes the log, or all but its newest `keepLogs` rows. */
  async clearLogs(keepLogs = 0): Promise<void> {
    await this.queue.jobs.log(this.id, undefined, keepLogs);
  }

  /** Takes the job out of the queue. Throws JOB_LOCKED while a worker holds it. A job that is gone already is no error. */
  async remove(_opts: { removeChildren?: boolean } = {}): Promise<void> {
    const [removal] = await this.queue.jobs.remove([this.id]);
    if (removal === 'held') {
      throw new StateError('JOB_LOCKED', { field: 'job', message: `Job ${this.id} could not be removed because it is locked by another worker.` });
    }
  }

  /** Puts a failed or completed job back into `waiting`. Throws WRONG_STATE or JOB_NOT_FOUND. */
  async retry(state: 'completed' | 'failed' = 'failed', opts: { resetAttemptsMade?: boolean; resetAttemptsStarted?: boolean } = {}): Promise<void> {
    const reset = { resetAttempts: opts.resetAttemptsMade ?? false, resetStarted: opts.resetAttemptsStarted ?? false };
    await this.queue.jobs.redrive(this.id, state, reset);
    this.failedReason = undefined as unknown as string;
    this.finishedOn = undefined;
    this.processedOn = undefined;
    this.returnvalue = undefined as ReturnType;
    if (reset.resetAttempts) this.attemptsMade = 0;
    if (reset.resetStarted) this.attemptsStarted = 0;
  }

  /** Lets a delayed job run now. Throws WRONG_STATE or JOB_NOT_FOUND. */
  async promote(): Promise<void> {
    await this.queue.jobs.promote(this.id);
    this.delay = 0;
  }

  /** Lets a delayed job wait `delay` ms from now. Throws WRONG_STATE, JOB_NOT_FOUND or INVALID_OPTION. */
  async changeDelay(delay: number): Promise<void> {
    checkValue(delay, wholeNumber(0, MAX_DELAY_MS, 'milliseconds'), 'delay');
    await this.queue.jobs.reschedule(this.id, delay);
    this.delay = delay;
  }

  /** Gives the job another priority; a waiting job moves at once. Throws JOB_NOT_FOUND or INVALID_OPTION. */
  async changePriority(opts: { priority?: number; lifo?: boolean }): Promise<void> {
    const priority = opts.priority ?? 0;
    checkValue(priority, wholeNumber(0, MAX_PRIORITY), 'priority');
    await this.queue.jobs.reprioritize(this.id, priority, opts.lifo ?? false);
    this.priority = priority;
  }

  /** Pushes back the deadline of the lease by `duration` ms from now. Throws LEASE_LOST. */
  async extendLock(token: string, duration: number): Promise<number> {
    checkValue(duration, wholeNumber(1, MAX_DELAY_MS, 'milliseconds'), 'duration');
    if (!(await this.queue.jobs.renew(this.id, this.leaseOf(token), duration))) throw new LeaseLostError(this.id, 'extend its lease');
    return 1;
  }

  /** Ends the job well. For jobs taken with `worker.getNextJob`. Throws LEASE_LOST. */
  async moveToCompleted(returnValue: ReturnType, token: string, _fetchNext = false): Promise<void> {
    await this.#holder('complete').complete(this, returnValue, token);
  }

  /** Ends the attempt badly: it is retried or fails for good, as its options say. Throws LEASE_LOST. */
  async moveToFailed(error: Error, token: string, _fetchNext = false): Promise<void> {
    await this.#holder('fail').fail(this, error, token);
  }

  /** Lets the job run again at `timestamp` (ms); not an attempt. Then throw a DelayedError from the handler. */
  async moveToDelayed(timestamp: number, token?: string): Promise<void> {
    checkValue(timestamp, wholeNumber(0, Number.MAX_SAFE_INTEGER, 'milliseconds'), 'timestamp');
    await this.#holder('delay').giveBack(this, timestamp, token);
  }

  /** Gives the job back to the front of `waiting`; not an attempt. Then throw a WaitingError from the handler. */
  async moveToWait(token?: string): Promise<number> {
    await this.#holder('give back').giveBack(this, 0, token);
    return 0;
  }

  /** The state the job is in now, or `unknown` when the queue does not know it. */
  getState(): Promise<JobState | 'unknown'> {
    return this.queue.jobs.state(this.id);
  }

  isCompleted(): Promise<boolean> {
    return this.#is('completed');
  }

  isFailed(): Promise<boolean> {
    return this.#is('failed');
  }

  isDelayed(): Promise<boolean> {
    return this.#is('delayed');
  }

  isActive(): Promise<boolean> {
    return this.#is('active');
  }

  isWaitingChildren(): Promise<boolean> {
    return this.#is('waiting-children');
  }

  /** True for waiting jobs of any priority. */
  async isWaiting(): Promise<boolean> {
    const state = await this.getState();
    return state === 'waiting' || state === 'prioritized';
  }

  /** The job's fields as plain data. */
  toJSON(): JobJson {
    const { queue: _queue, lease: _lease, ...fields } = this;
    return { ...fields, queueQualifiedName: this.queueQualifiedName };
  }

  /** @internal The whole lease that `token` stands for. */
  leaseOf(token: string | undefined): string {
    if (token === undefined || token === this.token) {
      if (this.lease !== undefined) return this.lease;
    }
    return `${token ?? ''}|${this.processedOn ?? 0}`;
  }

  async #is(wanted: JobState): Promise<boolean> {
    return (await this.getState()) === wanted;
  }

  #record(): JobRecord {
    return { name: this.name, data: this.data, timestamp: this.timestamp, opts: this.opts };
  }

  #holder(doing: string): JobHolder {
    const { holder } = this.queue;
    if (!holder) throw notFound(this.id, `${doing} without a worker`);
    return holder;
  }
}
