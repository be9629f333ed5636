import { MAX_DELAY_MS } from '../core/backoff.js';
import { checkArguments, checkValue, flag, idCheck, listOf, textUpTo, wholeNumber } from '../core/check.js';
import { InvalidInputError, StateError } from '../core/errors.js';
import { randomToken } from '../core/ids.js';
import type { JobSchemas } from '../core/schema.js';
import { defaultCompletedAgeMs, defaultFailedAgeMs, workerRule } from '../core/retention.js';
import { RateLimitError } from '../core/control-errors.js';
import { Job, type JobHolder, type JobOwner } from '../queue/job.js';
import { openJobScheduler, type JobScheduler } from '../queue/job-scheduler.js';
import { JobStore } from '../queue/job-store.js';
import { readJob } from '../queue/read-job.js';
import { QueueBase } from '../queue/queue-base.js';
import { clientName } from '../redis/client-name.js';
import { LostSight, whileInSight } from '../redis/lost-sight.js';
import type { SettleReply } from '../redis/scripts/settle.js';
import { Scheduler } from '../scheduler/scheduler.js';
import { JobMeter } from '../telemetry/job-meter.js';
import { TelemetryAttributes } from '../telemetry/names.js';
import { traceMethods } from '../telemetry/trace-methods.js';
import { Dispatcher } from './dispatcher.js';
import { failure, type EndingTerms } from '../queue/endings.js';
import { Exchange, type ExchangeTerms } from './exchange.js';
import { Executor } from './executor.js';
import type { HeldJob } from './held-job.js';
import { LeaseKeeper } from './lease-keeper.js';
import { Announcer, type Stage } from './announcer.js';
import { ByHand, type Workbench } from './by-hand.js';
import type { AnyJobOf as EachJob } from '../queue/job-types.js';
import { TracingAnnouncer, type WorkerTelemetry } from './tracing-announcer.js';
import { TracingByHand } from './tracing-by-hand.js';
import { spansOfWorker } from './traced-methods.js';
import { prepareHandler, type PreparedHandler, type ProcessorSource } from './processor.js';
import { Rest } from './rest.js';
import { Undertaker } from './undertaker.js';
import { bringToRest } from './staged-stop.js';
import type { WorkerListener } from './worker-listener.js';
import { recall, wasTried } from './recall.js';
import { unpackTaken, type HandedOut } from './unpack-taken.js';
import { concurrencyCheck, workerChecks, workerDefaults, type GetNextJobOptions, type WorkerOptions } from './worker-options.js';

const laneCount = 2;
/** How long `close` waits for letters to parents; what is left then is delivered by another worker. */
const lettersMs = 2_000;

/**
 * The consumer's side of a queue: takes jobs, runs them, settles them.
 *
 * 1. Keeps its slots filled ({@link Dispatcher}) in calls that settle and take at once ({@link Exchange}).
 * 2. Runs the handler ({@link Executor}) and keeps the leases of what runs ({@link LeaseKeeper}).
 * 3. Sleeps when there is nothing to do ({@link Waker}), and sees to what is due by itself ({@link Scheduler}).
 * 4. Announces only what Redis has accepted.
 * 5. Stops in stages: quiet, drained until a deadline, aborted, given back.
 */
