import { checkValue } from '../core/check.js';
import { InvalidInputError, LeaseLostError, StateError } from '../core/errors.js';
import { randomToken } from '../core/ids.js';
import { defaultCompletedAgeMs, defaultFailedAgeMs, workerRule } from '../core/retention.js';
import { RateLimitError } from '../core/control-errors.js';
import { Job, type JobHolder, type JobOwner } from '../queue/job.js';
import { JobStore } from '../queue/job-store.js';
import { readJob } from '../queue/read-job.js';
import { QueueBase } from '../queue/queue-base.js';
import type { SettleReply } from '../redis/scripts/settle.js';
import { Scheduler } from '../scheduler/scheduler.js';
import { Dispatcher } from './dispatcher.js';
import { completion, failure, postponed, type EndingOf, type EndingTerms } from './endings.js';
import { Exchange, type ExchangeTerms } from './exchange.js';
import { Executor, type Handler } from './executor.js';
import type { HeldJob } from './held-job.js';
import { LeaseKeeper } from './lease-keeper.js';
import { unpackTaken } from './unpack-taken.js';
import { Waker } from './waker.js';
import { concurrencyCheck, workerChecks, workerDefaults, type WorkerOptions } from './worker-options.js';

/** What processes the jobs of a queue. */
export type Processor<DataType = any, ResultType = any, NameType extends string = string> = // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
  (job: Job<DataType, ResultType, NameType>, token?: string, signal?: AbortSignal) => Promise<ResultType> | ResultType;

const laneCount = 2;
/** How long an aborted handler has to end by itself before its job is given back. */
const abortGraceMs = 500;

/**
 * The consumer's side of a queue: takes jobs, runs them, settles them.
 *
 * 1. Keeps its slots filled ({@link Dispatcher}) in calls that settle and take at once ({@link Exchange}).
 * 2. Runs the handler ({@link Executor}) and keeps the leases of what runs ({@link LeaseKeeper}).
 * 3. Sleeps when there is nothing to do ({@link Waker}), and sees to what is due by itself ({@link Scheduler}).
 * 4. Announces only what Redis has accepted.
 * 5. Stops in stages: quiet, drained until a deadline, aborted, given back.
 */
export class Worker<DataType = any, ResultType = any, NameType extends string = string> extends QueueBase implements JobOwner, JobHolder { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
  declare readonly opts: WorkerOptions;
  /** Names this worker in leases and in the attempt history. */
  readonly id = `w${randomToken(9)}`;
  /** @internal */
  readonly jobs: JobStore;
  readonly #terms: EndingTerms;
  readonly #exchangeTerms: ExchangeTerms;
  readonly #dispatcher: Dispatcher;
  readonly #executor: Executor | undefined;
  readonly #leases: LeaseKeeper;
  readonly #scheduler: Scheduler;
  readonly #waker: Waker;
  #running: Promise<void> | undefined;
  #stopRunning: (() => void) | undefined;
  #paused = false;
  #over = false;
  #limitTimer: NodeJS.Timeout | undefined;
  #active = false;

