/* eslint-disable @typescript-eslint/no-explicit-any -- Bull's own defaults; with `unknown` its users' code would no longer compile */
import type { Worker } from '../../index.js';
import { Consumer } from './consumer.js';
import { clean, removeMatching } from './maintenance.js';
import { asJson, toEngine } from './job-options.js';
import { Job, defaultJobName } from './job.js';
import { QueueGetters } from './queue-getters.js';
import { addRepeatable, information, repeatKey } from './repeat.js';
import type {
  ActiveEventCallback, CleanedEventCallback, CompletedEventCallback, ErrorEventCallback, EventCallback, FailedEventCallback, JobId,
  DoneCallback, JobInformation, JobOptions, JobStatusClean, ProgressEventCallback, QueueOptions,
  RemovedEventCallback, RepeatQuery, StalledEventCallback, WaitingEventCallback,
} from './declarations.js';

/** A ProcessCallbackFunction or a ProcessPromiseFunction in one, so that TypeScript knows what `job` is; or a file. */
type Processing<T> = ((job: Job<T>, done: DoneCallback) => unknown) | string;
type NewJob<T> = { name?: string | undefined; data: T; opts?: JobOptions | undefined };

/** Bull's queue, on Drover's: it adds, processes and manages jobs. */
export class Queue<T = any> extends QueueGetters<T> {
  readonly #consumer: Consumer;
  /** Jobs that `moveToCompleted` took along, by the data it answered. */
  readonly #taken = new WeakMap<object, Job<T>>();
  #pausedHere = false;

  constructor(name: string, opts?: QueueOptions);
  constructor(name: string, url?: string | QueueOptions, opts?: QueueOptions);
  constructor(name: string, url?: string | QueueOptions, opts?: QueueOptions) {
    super(name, url, opts);
    this.#consumer = new Consumer(this);
  }

