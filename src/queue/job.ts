import { checkArguments, checkValue, flag, oneOf, wholeNumber } from '../core/check.js';
import { MAX_DELAY_MS } from '../core/backoff.js';
import { LeaseLostError, StateError } from '../core/errors.js';
import { MAX_PRIORITY, type JobsOptions } from '../core/job-options.js';
import { validate, type JobSchemas } from '../core/schema.js';
import { policyOf, type AttemptRecord, type DeadLetterOrigin, type JobRecord } from '../core/job-record.js';
import type { JobState } from '../core/states.js';
import type { FinishWaiter } from './finish-waiter.js';
import { leaveParent } from './adoption.js';
import { applyJson, asJson, parentKeys, type JobJson, type JobJsonSandbox, type JobView, type ParentKeys } from './job-json.js';
import { countDependencies, dependenciesOf, valuesOf, type Dependencies, type DependenciesCount, type DependenciesOpts } from './dependencies.js';
import { unheld, type JobStore } from './job-store.js';
import { nextJobData, type NextJobData } from './next-job-data.js';
import { removeJob, removeUnprocessed } from './remove-tree.js';

/** What a job needs of the queue it belongs to. */
export interface JobOwner {
  readonly name: string;
  readonly qualifiedName: string;
  /** @internal */
  readonly jobs: JobStore;
  /** @internal What a worker adds for the jobs it holds. */
  readonly holder?: JobHolder;
  /** @internal What new data of a job has to satisfy. */
  readonly dataSchemas?: JobSchemas | undefined;
}

/** What the holder of a job can do with it. The worker implements it. @internal */
export interface JobHolder {
  complete(job: Job, result: unknown, token: string): Promise<void>;
  fail(job: Job, error: Error, token: string): Promise<void>;
  giveBack(job: Job, dueAt: number, token: string | undefined): Promise<void>;
  awaitChildren(job: Job, token: string, child: string | undefined): Promise<boolean>;
  progressed(job: Job, progress: unknown): void;
  /** The lease under which the job is held, if `token` is its. */
  leaseOf(job: Job, token: string | undefined, doing: string): Promise<string>;
  /** Whether it can take the next job. */
  readonly takes: boolean;
  /** Takes the next job under this token. */
  next(token: string, waitMs: number): Promise<Job | undefined>;
}

export type JobProgress = string | boolean | number | object;

/** What adds jobs: a Queue. */
export interface JobAdder {
  add(name: string, data: unknown, opts?: JobsOptions): Promise<Job>;
  addBulk(jobs: { name: string; data: unknown; opts?: JobsOptions }[]): Promise<Job[]>;
}

/**
 * A handle on one job: what was known of it when it was read, and what can be done to it.
 *
 * Reading a field never asks Redis; `queue.getJob(id)` gives a fresh handle.
 */
