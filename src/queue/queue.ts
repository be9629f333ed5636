import { randomUUID } from 'node:crypto';
import { MAX_DELAY_MS } from '../core/backoff.js';
import {
  callable, checkArguments, checkId, checkValue, flag, idCheck, listOf, oneOf, shape, wholeNumber, type Check,
} from '../core/check.js';
import { StateError } from '../core/errors.js';
import { IdMaker } from '../core/ids.js';
import { durabilityCheck, type Durability } from '../core/durability.js';
import { defaultJobOptions, type DefaultJobOptions, type JobsOptions } from '../core/job-options.js';
import { schemasCheck, validate, type JobSchemas } from '../core/schema.js';
import type { AdvancedOptions } from './bullmq-types.js';
import type { StateSet } from '../core/states.js';
import { keyNames } from '../redis/keys.js';
import { whileInSight } from '../redis/lost-sight.js';
import { pause } from '../redis/scripts/pause.js';
import { integer } from '../redis/script.js';
import { traceMethods } from '../telemetry/trace-methods.js';
import { redriveDeadLetters, type RedriveOptions } from './dead-letters.js';
import { QueueHolder } from './queue-holder.js';
import { checkNewJobs, draftJob, type Draft, type DraftTerms, type NewJob } from './draft.js';
import { addAnyway, Enqueuer } from './enqueuer.js';
import { openFinishWaiter, type AddAndWaitOptions, type FinishWaiter } from './finish-waiter.js';
import { Job, type JobHolder, type JobProgress } from './job.js';
import { openJobScheduler, type JobScheduler } from './job-scheduler.js';
import type { AnyJobOf, DataOf, JobOf, NameOf, ResultOf } from './job-types.js';
import { cleanSet, dropAll, promoteAll, redriveAll, removeOlder } from './maintenance.js';
import { adoptStanding, enterChildren, takenPlaces } from './adoption.js';
import { forgetOrphans } from './books.js';
import { baseChecks, nestChecks, type QueueBaseOptions } from './queue-base.js';
import { PlainJobs } from './plain-jobs.js';
import type { ConnectionOptions } from '../redis/options.js';
import { JobStore, pageSize } from './job-store.js';
import { removeOrphans } from './orphaned-jobs.js';
import { removeJob } from './remove-tree.js';
import { tracedAdd, tracedAddBulk } from './traced-add.js';
import { spansOfQueue } from './traced-methods.js';
import { QueueLimits } from './queue-limits.js';
import { readJob } from './read-job.js';
import { Schedules, type ScheduleTemplate, type ScheduleView } from './schedules.js';
import type { ScheduleOptions } from '../core/cron.js';

export interface QueueOptions<Connected = ConnectionOptions> extends QueueBaseOptions<Connected> {
  /** Options for every job that does not give its own. */
  defaultJobOptions?: DefaultJobOptions;
  /** `events.maxLen`: about how many events the stream keeps, 0 for no events at all. Default 10,000. */
  streams?: { events?: { maxLen?: number } };
  /** How many jobs may wait for Redis in this process before `add` rejects at once. Default 100,000. */
  maxBuffered?: number;
  /** When `add` and `addBulk` count as done; what is confirmed too little rejects DurabilityError. Default `memory`. */
  durability?: Durability;
  /** Accepted for BullMQ's sake. */
  skipMetasUpdate?: boolean;
  /**
   * `repeatStrategy` says when schedules with a pattern run first; workers need it as well. Default: the cron dialect.
   * `backoffStrategy` is asked when a job fails through a handle of this queue.
   */
  settings?: AdvancedOptions;
  /** A Standard Schema (zod, valibot, …) per job name: `add` rejects SCHEMA_MISMATCH for data that does not satisfy it. */
  schemas?: JobSchemas;
}

/** The checks of the options above. A flow producer is given them as well, by who makes it for a queue. */
export const queueChecks: Record<string, Check> = {
  ...baseChecks,
  ...nestChecks,
  defaultJobOptions,
  streams: shape({ events: shape({ maxLen: wholeNumber(0, 2 ** 31, 'events') }) }),
  maxBuffered: wholeNumber(1, 2 ** 31, 'jobs'),
  durability: durabilityCheck,
  skipMetasUpdate: flag,
  settings: shape({ repeatStrategy: callable, backoffStrategy: callable, repeatKeyHashAlgorithm: oneOf('md5', 'sha1', 'sha256', 'sha512') }),
  schemas: schemasCheck,
};