  /** The names that have a handler here. */
  get handlers(): Record<string, true> {
    return Object.fromEntries(this.#consumer.names.map((name) => [name, true]));
  }

  /**
   * Defines what processes jobs of a name (default: those added without one; `*`: those of other names), `concurrency`
   * of them at a time: it adds up over all calls. A processor gets `(job)` and returns a promise, or `(job, done)`;
   * or it is the path of a file that exports such a function. Resolves when the queue is closed.
   */
  process(callback: Processing<T>): Promise<void>;
  process(concurrency: number, callback: Processing<T>): Promise<void>;
  process(name: string, callback: Processing<T>): Promise<void>;
  process(name: string, concurrency: number, callback: Processing<T>): Promise<void>;
  process(...args: unknown[]): Promise<void> {
    const handler = args.at(-1);
    const [first, second] = args.slice(0, -1);
    const name = typeof first === 'string' ? first : defaultJobName;
    const concurrency = typeof first === 'number' ? first : second;
    this.#consumer.define(name, handler);
    const running = this.#consumer.start(concurrency === undefined ? 1 : (concurrency as number), this.#pausedHere);
    running.catch((error: unknown) => this.fault(error as Error));
    return running;
  }

  /** Adds a job. With `repeat`, one that repeats: resolves with its next run. */
  add(data: T, opts?: JobOptions): Promise<Job<T>>;
  add(name: string, data: T, opts?: JobOptions): Promise<Job<T>>;
  async add(...args: unknown[]): Promise<Job<T>> {
    const [name, data, opts] = typeof args[0] === 'string' ? args : [defaultJobName, ...args];
    const [job] = await this.addBulk([{ name: name as string, data: data as T, opts: opts as JobOptions | undefined }]);
    return job as Job<T>;
  }

  /** Adds jobs together. */
  async addBulk(jobs: NewJob<T>[]): Promise<Job<T>[]> {
    const views = new Array<Job<T>>(jobs.length);
    const plain = jobs.map((job, i) => ({ job, i })).filter(({ job }) => !(job.opts?.repeat ?? this.defaultJobOptions?.repeat));
    const adding = plain.length === 0 ? [] : this.engine.addBulk(plain.map(({ job }) => this.#toEngine(job)));
    const repeating = jobs.map(async (job, i) => {
      if (job.opts?.repeat ?? this.defaultJobOptions?.repeat) views[i] = (await this.#addRepeatable(job)) as Job<T>;
    });
    for (const [at, inner] of (await adding).entries()) {
      const view = this.view(inner);
      views[plain[at]?.i ?? 0] = view;
      this.#tellAdded(view);
    }
    await Promise.all(repeating);
    return views;
  }

  /** No jobs start: anywhere, or only here if `isLocal`; then waits until those that run here have ended, unless told not to. */
  async pause(isLocal = false, doNotWaitActive = false): Promise<void> {
    if (isLocal) {
      this.#pausedHere = true;
      await this.#consumer.pause(doNotWaitActive);
    } else {
      await this.engine.pause();
    }
    this.tell('paused');
  }

  async resume(isLocal = false): Promise<void> {
    if (isLocal) {
      this.#pausedHere = false;
      await this.#consumer.resume();
    } else {
      await this.engine.resume();
    }
    this.tell('resumed');
  }

  isPaused(isLocal = false): Promise<boolean> {
    return isLocal ? Promise.resolve(this.#pausedHere) : this.engine.isPaused();
  }

  /** Resolves when the jobs that run here now have ended. */
  whenCurrentJobsFinished(): Promise<void> {
    return this.#consumer.idle();
  }

  /** Removes all jobs that have not begun. */
  async empty(): Promise<void> {
    await this.engine.drain(true);
  }

  /** Removes jobs that are older than `grace` ms, `limit` at most, and answers their ids. */
  async clean(grace: number, type: JobStatusClean = 'completed', limit?: number): Promise<string[]> {
    const ids = await clean(this.engine, grace, type, limit);
    this.tell('cleaned', ids, type);
    return ids;
  }

  /** Removes the queue with everything in it. Throws when jobs are active, unless `force`. */
  async obliterate(opts: { force?: boolean; count?: number } = {}): Promise<void> {
    await this.pause();
    await this.engine.obliterate(opts);
  }

  /** Removes the jobs whose ids match a glob, as Redis understands it; not those that run. */
  async removeJobs(pattern: string): Promise<void> {
    await removeMatching(this.engine, pattern, (id) => this.tell('removed', id));
  }

  /** Puts all failed jobs back. */
  async retryJobs(opts: { count?: number } = {}): Promise<void> {
    await this.engine.retryJobs(opts.count === undefined ? {} : { count: opts.count });
  }

  removeDebounceKey(id: string): Promise<number> {
    return this.engine.removeDeduplicationKey(id);
  }

  /** Takes a job by hand, waiting up to `drainDelay` for one. End it with its `moveToCompleted` or `moveToFailed`. */
  async getNextJob(): Promise<Job<T> | undefined> {
    if (this.closing) return undefined;
    return this.#take(true);
  }

  /** The job that `moveToCompleted` took along. */
  nextJobFromJobData(jobData: object | null, _jobId?: JobId): Job<T> | null {
    return (jobData && this.#taken.get(jobData)) ?? null;
  }

  /** Adds the next run of a job that repeats, if it still does. */
  async nextRepeatableJob(name: string, data: T, opts: JobOptions, skipCheckExists = false): Promise<Job<T> | undefined> {
    if (!opts.repeat) throw new TypeError('nextRepeatableJob needs opts.repeat');
    const key = repeatKey(name, opts.repeat, opts.jobId);
    if (!skipCheckExists && !(await this.engine.getJobScheduler(key))) return undefined;
    return this.#addRepeatable({ name, data, opts });
  }

  /** The jobs that repeat, the last due first unless `asc`. */
  async getRepeatableJobs(start = 0, end = -1, asc = false): Promise<JobInformation[]> {
    return (await this.engine.getJobSchedulers(start, end, asc)).map(information);
  }

  getRepeatableCount(): Promise<number> {
    return this.engine.getJobSchedulersCount();
  }

  removeRepeatable(repeat: RepeatQuery): Promise<void>;
  removeRepeatable(name: string, repeat: RepeatQuery): Promise<void>;
  async removeRepeatable(...args: unknown[]): Promise<void> {
    const [name, repeat] = (args.length > 1 ? args : [defaultJobName, args[0]]) as [string, RepeatQuery];
    await this.removeRepeatableByKey(repeatKey(name, repeat, repeat.jobId));
  }

  async removeRepeatableByKey(key: string): Promise<void> {
    await this.engine.removeJobScheduler(key);
  }

  /** Ends the queue here, once the jobs that run here have ended; with `doNotWaitJobs` they are aborted and given back. */
  close(doNotWaitJobs = false): Promise<void> {
    this.closing ??= this.#close(doNotWaitJobs);
    return this.closing;
  }

  /** Gives up the connections without waiting for anything. */
  async disconnect(): Promise<void> {
    await Promise.all([this.#consumer.disconnect(), this.globalEvents.disconnect(), this.engine.disconnect()]);
    this.connections.close();
  }

  override on(event: 'error', callback: ErrorEventCallback): this;
  override on(event: 'waiting', callback: WaitingEventCallback): this;
  override on(event: 'active', callback: ActiveEventCallback<T>): this;
  override on(event: 'stalled', callback: StalledEventCallback<T>): this;
  override on(event: 'progress', callback: ProgressEventCallback<T>): this;
  override on(event: 'completed', callback: CompletedEventCallback<T>): this;
  override on(event: 'failed' | 'lock-extension-failed', callback: FailedEventCallback<T>): this;
  override on(event: 'paused' | 'resumed' | 'drained', callback: EventCallback): this;
  override on(event: 'removed', callback: RemovedEventCallback<T>): this;
  override on(event: 'cleaned', callback: CleanedEventCallback): this;
  override on(event: string | symbol, callback: (...args: any[]) => void): this;
  override on(event: string | symbol, callback: (...args: any[]) => void): this {
    return super.on(event, callback);
  }

  /** @internal A worker that holds jobs taken by hand. */
  get hands(): Worker {
    return this.#consumer.hands;
  }

  /** @internal Takes one more job, if there is one. */
  async takeNext(): Promise<[unknown, JobId] | null> {
    const job = await this.#take(false);
    if (!job) return null;
    const data = job.toData();
    this.#taken.set(data, job);
    return [data, job.id];
  }

  async #take(block: boolean): Promise<Job<T> | undefined> {
    const { hands } = this;
    const inner = await hands.getNextJob(this.token, { block });
    if (inner) return new Job<T>(this, inner, hands);
    this.tell('drained');
    return undefined;
  }

  #toEngine({ name, data, opts = {} }: NewJob<T>): Parameters<typeof this.engine.addBulk>[0][number] {
    const parsing = opts.preventParsingData ?? this.defaultJobOptions?.preventParsingData ?? false;
    const json = asJson(data) ?? {};
    return { name: typeof name === 'string' && name !== '' ? name : defaultJobName, data: parsing ? JSON.stringify(json) : json, opts: toEngine(opts, this.defaultJobOptions) };
  }

  async #addRepeatable({ name = defaultJobName, data, opts = {} }: NewJob<T>): Promise<Job<T> | undefined> {
    const inner = await addRepeatable(this.engine, { name, data, opts }, this.defaultJobOptions);
    return inner && this.view(inner);
  }

  #tellAdded(job: Job<T>): void {
    const { inner } = job;
    if (!inner.deduplicated) return inner.delay === 0 ? this.tell('waiting', job.id, null) : undefined;
    this.tell(inner.deduplicationId === undefined ? 'duplicated' : 'debounced', job.id);
  }

  async #close(doNotWaitJobs: boolean): Promise<void> {
    try {
      if (!doNotWaitJobs) await this.#consumer.pause(false).catch(() => undefined);
      await this.#consumer.close(doNotWaitJobs);
      await Promise.all([this.globalEvents.close(), this.engine.close()]);
    } finally {
      this.connections.close();
      this.closed = true;
      this.tell('close');
    }
  }
}
