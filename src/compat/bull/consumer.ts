import { DelayedError, LeaseLostError, Worker, type Job as EngineJob, type WorkerOptions } from '../../index.js';
import { bullDelay } from './backoff.js';
import { FileProcessors } from './file-processors.js';
import { GroupLimit } from './group-limit.js';
import { Handlers } from './handlers.js';
import { asJson } from './job-options.js';
import { Job } from './job.js';
import type { Queue } from './queue.js';
import type { JobPromise } from './declarations.js';

/** The longest time a timer can wait: `close()` lets jobs end however long they take. */
const noDeadline = 2 ** 31 - 1;

/** One job that this queue's handlers work on. */
interface Run {
  job: Job;
  result: unknown;
  done: Promise<void>;
  over: () => void;
}

/** The worker behind a queue that processes: one, whose concurrency is the sum over all calls of `process`. */
export class Consumer {
  readonly #queue: Queue;
  readonly #files: FileProcessors;
  readonly #handlers: Handlers;
  readonly #groups: GroupLimit | undefined;
  readonly #runs = new Map<EngineJob, Run>();
  #worker: Worker | undefined;
  #running: Promise<void> | undefined;
  #hands: Worker | undefined;
  #lastError: Error | undefined;

  constructor(queue: Queue) {
    this.#queue = queue;
    this.#files = new FileProcessors(queue.settings.isSharedChildPool);
    this.#handlers = new Handlers(queue, this.#files);
    const { limiter } = queue;
    if (limiter?.groupKey) this.#groups = new GroupLimit(limiter, limiter.groupKey, queue.client, (name) => queue.toKey(name));
  }

  /** @internal The names that have a handler. */
  get names(): string[] {
    return this.#handlers.names;
  }

  /** A worker to hold jobs with that were taken by hand. */
  get hands(): Worker {
    this.#hands ??= this.#newWorker(null, { drainDelay: this.#queue.settings.drainDelay });
    return this.#hands;
  }

  define(name: string, handler: unknown): void {
    this.#handlers.define(name, handler);
  }

  /** Runs `concurrency` more jobs at a time. Resolves when the queue is closed. */
  start(concurrency: number, paused: boolean): Promise<void> {
    if (!Number.isInteger(concurrency) || concurrency < 0) return Promise.reject(new Error('Cannot set Float as concurrency'));
    if (concurrency === 0) return this.#running ?? Promise.resolve();
    if (this.#worker) {
      this.#worker.concurrency += concurrency;
      return this.#running ?? Promise.resolve();
    }
    const worker = this.#newWorker((job, token, signal) => this.#process(job, token ?? '', signal), { concurrency, ...this.#limiter(), ...this.#ownDrainDelay() });
    this.#worker = worker;
    this.#listen(worker);
    if (paused) void worker.pause(true);
    this.#running = worker.run();
    return this.#running;
  }

  async pause(doNotWaitActive: boolean): Promise<void> {
    await this.#worker?.pause(true);
    if (!doNotWaitActive) await this.idle();
  }

  async resume(): Promise<void> {
    await this.#worker?.resume();
  }