export class Job<DataType = any, ReturnType = any, NameType extends string = string, ProgressType extends JobProgress = JobProgress> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
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
  progress: ProgressType = 0 as ProgressType;
  /** What the handler returned, as it was: also false, 0, '' and undefined. Default null, before it has returned. */
  returnvalue: ReturnType = null as ReturnType;
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
  parent: (ParentKeys & { id: string }) | undefined = undefined;
  deferredFailure: string = undefined as unknown as string;
  /** Every attempt that went wrong: time, worker, error, stack. Filled in when the job is read from the queue. */
  attemptHistory: AttemptRecord[] = [];
  /** In a dead-letter queue: the queue it died in, when and why. */
  deadLetterOf: DeadLetterOrigin | undefined = undefined;
  /** @internal The whole lease as Redis holds it. */
  lease: string | undefined = undefined;
  protected readonly queue: JobOwner;

  constructor(queue: JobOwner, name: NameType, data: DataType, opts: JobsOptions = {}, id = '') {
    this.queue = queue;
    this.name = name;
    this.data = data;
    // As in BullMQ, so that `job.attemptsMade >= job.opts.attempts` tells the last attempt.
    this.opts = opts.attempts === undefined ? { attempts: 0, ...opts } : opts;
    this.id = id;
    this.timestamp = opts.timestamp ?? 0;
    this.delay = opts.delay ?? 0;
    this.priority = opts.priority ?? 0;
    if (opts.repeatJobKey !== undefined) this.repeatJobKey = opts.repeatJobKey;
    if (opts.deduplication !== undefined) this.deduplicationId = opts.deduplication.id;
    if (opts.parent !== undefined) {
      this.parent = parentKeys(opts.parent.id, opts.parent.queue, policyOf(opts));
      this.parentKey = `${opts.parent.queue}:${opts.parent.id}`;
    }
  }

  /** The same as `queue.add`. */
  static create<T = any, R = any, N extends string = string>(queue: JobAdder, name: N, data: T, opts?: JobsOptions): Promise<Job<T, R, N>> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
    return queue.add(name, data, opts) as Promise<Job<T, R, N>>;
  }

  /** The same as `queue.addBulk`. */
  static createBulk<T = any, R = any, N extends string = string>(queue: JobAdder, jobs: { name: N; data: T; opts?: JobsOptions }[]): Promise<Job<T, R, N>[]> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
    return queue.addBulk(jobs) as Promise<Job<T, R, N>[]>;
  }

  /** The same as `queue.getJob`. */
  static fromId<T = any, R = any, N extends string = string>(queue: { getJob(id: string): Promise<Job | undefined> }, id: string): Promise<Job<T, R, N> | undefined> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
    return queue.getJob(id) as Promise<Job<T, R, N> | undefined>;
  }

  /** A handle on a job that `asJSON` described. */
  static fromJSON<T = any, R = any, N extends string = string>(queue: JobOwner, json: JobJson, id = json.id): Job<T, R, N> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
    const job = new Job<T, R, N>(queue, json.name as N, JSON.parse(json.data) as T, json.opts, id);
    applyJson(job, json);
    return job;
  }

  /** The same as `queue.addJobLog`. */
  static addJobLog(queue: JobOwner, id: string, row: string, keepLogs = -1): Promise<number> {
    return queue.jobs.log(id, row, keepLogs);
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

  /** Replaces the job's data. Throws JOB_NOT_FOUND; SCHEMA_MISMATCH where the queue, flow producer or `validateOnTake` of the worker has a schema for it. */
  async updateData(data: DataType): Promise<void> {
    const { dataSchemas } = this.queue;
    if (dataSchemas) await validate(dataSchemas, this.name, data, 'data');
    await this.queue.jobs.updateData(this.id, this.#record(), data);
    this.data = data;
  }

  /** Stores progress and announces it to every QueueEvents and to the worker's listeners. Throws JOB_NOT_FOUND. */
  async updateProgress(progress: ProgressType): Promise<void> {
    await this.queue.jobs.updateProgress(this.id, progress);
    this.progress = progress;
    this.queue.holder?.progressed(this, progress);
  }

  /** Adds a row to the job's log and answers how many there are. Numbers, flags and errors become text. Throws JOB_NOT_FOUND or INVALID_OPTION. */
  log(row: string): Promise<number> {
    return this.queue.jobs.log(this.id, row, this.opts.keepLogs ?? -1);
  }

  /** Removes the log, or all but its newest `keepLogs` rows. */
  async clearLogs(keepLogs = 0): Promise<void> {
    checkValue(keepLogs, wholeNumber(0, 2 ** 31), 'keepLogs');
    await this.queue.jobs.clearLog(this.id, keepLogs);
  }

  /**
   * Takes the job out of the queue, and its children and theirs unless `removeChildren` is false. Throws JOB_LOCKED while
   * a worker holds it or one of them. A job that is gone already is no error.
   */
  async remove({ removeChildren = true }: { removeChildren?: boolean } = {}): Promise<void> {
    const removal = await removeJob(this.queue.jobs, this.id, removeChildren);
    if (removal === 'held') {
      throw new StateError('JOB_LOCKED', { field: 'job', message: `Job ${this.id} could not be removed because it is locked by another worker.` });
    }
  }

  /** Puts a failed or completed job back into `waiting`. Throws WRONG_STATE or JOB_NOT_FOUND. */
  async retry(state: 'completed' | 'failed' = 'failed', opts: { resetAttemptsMade?: boolean; resetAttemptsStarted?: boolean } = {}): Promise<void> {
    checkValue(state, oneOf('completed', 'failed'), 'state');
    checkArguments(opts, { resetAttemptsMade: flag, resetAttemptsStarted: flag });
    const reset = { resetAttempts: opts.resetAttemptsMade ?? false, resetStarted: opts.resetAttemptsStarted ?? false };
    await this.queue.jobs.redrive(this.id, state, reset);
    this.failedReason = undefined as unknown as string;
    this.finishedOn = undefined;
    this.processedOn = undefined;
    this.returnvalue = null as ReturnType;
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
    checkArguments(opts, { priority: wholeNumber(0, MAX_PRIORITY), lifo: flag });
    const { priority = 0, lifo = false } = opts;
    await this.queue.jobs.reprioritize(this.id, priority, lifo);
    this.priority = priority;
  }

  /** Pushes back the deadline of the lease by `duration` ms from now. Throws LEASE_LOST. */
  async extendLock(token: string, duration: number): Promise<number> {
    checkValue(duration, wholeNumber(1, MAX_DELAY_MS, 'milliseconds'), 'duration');
    const lease = this.queue.holder ? await this.queue.holder.leaseOf(this, token, 'extend the lease of') : this.leaseOf(token);
    if (!(await this.queue.jobs.renew(this.id, lease, duration))) throw new LeaseLostError(this.id, 'extend its lease');
    return 1;
  }

  /**
   * Ends the job well, for who holds it under `token`: by `worker.getNextJob`, or by what a handle that `queue.getJob`
   * answered is given. Throws LEASE_LOST; for handles of a queue also WRONG_STATE and JOB_NOT_FOUND.
   *
   * @param fetchNext whether to take the next job, if there is one, under the same token, and to answer it. Default false.
   * Only workers take jobs: handles of a queue refuse it.
   */
  async moveToCompleted(returnValue: ReturnType, token: string, fetchNext = false): Promise<NextJobData> {
    const holder = this.#holder('complete', fetchNext);
    await holder.complete(this, returnValue, token);
    return fetchNext ? nextJobData(holder, token) : [];
  }

  /** Ends the attempt badly: it is retried or fails for good, as its options say. `fetchNext` as above. Throws LEASE_LOST. */
  async moveToFailed(error: Error, token: string, fetchNext = false): Promise<NextJobData> {
    const holder = this.#holder('fail', fetchNext);
    await holder.fail(this, error, token);
    return fetchNext ? nextJobData(holder, token) : [];
  }

  /** Lets the job run again at `timestamp` (ms); not an attempt. Then throw a DelayedError from the handler. */
  async moveToDelayed(timestamp: number, token?: string): Promise<void> {
    checkValue(timestamp, wholeNumber(0, Number.MAX_SAFE_INTEGER, 'milliseconds'), 'timestamp');
    await this.#holder('delay').giveBack(this, timestamp, token);
    this.delay = Math.max(0, timestamp - Math.round(this.queue.jobs.connection.now));
  }

  /** Gives the job back to the front of `waiting`; not an attempt. Then throw a WaitingError from the handler. */
  async moveToWait(token?: string): Promise<number> {
    await this.#holder('give back').giveBack(this, 0, token);
    return 0;
  }

  /**
   * Waits until the job has ended and resolves with its result, as it was; rejects with the reason of its failure.
   * Gives up after `ttl` ms, if given. Throws what `QueueEvents.waitFor` does, and INVALID_OPTION for another queue's events.
   */
  async waitUntilFinished(queueEvents: FinishWaiter, ttl?: number): Promise<ReturnType> {
    checkValue(queueEvents.qualifiedName, oneOf(this.queueQualifiedName), 'queueEvents.qualifiedName');
    return (await queueEvents.waitFor(this.id, { timeoutMs: ttl })) as ReturnType;
  }

  /**
   * Lets the job wait for its children, if there are any to wait for: then answers true, and a WaitingChildrenError is to
   * be thrown from the handler. With `child` only if that one has not ended. Not an attempt. Throws LEASE_LOST, or an
   * UnrecoverableError when a child failed that the job is to fail with.
   */
  moveToWaitingChildren(token: string, opts: { child?: { id: string; queue: string } } = {}): Promise<boolean> {
    const child = opts.child && `${opts.child.queue}:${opts.child.id}`;
    return this.#holder('hold back').awaitChildren(this, token, child);
  }

  /** Results of the children that completed, by their keys (`prefix:queue:id`), as they were. */
  async getChildrenValues<ChildType = any>(): Promise<Record<string, ChildType>> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's default
    return (await valuesOf(this.queue.jobs, this.id, 'processed')) as Record<string, ChildType>;
  }

  /** Reasons of the children that failed and were ignored or passed over, by their keys. */
  async getIgnoredChildrenFailures(): Promise<Record<string, string>> {
    return (await valuesOf(this.queue.jobs, this.id, 'ignored')) as Record<string, string>;
  }

  /** The same, under BullMQ's older name. */
  getFailedChildrenValues(): Promise<Record<string, string>> {
    return this.getIgnoredChildrenFailures();
  }

  /** The job's children by how they ended: all, or a page of each kind in `opts`. Throws INVALID_OPTION. */
  getDependencies(opts: DependenciesOpts = {}): Promise<Dependencies> {
    return dependenciesOf(this.queue.jobs, this.id, opts);
  }

  /** How many children there are of each kind in `opts`; of all kinds when none is true. */
  getDependenciesCount(opts: { failed?: boolean; ignored?: boolean; processed?: boolean; unprocessed?: boolean } = {}): Promise<DependenciesCount> {
    return countDependencies(this.queue.jobs, this.id, opts);
  }

  /** Ends the wait of the job's parent for it; false when the parent does not wait for it. Throws PARENT_NOT_FOUND. */
  async removeChildDependency(): Promise<boolean> {
    const removed = await leaveParent(this.queue.jobs, this.id);
    if (removed) this.parent = this.parentKey = undefined;
    return removed;
  }

  /** Removes the children that have not begun, with their descendants. Those that run or have ended stay. */
  async removeUnprocessedChildren(): Promise<void> {
    await removeUnprocessed(this.queue.jobs, this.id);
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
  toJSON(): JobView<DataType, ReturnType, NameType> {
    const { queue: _queue, lease: _lease, ...fields } = this;
    return { ...(fields as unknown as JobView<DataType, ReturnType, NameType>), queueQualifiedName: this.queueQualifiedName };
  }

  /** The job as BullMQ stores it, with data and result as JSON texts. */
  asJSON(): JobJson {
    return asJson(this);
  }

  asJSONSandbox(): JobJsonSandbox {
    return { ...asJson(this), queueName: this.queueName, queueQualifiedName: this.queueQualifiedName, prefix: this.prefix };
  }

  /** Frees the deduplication id that this job holds: the next job of that id is added. False when it holds none. */
  async removeDeduplicationKey(): Promise<boolean> {
    return this.deduplicationId !== undefined && this.queue.jobs.freeDeduplicationId(this.deduplicationId, this.id);
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

  #holder(doing: string, fetchNext = false): JobHolder {
    const { holder } = this.queue;
    if (!holder || (fetchNext && !holder.takes)) throw unheld(this.id, doing);
    return holder;
  }
}