export class Worker<Jobs = any, ResultType = any, NameType extends string = string> extends QueueBase implements JobOwner { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
  declare readonly opts: WorkerOptions;
  /** Names this worker in leases and in the attempt history. */
  readonly id = `w${randomToken(9)}`;
  /** @internal */
  readonly jobs: JobStore;
  readonly #terms: EndingTerms;
  readonly #exchangeTerms: ExchangeTerms;
  readonly #dispatcher: Dispatcher;
  readonly #byHand: ByHand;
  readonly #handler: PreparedHandler | undefined;
  readonly #executor: Executor | undefined;
  readonly #leases: LeaseKeeper;
  readonly #scheduler: Scheduler;
  readonly #rest: Rest;
  readonly #telemetry: WorkerTelemetry | undefined;
  readonly #announcer: Announcer;
  readonly #undertaker: Undertaker | undefined;
  #jobScheduler: JobScheduler | undefined;
  #running: Promise<void> | undefined;
  #stopRunning: (() => void) | undefined;
  #paused = false;
  #over = false;
  #active = false;
  #forced = false;
  #force: () => void = () => undefined;
  readonly #whenForced = new Promise<void>((resolve) => {
    this.#force = resolve;
  });

  constructor(name: string, processor: ProcessorSource<Jobs, ResultType, NameType> | null | undefined, opts: WorkerOptions) {
    super(name, opts, workerChecks);
    this.#handler = this.#prepared(processor);
    const options = { ...workerDefaults, ...opts };
    this.jobs = new JobStore(this.connection, this.keys);
    const completed = workerRule(opts.removeOnComplete, defaultCompletedAgeMs);
    const failed = workerRule(opts.removeOnFail, defaultFailedAgeMs);
    this.#terms = {
      worker: opts.name ?? this.id, completed, failed,
      maxStartedAttempts: opts.maxStartedAttempts ?? Infinity, strategy: opts.settings?.backoffStrategy,
      noteAge: (ageMs) => this.#scheduler.noteAge(ageMs),
    };
    const confirming = this.openConfirming(opts.durability);
    this.#exchangeTerms = { confirming, leaseMs: options.lockDuration, limiter: opts.limiter, minutes: opts.metrics?.maxDataPoints };
    this.#dispatcher = new Dispatcher({
      lanes: Array.from({ length: laneCount }, () => this.#newExchange()),
      concurrency: options.concurrency,
      start: (held) => this.#start(held),
      unpack: (reply) => this.#unpack(reply),
      exhausted: (reply) => this.#exhausted(reply),
      replied: (reply) => this.#replied(reply),
      failed: (error) => this.#over || this.report(error),
    });
    this.#telemetry = this.#tellTelemetry();
    this.#announcer = this.#newAnnouncer();
    this.#undertaker = opts.deadLetter && new Undertaker(this.jobs, confirming, opts.deadLetter.queue, (error) => this.report(error));
    this.#executor = this.#handler && this.#newExecutor(this.#handler);
    this.#leases = this.#newLeaseKeeper(options.lockDuration, opts.lockRenewTime ?? options.lockDuration / 2);
    this.#scheduler = this.#newScheduler(options);
    this.#rest = this.#newRest(options);
    this.#byHand = this.#newByHand();
    if (this.#handler && (opts.autorun ?? true)) this.run().catch((error: unknown) => this.report(error as Error));
  }

  /** Typed listeners; see {@link WorkerListener}. */
  override on<Event extends keyof WorkerListener<Jobs, ResultType, NameType>>(event: Event, listener: WorkerListener<Jobs, ResultType, NameType>[Event]): this {
    return super.on(event, listener);
  }

  override once<Event extends keyof WorkerListener<Jobs, ResultType, NameType>>(event: Event, listener: WorkerListener<Jobs, ResultType, NameType>[Event]): this {
    return super.once(event, listener);
  }

  override off<Event extends keyof WorkerListener<Jobs, ResultType, NameType>>(event: Event, listener: WorkerListener<Jobs, ResultType, NameType>[Event]): this {
    return super.off(event, listener);
  }

  /** Typed as the listeners are. */
  override emit<Event extends keyof WorkerListener<Jobs, ResultType, NameType>>(event: Event, ...args: Parameters<WorkerListener<Jobs, ResultType, NameType>[Event]>): boolean {
    return super.emit(event, ...args);
  }

  /** A worker that cannot be must not hold on to its connection. */
  #prepared(processor: unknown): PreparedHandler | undefined {
    try {
      return processor === undefined || processor === null ? undefined : prepareHandler(processor, this.opts);
    } catch (error) {
      void this.disconnect();
      throw error;
    }
  }

  /** @internal */
  get dataSchemas(): JobSchemas | undefined {
    return this.opts.validateOnTake ? this.opts.schemas : undefined;
  }

  /** @internal */
  get holder(): JobHolder {
    return this.#byHand;
  }

  /** The queue's schedules: always the same one, and closed with this worker. */
  get jobScheduler(): Promise<JobScheduler> {
    return Promise.resolve((this.#jobScheduler ??= openJobScheduler(this)));
  }

  /** How many jobs run at a time. Setting it takes effect at once; jobs that run already run on. */
  get concurrency(): number {
    return this.#dispatcher.concurrency;
  }

  set concurrency(value: number) {
    checkValue(value, concurrencyCheck, 'concurrency');
    this.#dispatcher.concurrency = value;
    this.#handler?.resize(value);
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
    this.#enter();
    return this.#running;
  }

  isRunning(): boolean {
    return this.#running !== undefined && !this.closed && !this.#paused;
  }

  isPaused(): boolean {
    return this.#paused;
  }

  /** Takes no more jobs on this worker. Waits until its running jobs have ended, unless told not to. */
  async pause(doNotWaitActive = false): Promise<void> {
    if (this.#paused) return;
    this.#paused = true;
    this.#dispatcher.quiet();
    this.#rest.interrupt();
    if (!doNotWaitActive) await this.#dispatcher.settled();
    this.emitSafely('paused');
  }

  async resume(): Promise<void> {
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
  async getNextJob(token: string = randomToken(12), opts: GetNextJobOptions = {}): Promise<EachJob<Jobs, ResultType, NameType> | undefined> {
    this.assertOpen();
    checkValue(token, textUpTo(512), 'token');
    checkArguments(opts, { block: flag });
    const { block = true } = opts;
    const waitMs = block ? (this.opts.drainDelay ?? workerDefaults.drainDelay) * 1000 : 0;
    return (await this.#byHand.next(token, waitMs)) as EachJob<Jobs, ResultType, NameType> | undefined;
  }

  /** Runs the handler on a job taken by hand and ends it as the handler says. Throws LEASE_LOST, INVALID_HANDLER. */
  processJob(job: Job, token: string, _fetchNext?: () => boolean): Promise<void> {
    return this.#byHand.process(job, token);
  }

  /** Looks for stalled jobs, schedules and delayed jobs that are due; a running worker does so by itself. */
  async startStalledCheckTimer(): Promise<void> {
    this.assertOpen();
    if (!this.#active) this.#scheduler.start();
  }

  /** No job of the queue starts for `ms` milliseconds; then throw `Worker.RateLimitError()` from the handler. */
  async rateLimit(ms: number): Promise<void> {
    checkValue(ms, wholeNumber(0, MAX_DELAY_MS, 'milliseconds'), 'ms');
    const till = (await this.connection.serverNow()) + ms;
    await this.connection.command('hset', [this.keys.key('meta'), 'limitedTill', till], 'limit the rate');
  }

  static RateLimitError(): Error {
    return new RateLimitError();
  }

  /** Aborts the signal of a job that this worker runs, with `reason` as the signal's; false when it runs no such job. */
  cancelJob(id: string, reason?: string): boolean {
    const held = this.#dispatcher.held.get(id);
    if (!held || held.state !== 'running') return false;
    held.stop('cancelled', reason ?? new Error('Job was cancelled'));
    return true;
  }

  cancelAllJobs(reason?: string): void {
    for (const id of this.#dispatcher.held.keys()) this.cancelJob(id, reason);
  }

  /** Pushes back the deadlines of leases taken by hand; answers the ids whose leases are lost. */
  async extendJobLocks(ids: string[], tokens: string[], duration: number): Promise<string[]> {
    checkValue(ids, listOf(idCheck, 'ids'), 'ids');
    checkValue(tokens, listOf(textUpTo(512), 'tokens'), 'tokens');
    checkValue(duration, wholeNumber(1, MAX_DELAY_MS, 'milliseconds'), 'duration');
    return this.#byHand.extend(ids, tokens, duration);
  }

  /**
   * Stops: takes nothing more, lets running jobs end for `closeTimeout` ms, aborts the rest and gives them back
   * without spending an attempt. `force` aborts at once. Redis is not waited for once nothing runs and it has been out of
   * reach for 2 s: what it has not accepted by then runs again when its lease has run out.
   */
  override close(force = false): Promise<void> {
    this.#forced ||= force;
    if (force) this.#force();
    return super.close();
  }

  protected override async shutdown(): Promise<void> {
    this.emitSafely('closing', 'closing queue');
    this.connection.off('ready', this.#onReady);
    this.#dispatcher.quiet();
    const lost = new LostSight(this.connection, () => this.#dispatcher.running === 0);
    await this.#rest.close();
    await whileInSight(this.connection, this.#scheduler.stop());
    await bringToRest(this.#dispatcher, this.#forced ? 0 : this.opts.closeTimeout ?? workerDefaults.closeTimeout, this.#whenForced, lost);
    lost.stop();
    await this.#handler?.close(this.#forced);
    await this.jobs.courier.idle(lettersMs);
    await this.#jobScheduler?.close();
    this.#over = true;
    this.#leases.stop();
    this.#stopRunning?.();
    this.emitSafely('closed');
  }

  #enter(): void {
    this.connection.server().then(() => this.#begin(), (error: unknown) => this.#refused(error as Error));
  }

  #begin(): void {
    if (this.closing || this.#active) return;
    this.#active = true;
    this.#scheduler.start();
    this.#rest.waker.connect();
    this.emitSafely('ready');
    if (!this.#paused) this.#dispatcher.wake(false);
  }

  /** A server that cannot be worked with may be replaced by one that can: keep looking. */
  #refused(error: Error): void {
    this.report(error);
    if (this.opts.skipVersionCheck) return this.#begin();
    this.#rest.lookIn(this.opts.runRetryDelay ?? workerDefaults.runRetryDelay);
  }

  #start(held: HeldJob): void {
    this.#leases.watch();
    if (!held.suspect && !wasTried(held.job)) return this.#executor?.run(held);
    this.#prepare(held).then(
      (ours) => (ours && held.state === 'running' ? this.#executor?.run(held) : this.#dispatcher.finish(held, undefined)),
      (error: unknown) => {
        this.report(error as Error);
        held.state = 'released';
        this.#dispatcher.finish(held, undefined);
      },
    );
  }

  /** What has to be done before a job with a past may start; false when its lease is lost. */
  async #prepare(held: HeldJob): Promise<boolean> {
    // Someone took a suspect before and disappeared at once: Redis has to know that it starts before it does.
    if (held.suspect && !(await this.#leases.confirm(held))) return false;
    if (wasTried(held.job)) await recall(this.jobs, held, (error) => this.report(error));
    return true;
  }

  #replied(reply: SettleReply): void {
    this.#scheduler.noteDue(reply.dueAt);
    if (reply.hasFlows) this.#scheduler.noteFlows();
    if (reply.letters.length > 0) this.jobs.courier.deliver(reply.letters).catch((error: unknown) => this.#over || this.report(error as Error));
  }

  #unpack(reply: HandedOut): HeldJob[] {
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
    if (reply.waitMs === 0) this.#announcer.drained();
    this.#rest.after(reply);
  }

  #look(woken: boolean): void {
    if (this.#paused || this.closing) return;
    if (this.#active) this.#dispatcher.wake(woken);
    else if (this.#running) this.#enter();
  }

  readonly #onReady = (): void => this.#look(false);

  #newExecutor({ run, wantsSignal }: PreparedHandler): Executor {
    return new Executor(this.#announcer.within(run), wantsSignal, this.#terms, this.#announcer, this.#announcer.upon((held, ended) => this.#dispatcher.finish(held, ended)), this.#undertaker);
  }

  #newExchange(): Exchange {
    return new Exchange(this.connection, this.keys, this.#exchangeTerms, this.#terms.worker, {
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
      renewing: (jobs, renew) => this.#announcer.renewing(jobs, renew),
      renewed: (ids) => this.#announcer.renewed(ids),
      lost: (held) => this.#announcer.lost(held),
      failed: (ids, error) => this.#announcer.renewalFailed(ids, error),
    });
  }

  #newScheduler(options: typeof workerDefaults & WorkerOptions): Scheduler {
    return new Scheduler({
      jobs: this.jobs,
      maxStalledCount: options.maxStalledCount,
      stalledIntervalMs: Math.min(options.stalledInterval, options.lockDuration),
      leaseMs: options.lockDuration,
      skipStalledCheck: options.skipStalledCheck ?? false,
      keepFailed: this.#terms.failed.count,
      completedAgeMs: this.#terms.completed.ageMs,
      failedAgeMs: this.#terms.failed.ageMs,
      retryDelayMs: options.runRetryDelay,
      repeatStrategy: options.settings?.repeatStrategy,
      recovering: (recover) => this.#announcer.recovering(recover),
      stalled: (job) => {
        if (job.started) this.#announcer.stalled(job.id);
        if (job.dead) void this.#announceDead(job.id);
      },
      failed: (error) => this.report(error),
    });
  }

  #newRest(options: typeof workerDefaults & WorkerOptions): Rest {
    return new Rest({
      connection: this.connection,
      keys: this.keys,
      clientName: clientName(this.keys, this.opts.name === undefined ? '' : `:w:${this.opts.name}`),
      waitMs: options.drainDelay * 1000,
      longestLimitMs: options.maximumRateLimitDelay,
      retryDelayMs: options.runRetryDelay,
      isOpen: () => this.#active && !this.#paused && !this.closing,
      slots: this.#dispatcher,
      holder: { worker: this.#terms.worker, leaseMs: options.lockDuration },
      isLimited: options.limiter !== undefined,
      look: (woken) => this.#look(woken),
      due: (at) => this.#scheduler.noteDue(at),
      failed: (error) => this.report(error),
    });
  }

  #newAnnouncer(): Announcer {
    const stage: Stage = {
      name: this.name,
      logger: this.logger,
      listenerCount: (event) => this.listenerCount(event),
      emit: (event, ...args) => void this.emitSafely(event, ...args),
      report: (error) => this.report(error),
      forget: (held) => this.#dispatcher.forget(held),
    };
    return this.#telemetry ? new TracingAnnouncer(stage, this.#telemetry) : new Announcer(stage);
  }

  #tellTelemetry(): WorkerTelemetry | undefined {
    const { telemetry, name } = this.opts;
    if (!telemetry) return undefined;
    const worker = { [TelemetryAttributes.WorkerId]: this.id, [TelemetryAttributes.WorkerName]: name };
    traceMethods(this, telemetry, spansOfWorker, worker);
    return { telemetry, meter: telemetry.meter && new JobMeter(telemetry.meter, this.name), worker };
  }

  #newByHand(): ByHand {
    const workbench: Workbench = {
      jobs: this.jobs,
      terms: this.#terms,
      dispatcher: this.#dispatcher,
      handler: this.#handler,
      newExchange: () => this.#newExchange(),
      unpack: (reply) => this.#unpack(reply),
      confirm: (held) => this.#leases.confirm(held),
      waitForWork: (ms) => this.#rest.waker.wait(ms),
      isClosing: () => this.isClosing(),
      isOver: () => this.#over,
      listenerCount: (event) => this.listenerCount(event),
      emit: (event, ...args) => void this.emitSafely(event, ...args),
    };
    return this.#telemetry ? new TracingByHand(workbench, this.name, this.#telemetry) : new ByHand(workbench);
  }

  /** A job died while nobody held it. */
  async #announceDead(id: string): Promise<void> {
    const job = await this.jobs.fetch([id]).then(([stored]) => stored && readJob(this, stored), () => undefined);
    this.#announcer.failed(job, new Error('job stalled more than allowable limit'));
    await this.#undertaker?.collect().catch((error: unknown) => this.report(error as Error));
  }
}