/** How `obliterate` goes about it. */
export interface ObliterateOpts {
  /** Even when jobs are active. Default false. */
  force?: boolean;
  /** Accepted for BullMQ's sake: how many keys to remove at a time is Drover's concern. */
  count?: number;
}

/** What a queue tells its listeners. */
export interface QueueListener<Jobs = any, ResultType = any, NameType extends string = string> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
  error: (error: Error) => void;
  /** A job was added by this queue object. */
  waiting: (job: AnyJobOf<Jobs, ResultType, NameType>) => void;
  progress: (jobId: string, progress: JobProgress) => void;
  removed: (jobId: string) => void;
  cleaned: (jobIds: string[], type: string) => void;
  paused: () => void;
  resumed: () => void;
  'ioredis:close': () => void;
}

const cleanable = ['completed', 'failed', 'wait', 'waiting', 'active', 'paused', 'prioritized', 'delayed', 'waiting-children'] as const;

/** The producer's side of a queue: adds jobs, reads and manages them. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- BullMQ's defaults; what it derives from the first three may be spelled out, as editors do
export class Queue<Jobs = any, ResultType = any, NameType extends string = string, _Data = any, _Result = any, _Name extends string = string>
  extends QueueLimits<AnyJobOf<Jobs, ResultType, NameType>> {
  declare readonly opts: QueueOptions;
  /** Tells this queue object from others. */
  readonly token = randomUUID();
  readonly #ids = new IdMaker();
  readonly #plainJobs = new PlainJobs();
  readonly #enqueuer: Enqueuer;
  /** How parents are told of children that this queue object adds. */
  readonly #adding: JobStore;
  readonly #schedules: Schedules;
  /** @internal */
  readonly holder: JobHolder;
  readonly #defaults: JobsOptions | undefined;
  #ends: FinishWaiter | undefined;
  #jobScheduler: JobScheduler | undefined;

  constructor(name: string, opts: QueueOptions) {
    super(name, opts, queueChecks);
    this.#defaults = opts.defaultJobOptions;
    const confirming = this.openConfirming(opts.durability);
    this.#enqueuer = new Enqueuer(confirming, this.keys, opts.maxBuffered);
    this.#adding = confirming === this.connection ? this.jobs : new JobStore(confirming, this.keys);
    this.#schedules = new Schedules(this, opts);
    this.holder = new QueueHolder(this.jobs, opts.settings?.backoffStrategy);
    if (opts.telemetry) traceMethods(this, opts.telemetry, spansOfQueue);
    const maxLen = opts.streams?.events?.maxLen;
    if (maxLen !== undefined) this.storeSettings({ maxEvents: maxLen }).catch((error: Error) => this.report(error));
  }

  /** Typed listeners; see {@link QueueListener}. */
  override on<Event extends keyof QueueListener<Jobs, ResultType, NameType>>(event: Event, listener: QueueListener<Jobs, ResultType, NameType>[Event]): this {
    return super.on(event, listener);
  }

  override once<Event extends keyof QueueListener<Jobs, ResultType, NameType>>(event: Event, listener: QueueListener<Jobs, ResultType, NameType>[Event]): this {
    return super.once(event, listener);
  }

  override off<Event extends keyof QueueListener<Jobs, ResultType, NameType>>(event: Event, listener: QueueListener<Jobs, ResultType, NameType>[Event]): this {
    return super.off(event, listener);
  }

  /** Typed as the listeners are. */
  override emit<Event extends keyof QueueListener<Jobs, ResultType, NameType>>(event: Event, ...args: Parameters<QueueListener<Jobs, ResultType, NameType>[Event]>): boolean {
    return super.emit(event, ...args);
  }

  /** @internal */
  get dataSchemas(): JobSchemas | undefined {
    return this.opts.schemas;
  }

  get defaultJobOptions(): JobsOptions {
    return this.#defaults ?? {};
  }

  /** The same under BullMQ's other name. */
  get jobsOpts(): JobsOptions {
    return this.defaultJobOptions;
  }

  /** The version that {@link metaValues} names. */
  async getVersion(): Promise<string | null> {
    return String(this.metaValues['version']);
  }

  /** What dashboards read to know the library. */
  get metaValues(): Record<string, string | number> {
    return { version: 'bullmq:6.7.0', library: 'drover', 'opts.maxLenEvents': this.opts.streams?.events?.maxLen ?? 10_000 };
  }

  /**
   * Adds one job. Calls of one tick travel together. Resolves once Redis holds the job.
   *
   * When the id or deduplication id is taken, resolves with the job that holds it and `deduplicated: true`.
   * Rejects InvalidInputError before anything is written, PARENT_NOT_FOUND when there is no such parent; RedisError says
   * whether the outcome is known.
   */
  async add<Name extends NameOf<Jobs, NameType>>(
    name: Name, data: DataOf<Jobs, Name>, opts?: JobsOptions,
  ): Promise<JobOf<Jobs, ResultType, Name>> {
    this.assertOpen();
    const { schemas, telemetry } = this.opts;
    if (schemas) await validate(schemas, name, data, 'data');
    const added = telemetry
      ? await tracedAdd(telemetry, this.name, { name, data, opts }, (traced) => this.#add({ name, data, opts: traced }))
      : await this.#add({ name, data, opts });
    return added as JobOf<Jobs, ResultType, Name>;
  }

  /**
   * Adds any number of jobs, 1,000 a call. All are checked before the first is sent. Each is added whole or not at all.
   *
   * Resolves with a handle per job, in order; `deduplicated` tells those that stood there already.
   */
  async addBulk<Name extends NameOf<Jobs, NameType>>(
    jobs: { name: Name; data: DataOf<Jobs, Name>; opts?: JobsOptions }[],
  ): Promise<JobOf<Jobs, ResultType, Name>[]> {
    this.assertOpen();
    checkNewJobs(jobs);
    const { schemas, telemetry } = this.opts;
    if (schemas) for (const [i, { name, data }] of jobs.entries()) await validate(schemas, name, data, `jobs[${i}].data`);
    const added = telemetry
      ? await tracedAddBulk(telemetry, this.name, jobs, (traced) => this.#addAll(traced)) : await this.#addAll(jobs);
    return added as JobOf<Jobs, ResultType, Name>[];
  }

  /**
   * Adds one job, waits until it has ended and resolves with its result; rejects with the reason of its failure.
   * When the id or deduplication id is taken, waits for the job that holds it. Throws what `add` and `QueueEvents.waitFor` do.
   */
  async addAndWait<Name extends NameOf<Jobs, NameType>>(
    name: Name, data: DataOf<Jobs, Name>, opts: Omit<JobsOptions, 'timeout'> & AddAndWaitOptions = {},
  ): Promise<ResultOf<Jobs, ResultType, Name>> {
    this.assertOpen();
    const { timeout, signal, queueEvents, ...jobOpts } = opts;
    const ends = queueEvents ?? (this.#ends ??= openFinishWaiter(this.name, this.opts, (error) => this.report(error)));
    return (await ends.waitForAdded(() => this.add(name, data, jobOpts), { timeoutMs: timeout, signal })) as ResultOf<Jobs, ResultType, Name>;
  }

  /** Stops handing out jobs to any worker. Running jobs go on. */
  async pause(): Promise<void> {
    await this.connection.run(pause, this.keys, { paused: true });
    this.emitSafely('paused');
  }

  /** Hands out jobs again. */
  async resume(): Promise<void> {
    await this.connection.run(pause, this.keys, { paused: false });
    this.emitSafely('resumed');
  }

  /**
   * Takes a job out of the queue, and its children and theirs unless `removeChildren` is false: 1 when it was removed, 0
   * when there is none or a worker holds it. Throws JOB_LOCKED when a worker holds a descendant.
   */
  async remove(id: string, { removeChildren = true }: { removeChildren?: boolean } = {}): Promise<number> {
    checkId(id, 'jobId');
    const removal = await removeJob(this.jobs, id, removeChildren);
    if (removal === 'removed') this.emitSafely('removed', id);
    return removal === 'removed' ? 1 : 0;
  }

  async updateJobProgress(id: string, progress: JobProgress): Promise<void> {
    checkId(id, 'jobId');
    await this.jobs.updateProgress(id, progress);
    this.emitSafely('progress', id, progress);
  }

  async addJobLog(id: string, row: string, keepLogs = -1): Promise<number> {
    checkId(id, 'jobId');
    checkValue(keepLogs, wholeNumber(-1, 2 ** 31), 'keepLogs');
    return this.jobs.log(id, row, keepLogs);
  }

  /** Removes all waiting jobs, and with `delayed` also the delayed ones, 1,000 a step. Running jobs go on. */
  async drain(delayed = false): Promise<void> {
    await dropAll(this.jobs, 'wait', 'removed');
    if (delayed) await dropAll(this.jobs, 'delayed', 'removed');
  }

  /**
   * Removes jobs older than `grace` ms, at most `limit` (0: no limit), and answers their ids.
   * Finished jobs age from their end, the others from their creation. Active jobs are never removed.
   */
  async clean(grace: number, limit: number, type: (typeof cleanable)[number] = 'completed'): Promise<string[]> {
    checkValue(grace, wholeNumber(0, MAX_DELAY_MS, 'milliseconds'), 'grace');
    checkValue(limit, wholeNumber(0, 2 ** 53 - 1), 'limit');
    checkValue(type, oneOf(...cleanable), 'type');
    const most = limit === 0 ? Infinity : limit;
    const ids = type === 'completed' || type === 'failed'
      ? await cleanSet(this.jobs, type, grace, most)
      : await removeOlder(this, type, (await this.connection.serverNow()) - grace, most);
    this.emitSafely('cleaned', ids, type);
    return ids;
  }

  /** Removes the queue and everything in it. It is paused first. Throws QUEUE_HAS_ACTIVE_JOBS unless `force`. */
  async obliterate(opts: ObliterateOpts = {}): Promise<void> {
    checkArguments(opts, { force: flag, count: wholeNumber(1, 2 ** 31) });
    await this.pause();
    await this.#assertNoneActive(opts.force ?? false);
    for (const set of ['wait', 'delayed', 'parents', 'completed', 'failed', 'active'] satisfies StateSet[]) await dropAll(this.jobs, set, '');
    while ((await forgetOrphans(this.jobs)) > 0);
    await this.connection.command('unlink', keyNames.map((name) => this.keys.key(name)), 'obliterate a queue');
  }

  /** Puts failed (or completed) jobs that ended by `timestamp` back into `waiting`, the oldest first, 1,000 a step. */
  async retryJobs(opts: { count?: number; state?: 'completed' | 'failed'; timestamp?: number } = {}): Promise<void> {
    checkArguments(opts, { count: wholeNumber(1, 2 ** 31), state: oneOf('completed', 'failed'), timestamp: wholeNumber(0, 2 ** 53 - 1) });
    await redriveAll(this.jobs, opts.state ?? 'failed', { till: opts.timestamp ?? (await this.connection.serverNow()), most: Infinity, step: opts.count });
  }

  /**
   * Sends dead letters back to where they came from: in a dead-letter queue to the queues they failed in, otherwise
   * failed jobs back into `waiting`. Attempts start anew. Answers how many were moved.
   */
  async redrive(opts: RedriveOptions = {}): Promise<number> {
    checkArguments(opts, { ids: listOf(idCheck, 'ids'), count: wholeNumber(1, 2 ** 31) });
    return redriveDeadLetters(this, opts);
  }

  /** Lets all delayed jobs run now, 1,000 a step. */
  async promoteJobs(opts: { count?: number } = {}): Promise<void> {
    checkArguments(opts, { count: wholeNumber(1, 2 ** 31) });
    await promoteAll(this.jobs, opts.count);
  }

  /** Cuts the event stream to about `maxLength` entries; answers how many went. */
  async trimEvents(maxLength: number): Promise<number> {
    checkValue(maxLength, wholeNumber(0, 2 ** 53 - 1, 'entries'), 'maxLength');
    return integer(await this.connection.command('xtrim', [this.keys.key('events'), 'MAXLEN', maxLength], 'trim events'));
  }

  async removeDeduplicationKey(id: string): Promise<number> {
    checkId(id, 'deduplicationId');
    return integer(await this.connection.command('hdel', [this.keys.key('dedup'), id], 'free a deduplication id'));
  }

  /** The same under BullMQ's older name. */
  removeDebounceKey(id: string): Promise<number> {
    return this.removeDeduplicationKey(id);
  }

  /** Removes what BullMQ 2 and earlier left behind. Drover never writes it, so it answers 0 at once. */
  async removeDeprecatedPriorityKey(): Promise<number> {
    return 0;
  }

  /** Removes jobs that are in no state, `count` looked at a step and at most `limit` (0: no limit) in all. */
  async removeOrphanedJobs(count = pageSize, limit = 0): Promise<number> {
    checkValue(count, wholeNumber(1, pageSize), 'count');
    checkValue(limit, wholeNumber(0, 2 ** 53 - 1), 'limit');
    return removeOrphans(this.jobs, count, limit === 0 ? Infinity : limit);
  }

  /**
   * Creates or changes a schedule: jobs that repeat by a cron `pattern` or `every` so many ms. One run per slot,
   * however many processes upsert and fire. Resolves with a handle on the next run. Rejects as `add` does.
   */
  async upsertJobScheduler(
    id: string, repeat: ScheduleOptions, template: ScheduleTemplate = {},
  ): Promise<AnyJobOf<Jobs, ResultType, NameType>> {
    return (await this.#schedules.upsert(id, repeat, template, this.#defaults)) as AnyJobOf<Jobs, ResultType, NameType>;
  }

  async getJobScheduler(id: string): Promise<ScheduleView | undefined> {
    return this.#schedules.get(id);
  }

  /** Schedules by their next slot. */
  async getJobSchedulers(start = 0, end = -1, asc = false): Promise<ScheduleView[]> {
    return this.#schedules.list(start, end, asc);
  }

  getJobSchedulersCount(): Promise<number> {
    return this.#schedules.count();
  }

  /** Ends a schedule; runs that are in the queue already stay. False when there is none of that id. */
  async removeJobScheduler(id: string): Promise<boolean> {
    return this.#schedules.remove(id);
  }

  /** The same under BullMQ's class: always the same one, and closed with this queue. */
  get jobScheduler(): Promise<JobScheduler> {
    return Promise.resolve((this.#jobScheduler ??= openJobScheduler(this)));
  }

  protected override async shutdown(): Promise<void> {
    await Promise.all([this.#ends?.close(), this.#jobScheduler?.close()]);
    await whileInSight(this.connection, this.#enqueuer.drained());
  }

  readonly #makeId = (): string => this.#ids.next();

  #terms(): DraftTerms {
    return { defaults: this.#defaults, makeId: this.#makeId, now: Math.round(this.connection.now), plainJobs: this.#plainJobs };
  }

  async #add(job: NewJob): Promise<Job> {
    const draft = draftJob(job, this.#terms());
    const standing = draft.opts.parent ? await this.#addChildren([draft]) : await this.#enqueuer.add([draft.request]);
    return (await this.#answer([this.#handle(draft, job)], standing))[0] as Job;
  }

  async #addAll(jobs: readonly NewJob[]): Promise<Job[]> {
    const terms = this.#terms();
    const drafts = jobs.map((job, i) => draftJob(job, terms, i));
    const adding = drafts.some(({ opts }) => opts.parent)
      ? this.#addChildren(drafts) : this.#enqueuer.add(drafts.map((draft) => draft.request));
    const [standing, handles] = await Promise.all([adding, this.#handles(drafts, jobs)]);
    return this.#answer(handles, standing);
  }

  /** Handles for what is being added. A turn later: by then the call has left, and they are made while Redis stores the jobs. */
  async #handles(drafts: readonly Draft[], jobs: readonly NewJob[]): Promise<Job[]> {
    await Promise.resolve();
    return drafts.map((draft, i) => this.#handle(draft, jobs[i] as NewJob));
  }

  /** The handles once their jobs are added. A job that stood in the place of a new one is shown instead of it. */
  async #answer(handles: Job[], standing: readonly string[]): Promise<Job[]> {
    if (standing.some((id) => id !== '')) await this.#showStanding(handles, standing);
    if (this.listenerCount('waiting') > 0) for (const job of handles) this.emitSafely('waiting', job);
    return handles;
  }

  /** What stood in the way is read from Redis. */
  async #showStanding(handles: Job[], standing: readonly string[]): Promise<void> {
    const taken = standing.map((id, i) => ({ id, i })).filter(({ id }) => id !== '');
    const found = new Map((await this.jobs.fetch(taken.map(({ id }) => id))).map((job) => [job.id, job]));
    for (const { id, i } of taken) {
      const stored = found.get(id);
      const handle = stored ? readJob(this, stored) : handles[i];
      if (handle) handles[i] = Object.assign(handle, { id, deduplicated: true });
    }
  }

  /** Their parents expect them before they are added. */
  async #addChildren(drafts: Draft[]): Promise<readonly string[]> {
    await enterChildren(this.#adding, drafts);
    const { standing, unconfirmed } = await addAnyway(this.#enqueuer, drafts.map((draft) => draft.request));
    await adoptStanding(this.jobs, takenPlaces(drafts, standing));
    if (unconfirmed) throw unconfirmed;
    return standing;
  }

  #handle(draft: Draft, job: NewJob): Job {
    const handle = new Job(this, job.name, job.data, draft.opts, draft.request.id);
    handle.timestamp = draft.timestamp;
    return handle;
  }

  async #assertNoneActive(force: boolean): Promise<void> {
    if (!force && (await this.getActiveCount()) > 0) {
      throw new StateError('QUEUE_HAS_ACTIVE_JOBS', { message: 'Cannot obliterate queue with active jobs', bare: true });
    }
  }
}