  /** Resolves when the jobs that run now have ended. */
  async idle(): Promise<void> {
    await Promise.all([...this.#runs.values()].map(({ done }) => done));
  }

  /** With `force` running jobs are aborted and given back. */
  async close(force: boolean): Promise<void> {
    await Promise.all([this.#worker?.close(force), this.#hands?.close(force)]);
    for (const run of this.#runs.values()) run.over();
    await this.#files.close(force);
  }

  async disconnect(): Promise<void> {
    await Promise.all([this.#worker?.disconnect(), this.#hands?.disconnect()]);
  }

  async #process(inner: EngineJob, token: string, signal: AbortSignal | undefined): Promise<unknown> {
    const job = new Job(this.#queue, inner, this.#worker);
    const run = this.#begin(job);
    try {
      await this.#awaitPlace(job, token);
      const handler = this.#handlers.for(job.name);
      if (!handler) throw new Error(`Missing process handler for job type ${job.name}`);
      const attempt = this.#cancellable(job, handler(job, signal ?? new AbortController().signal));
      this.#queue.tell('active', job, attempt, 'waiting');
      run.result = await attempt;
      return asJson(run.result, 'result');
    } catch (error) {
      job.applyTerms();
      if (error instanceof DelayedError) this.#end(inner);
      throw error;
    } finally {
      if (job.ending === 'given up') this.#end(inner);
    }
  }

  /** A job beyond the rate of its group is put off until its place. */
  async #awaitPlace(job: Job, token: string): Promise<void> {
    const at = await this.#groups?.placeOf(job.inner.id, job.data);
    if (!at) return;
    await job.inner.moveToDelayed(at, token);
    throw new DelayedError();
  }

  /** Only listeners to `active` can cancel. */
  #cancellable(job: Job, running: Promise<unknown>): Promise<unknown> {
    if (this.#queue.listenerCount('active') === 0) return running;
    let cancel: () => void = () => undefined;
    const attempt = new Promise((resolve, reject) => {
      running.then(resolve, reject);
      cancel = () => {
        reject(new Error('Job was cancelled'));
        this.#worker?.cancelJob(job.inner.id);
      };
    });
    return Object.assign(attempt, { cancel }) satisfies JobPromise;
  }

  #begin(job: Job): Run {
    let over: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      over = resolve;
    });
    const run: Run = { job, result: undefined, done, over };
    this.#runs.set(job.inner, run);
    return run;
  }

  #end(inner: EngineJob): Run | undefined {
    const run = this.#runs.get(inner);
    this.#runs.delete(inner);
    run?.over();
    return run;
  }

  #listen(worker: Worker): void {
    const queue = this.#queue;
    worker.on('completed', (inner: EngineJob, result: unknown) => {
      const run = this.#end(inner);
      queue.tell('completed', this.#ended(inner, 'completed'), run?.result ?? result, 'active');
    });
    worker.on('failed', (inner: EngineJob | undefined, error: Error) => {
      if (inner) this.#end(inner);
      queue.tell('failed', inner && this.#ended(inner, 'failed'), error, 'active');
    });
    worker.on('leaseLost', (inner: EngineJob) => {
      this.#end(inner);
      queue.tell('lock-extension-failed', Job.of(inner) ?? new Job(queue, inner), new LeaseLostError(inner.id, 'extend its lease'));
    });
    worker.on('stalled', (id: string) => void this.#tellStalled(id));
    worker.on('drained', () => queue.tell('drained'));
    worker.on('lockRenewalFailed', (ids: string[]) => this.#tellUnrenewed(ids));
  }

  #ended(inner: EngineJob, ending: 'completed' | 'failed'): Job {
    const job = Job.of(inner) ?? new Job(this.#queue, inner);
    job.ending = ending;
    job.refresh();
    return job;
  }

  async #tellStalled(id: string): Promise<void> {
    if (this.#queue.listenerCount('stalled') === 0) return;
    const job = await this.#queue.getJob(id).catch((error: unknown) => this.#queue.fault(error as Error));
    if (job) this.#queue.tell('stalled', job);
  }

  #tellUnrenewed(ids: string[]): void {
    const error = this.#lastError ?? new Error('The locks could not be renewed');
    for (const { job } of this.#runs.values()) {
      if (ids.includes(job.inner.id)) this.#queue.tell('lock-extension-failed', job, error);
    }
  }

  #limiter(): Partial<WorkerOptions> {
    const { limiter } = this.#queue;
    return limiter && !this.#groups ? { limiter: { max: limiter.max, duration: limiter.duration } } : {};
  }

  /** The engine's own wait is longer than Bull's; it is told of jobs, and does not look for them. */
  #ownDrainDelay(): Partial<WorkerOptions> {
    return this.#queue.givenSettings.drainDelay === undefined ? {} : { drainDelay: this.#queue.settings.drainDelay };
  }

  #newWorker(processor: ((job: EngineJob, token?: string, signal?: AbortSignal) => Promise<unknown>) | null, more: Partial<WorkerOptions>): Worker {
    const { settings, engineOptions, name, metrics } = this.#queue;
    const worker = new Worker(name, processor, {
      ...engineOptions,
      autorun: false,
      closeTimeout: noDeadline,
      lockDuration: settings.lockDuration,
      lockRenewTime: settings.lockRenewTime,
      maxStalledCount: settings.maxStalledCount,
      runRetryDelay: settings.retryProcessDelay,
      ...(settings.stalledInterval > 0 ? { stalledInterval: settings.stalledInterval } : { skipStalledCheck: true }),
      ...(metrics && { metrics }),
      settings: { backoffStrategy: (attemptsMade, _type, error, inner) => this.#backoff(attemptsMade, error, inner) },
      ...more,
    });
    return worker.on('error', (error: Error) => {
      this.#lastError = error;
      this.#queue.fault(error);
    });
  }

  async #backoff(attemptsMade: number, error: Error | undefined, inner: EngineJob | undefined): Promise<number> {
    const job = inner && (Job.of(inner) ?? new Job(this.#queue, inner));
    return job ? bullDelay(job, attemptsMade, error ?? new Error('Unknown reason'), this.#queue.settings) : 0;
  }
}