  constructor(name: string, processor: Processor<DataType, ResultType, NameType> | null | undefined, opts: WorkerOptions) {
    super(name, opts, workerChecks);
    checkProcessor(processor);
    const options = { ...workerDefaults, ...opts };
    this.jobs = new JobStore(this.connection, this.keys);
    const completed = workerRule(opts.removeOnComplete, defaultCompletedAgeMs);
    const failed = workerRule(opts.removeOnFail, defaultFailedAgeMs);
    this.#terms = {
      worker: opts.name ?? this.id, completed, failed,
      maxStartedAttempts: opts.maxStartedAttempts ?? Infinity, strategy: opts.settings?.backoffStrategy,
    };
    this.#exchangeTerms = { leaseMs: options.lockDuration, limiter: opts.limiter, completed, failed };
    this.#dispatcher = new Dispatcher({
      lanes: Array.from({ length: laneCount }, () => this.#newExchange()),
      concurrency: options.concurrency,
      start: (held) => this.#start(held),
      unpack: (reply) => this.#unpack(reply),
      exhausted: (reply) => this.#exhausted(reply),
      replied: (reply) => this.#scheduler.noteDue(reply.dueAt),
      failed: (error) => this.#over || this.report(error),
    });
    this.#executor = processor ? new Executor(processor as Handler, this.#terms, this.#announcements(), (held, ended) => this.#dispatcher.finish(held, ended)) : undefined;
    this.#leases = this.#newLeaseKeeper(options.lockDuration, opts.lockRenewTime ?? options.lockDuration / 2);
    this.#scheduler = this.#newScheduler(options);
    this.#waker = new Waker(this.connection, this.keys.key('marker'), this.#clientName());
    if (processor && (opts.autorun ?? true)) this.run().catch((error: unknown) => this.report(error as Error));
  }

  /** @internal */
  get holder(): JobHolder {
    return this;
  }

  /** How many jobs run at a time. Setting it takes effect at once; jobs that run already run on. */
  get concurrency(): number {
    return this.#dispatcher.concurrency;
  }

  set concurrency(value: number) {
    checkValue(value, concurrencyCheck, 'concurrency');
    this.#dispatcher.concurrency = value;
    if (this.#dispatcher.mode === 'hungry') this.#dispatcher.pump();
    else this.#look(false);
  }

  /** Takes and runs jobs until the worker is closed. Only needed with `autorun: false`. */
  run(): Promise<void> {
    this.assertOpen();
    if (!this.#executor) return Promise.reject(new InvalidInputError('INVALID_HANDLER', { field: 'processor', message: 'This worker has no processor to run.' }));
    if (this.#running) return Promise.reject(new StateError('ALREADY_RUNNING', { message: 'Worker is already running.' }));
    this.#running = new Promise((resolve) => {
      this.#stopRunning = resolve;
    });
    this.connection.on('ready', this.#onReady);
    this.connection.server().then(() => this.#begin(), (error: unknown) => this.#refused(error as Error));
    return this.#running;
  }

  isRunning(): boolean {
    return this.#running !== undefined && !this.closed;
  }

  isPaused(): boolean {
    return this.#paused;
  }

  /** Takes no more jobs on this worker. Waits until its running jobs have ended, unless told not to. */
  async pause(doNotWaitActive = false): Promise<void> {
    if (this.#paused) return;
    this.#paused = true;
    this.#dispatcher.quiet();
    this.#waker.interrupt();
    if (!doNotWaitActive) await this.#dispatcher.settled();
    this.emitSafely('paused');
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.emitSafely('resumed');
    if (this.#active) this.#dispatcher.wake(false);
  }

  /**
   * Takes one job by hand, or undefined when there is none; end it with `job.moveToCompleted` or `moveToFailed` under
   * the same token. Its lease is not renewed: use `job.extendLock`.
   *
   * `block` (default true) waits for a job, up to `drainDelay`.
   */
  async getNextJob(token: string = randomToken(12), { block = true }: { block?: boolean } = {}): Promise<Job<DataType, ResultType, NameType> | undefined> {
    this.assertOpen();
    const deadline = performance.now() + (this.opts.drainDelay ?? 5) * 1000;
    for (let woken = false; ;) {
      const reply = await this.#newExchange().call([], { wanted: 1, token, woken });
      const [held] = this.#unpack(reply);
      if (held) return held.job as Job<DataType, ResultType, NameType>;
      const left = deadline - performance.now();
      if (!block || left <= 0 || this.closing) return undefined;
      woken = await this.#waker.wait(Math.min(left, reply.waitMs > 0 ? reply.waitMs : left));
    }
  }

  /** No job of the queue starts for `ms` milliseconds; then throw `Worker.RateLimitError()` from the handler. */
  async rateLimit(ms: number): Promise<void> {
    const till = Math.ceil(this.connection.now + ms);
    await this.connection.command('hset', [this.keys.key('meta'), 'limitedTill', till], 'limit the rate');
  }

  static RateLimitError(): Error {
    return new RateLimitError();
  }

  /** Aborts the signal of a job that this worker runs; false when it runs no such job. */
  cancelJob(id: string, reason?: string): boolean {
    const held = this.#dispatcher.held.get(id);
    if (!held || held.state !== 'running') return false;
    held.stop('cancelled', new Error(reason ?? 'Job was cancelled'));
    return true;
  }

  cancelAllJobs(reason?: string): void {
    for (const id of this.#dispatcher.held.keys()) this.cancelJob(id, reason);
  }

  /** Pushes back the deadlines of leases taken by hand; answers the ids whose leases are lost. */
  async extendJobLocks(ids: string[], tokens: string[], duration: number): Promise<string[]> {
    const stored = await this.jobs.fetch(ids);
    const leases = new Map(stored.map((job) => [job.id, job.lease]));
    const held = await Promise.all(ids.map((id, i) => {
      const lease = leases.get(id);
      return lease?.startsWith(`${tokens[i] ?? ''}|`) ? this.jobs.renew(id, lease, duration) : Promise.resolve(false);
    }));
    return ids.filter((_, i) => !held[i]);
  }

  /**
   * Stops: takes nothing more, lets running jobs end for `closeTimeout` ms, aborts the rest and gives them back
   * without spending an attempt. `force` aborts at once.
   */
  override close(force = false): Promise<void> {
    if (force) this.#force?.();
    this.#forced ||= force;
    return super.close();
  }

  #force: (() => void) | undefined;
  #forced = false;

  /** @internal */
  async complete(job: Job, result: unknown, _token: string): Promise<void> {
    await this.#settleByHand(job, completion(job, result, this.#terms), _token, 'complete it');
    job.attemptsMade += 1;
    job.returnvalue = result;
    this.emitSafely('completed', job, result, 'active');
  }

  /** @internal */
  async fail(job: Job, error: Error, token: string): Promise<void> {
    await this.#settleByHand(job, await failure(job, error, this.#terms), token, 'fail it');
    job.attemptsMade += 1;
    job.failedReason = error.message;
    this.emitSafely('failed', job, error, 'active');
  }

  /** @internal */
  async giveBack(job: Job, dueAt: number, token: string | undefined): Promise<void> {
    await this.#settleByHand(job, postponed(dueAt > 0 ? dueAt : -1), token, 'move it');
  }

  /** @internal */
  progressed(job: Job, progress: unknown): void {
    if (this.listenerCount('progress') > 0) this.emitSafely('progress', job, progress);
  }

  protected override async shutdown(): Promise<void> {
    this.emitSafely('closing', 'closing queue');
    this.connection.off('ready', this.#onReady);
    clearTimeout(this.#limitTimer);
    this.#dispatcher.quiet();
    this.#waker.close();
    await this.#scheduler.stop();
    await this.#drain();
    this.#over = true;
    this.#leases.stop();
    this.#stopRunning?.();
    this.emitSafely('closed');
  }

  /** Lets running jobs end until the deadline, then tells them to stop, then gives them back. */
  async #drain(): Promise<void> {
    const { closeTimeout = workerDefaults.closeTimeout } = this.opts;
    const forced = new Promise<void>((resolve) => {
      this.#force = resolve;
    });
    if (!this.#forced && (await settledWithin(this.#dispatcher.settled(), closeTimeout, forced))) return;
    for (const held of this.#dispatcher.held.values()) held.stop('shutdown', new Error('The worker is shutting down.'));
    if (await settledWithin(this.#dispatcher.settled(), abortGraceMs)) return;
    for (const held of this.#dispatcher.held.values()) {
      if (held.state !== 'running') continue;
      held.state = 'released';
      this.#dispatcher.post({ id: held.id, lease: held.lease, ending: 5, payload: '', settled: () => this.#dispatcher.forget(held) });
    }
    await settledWithin(this.#dispatcher.settled(), 0, this.#handedBack());
  }

  /** Resolves when what was given back is settled, or after as long as an aborted handler has. */
  #handedBack(): Promise<void> {
    return new Promise((resolve) => {
      const over = setTimeout(resolve, 4 * abortGraceMs);
      const look = setInterval(() => {
        if (!this.#dispatcher.isFlushed) return;
        clearInterval(look);
        clearTimeout(over);
        resolve();
      }, 5);
      setTimeout(() => clearInterval(look), 4 * abortGraceMs);
    });
  }

  #begin(): void {
    if (this.closing) return;
    this.#active = true;
    this.#scheduler.start();
    this.emitSafely('ready');
    if (!this.#paused) this.#dispatcher.wake(false);
  }

  /** A server that cannot be worked with may be replaced by one that can: keep looking. */
  #refused(error: Error): void {
    this.report(error);
    if (this.opts.skipVersionCheck) return this.#begin();
    this.#limitTimer = setTimeout(() => {
      if (!this.closing) this.connection.server().then(() => this.#begin(), (again: unknown) => this.#refused(again as Error));
    }, this.opts.runRetryDelay ?? workerDefaults.runRetryDelay);
  }

  #start(held: HeldJob): void {
    this.#leases.watch();
    if (!held.suspect) return this.#executor?.run(held);
    // Someone took this job before and disappeared at once: Redis has to know that it starts before it does.
    this.#leases.confirm(held).then(
      (ours) => (ours ? this.#executor?.run(held) : this.#dispatcher.finish(held, undefined)),
      (error: unknown) => {
        this.report(error as Error);
        held.state = 'released';
        this.#dispatcher.finish(held, undefined);
      },
    );
  }

  #unpack(reply: SettleReply): HeldJob[] {
    return unpackTaken(this, reply, this.#terms.worker, (id, error) => {
      this.report(error);
      void this.#bury(id, reply.lease, error);
    });
  }

  /** A job that cannot be read can never run: it goes to the dead letters, where it can be looked at. */
  async #bury(id: string, lease: string, error: Error): Promise<void> {
    const job = new Job(this, '', undefined, {}, id);
    const ending = await failure(job, error, { ...this.#terms, maxStartedAttempts: -1 });
    this.#dispatcher.post({ id, lease, ...ending, settled: () => undefined });
  }

  #exhausted(reply: SettleReply): void {
    this.#scheduler.noteExpiry(reply.expiresAt);
    if (this.#drainedSince && reply.waitMs === 0) {
      this.#drainedSince = false;
      this.emitSafely('drained');
    }
    if (reply.waitMs > 0) {
      const { maximumRateLimitDelay = workerDefaults.maximumRateLimitDelay } = this.opts;
      clearTimeout(this.#limitTimer);
      this.#limitTimer = setTimeout(() => this.#look(false), Math.min(reply.waitMs, maximumRateLimitDelay));
    } else {
      void this.#sleep();
    }
  }

  #drainedSince = true;

  /** Waits for a sign of work. Ends by looking, whatever ended it. */
  async #sleep(): Promise<void> {
    if (this.#waker.isWaiting || this.closing || this.#paused) return;
    const marked = await this.#waker.wait((this.opts.drainDelay ?? workerDefaults.drainDelay) * 1000);
    if (this.isClosing()) return;
    if (marked && (this.isPaused() || !this.#dispatcher.hasFreeSlots)) await this.#passOn();
    else if (this.connection.isReady) this.#look(marked);
    else this.#limitTimer = setTimeout(() => this.#look(false), this.opts.runRetryDelay ?? workerDefaults.runRetryDelay);
  }

  /** This worker was woken but cannot take anything: another one may. */
  async #passOn(): Promise<void> {
    await this.connection.command('zadd', [this.keys.key('marker'), 0, '0'], 'wake another worker').catch((error: unknown) => this.report(error as Error));
  }

  #look(woken: boolean): void {
    if (this.#active && !this.#paused && !this.closing) this.#dispatcher.wake(woken);
  }

  readonly #onReady = (): void => this.#look(false);

  async #settleByHand(job: Job, ending: EndingOf, token: string | undefined, doing: string): Promise<void> {
    const held = this.#dispatcher.held.get(job.id);
    const lease = held?.job === job ? held.lease : job.leaseOf(token);
    const accepted = await new Promise<boolean>((resolve) => {
      this.#dispatcher.post({ id: job.id, lease, ...ending, settled: resolve });
    });
    if (!accepted) throw new LeaseLostError(job.id, doing);
    if (held) held.state = 'released';
  }

  #announcements(): ConstructorParameters<typeof Executor>[2] {
    return {
      active: (job) => {
        if (this.listenerCount('active') > 0) this.emitSafely('active', job, 'waiting');
      },
      completed: (job, result) => {
        this.#drainedSince = true;
        if (this.listenerCount('completed') > 0) this.emitSafely('completed', job, result, 'active');
      },
      failed: (job, error) => {
        this.#drainedSince = true;
        this.logger.info({ queue: this.name, jobId: job.id, attemptsMade: job.attemptsMade }, 'job failed');
        if (this.listenerCount('failed') > 0) this.emitSafely('failed', job, error, 'active');
      },
      settled: (held) => this.#dispatcher.forget(held),
      lost: (held) => this.#loseLease(held),
      error: (error) => this.report(error),
    };
  }

  #loseLease(held: HeldJob): void {
    const known = held.stopCause === 'lease lost';
    held.loseLease();
    this.#dispatcher.forget(held);
    if (known) return;
    if (this.listenerCount('leaseLost') > 0) this.emitSafely('leaseLost', held.job);
    this.report(new LeaseLostError(held.id, 'settle it'));
  }

  #newExchange(): Exchange {
    return new Exchange(this.connection, this.keys, this.#exchangeTerms, this.id, {
      retryDelayMs: this.opts.runRetryDelay ?? workerDefaults.runRetryDelay,
      failed: (error) => this.report(error),
      isOver: () => this.#over,
    });
  }

  #newLeaseKeeper(leaseMs: number, renewEveryMs: number): LeaseKeeper {
    return new LeaseKeeper({
      connection: this.connection,
      keys: this.keys,
      leaseMs,
      renewEveryMs,
      renewNothing: this.opts.skipLockRenewal ?? false,
      held: () => this.#dispatcher.held.values(),
      renewed: (ids) => {
        if (this.listenerCount('locksRenewed') > 0) this.emitSafely('locksRenewed', { count: ids.length, jobIds: ids });
      },
      lost: (held) => this.#loseLease(held),
      failed: (ids, error) => {
        this.report(error);
        if (this.listenerCount('lockRenewalFailed') > 0) this.emitSafely('lockRenewalFailed', ids);
      },
    });
  }

  #newScheduler(options: typeof workerDefaults & WorkerOptions): Scheduler {
    return new Scheduler({
      jobs: this.jobs,
      maxStalledCount: options.maxStalledCount,
      stalledIntervalMs: Math.min(options.stalledInterval, options.lockDuration),
      skipStalledCheck: options.skipStalledCheck ?? false,
      keepFailed: this.#terms.failed.count,
      completedAgeMs: this.#terms.completed.ageMs,
      failedAgeMs: this.#terms.failed.ageMs,
      retryDelayMs: options.runRetryDelay,
      stalled: (job) => {
        if (job.started) this.emitSafely('stalled', job.id, 'active');
        if (job.dead) void this.#announceDead(job.id);
      },
      failed: (error) => this.report(error),
    });
  }

  async #announceDead(id: string): Promise<void> {
    if (this.listenerCount('failed') === 0) return;
    const job = await this.jobs.fetch([id]).then(([stored]) => stored && readJob(this, stored), () => undefined);
    this.emitSafely('failed', job, new Error('job stalled more than allowable limit'), 'active');
  }

  #clientName(): string {
    const suffix = this.opts.name === undefined ? '' : `:w:${this.opts.name.replace(/[^\x21-\x7e]/g, '_')}`;
    return `${this.keys.prefix}:${Buffer.from(this.name).toString('base64')}${suffix}`.replace(/[^\x21-\x7e]/g, '_');
  }
}

function checkProcessor(processor: unknown): void {
  if (processor === undefined || processor === null || typeof processor === 'function') return;
  throw new InvalidInputError('INVALID_HANDLER', { field: 'processor', message: `The processor is ${typeof processor}, not a function.` });
}

/** True when the work settles before the time, or the other event, comes. */
async function settledWithin(work: Promise<void>, ms: number, orElse?: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    if (!orElse || ms > 0) timer = setTimeout(() => resolve(false), Math.min(ms, 2 ** 31 - 1));
    void orElse?.then(() => resolve(false));
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
