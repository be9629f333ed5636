import { MAX_DELAY_MS } from '../core/backoff.js';
import { checkId, checkOptions, checkValue, flag, oneOf, plainObject, shape, wholeNumber, type Check } from '../core/check.js';
import { StateError } from '../core/errors.js';
import { IdMaker } from '../core/ids.js';
import { checkDefaultJobOptions, type DefaultJobOptions, type JobsOptions } from '../core/job-options.js';
import type { StateSet } from '../core/states.js';
import { keyNames } from '../redis/keys.js';
import { pause } from '../redis/scripts/pause.js';
import { integer } from '../redis/script.js';
import { checkNewJobs, draftJob, type Draft, type NewJob } from './draft.js';
import { Enqueuer } from './enqueuer.js';
import { Job } from './job.js';
import { cleanSet, dropAll, promoteAll, redriveAll, removeOlder } from './maintenance.js';
import { baseChecks, type QueueBaseOptions } from './queue-base.js';
import { QueueGetters } from './queue-getters.js';
import { readJob } from './read-job.js';
import { Schedules, type ScheduleTemplate, type ScheduleView } from './schedules.js';
import type { ScheduleOptions } from '../core/cron.js';

export interface QueueOptions extends QueueBaseOptions {
  /** Options for every job that does not give its own. */
  defaultJobOptions?: DefaultJobOptions;
  /** `events.maxLen`: about how many events the stream keeps, 0 for no events at all. Default 10,000. */
  streams?: { events: { maxLen: number } };
  /** How many jobs may wait for Redis in this process before `add` rejects at once. Default 100,000. */
  maxBuffered?: number;
  /** Accepted for BullMQ's sake. */
  skipMetasUpdate?: boolean;
  settings?: object;
}

const checks: Record<string, Check> = {
  ...baseChecks,
  defaultJobOptions: plainObject,
  streams: shape({ events: shape({ maxLen: wholeNumber(0, 2 ** 31, 'events') }) }),
  maxBuffered: wholeNumber(1, 2 ** 31, 'jobs'),
  skipMetasUpdate: flag,
  settings: plainObject,
};

const cleanable = ['completed', 'failed', 'wait', 'waiting', 'active', 'paused', 'prioritized', 'delayed'] as const;

/** The producer's side of a queue: adds jobs, reads and manages them. */
export class Queue<DataType = any, ResultType = any, NameType extends string = string> extends QueueGetters { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
  declare readonly opts: QueueOptions;
  readonly #ids = new IdMaker();
  readonly #enqueuer: Enqueuer;
  readonly #schedules: Schedules;
  readonly #defaults: JobsOptions | undefined;

  constructor(name: string, opts: QueueOptions) {
    super(name, opts, checks);
    const { defaultJobOptions } = opts;
    if (defaultJobOptions !== undefined) checkDefaultJobOptions(defaultJobOptions, 'defaultJobOptions');
    this.#defaults = defaultJobOptions;
    this.#enqueuer = new Enqueuer(this.connection, this.keys, opts.maxBuffered);
    this.#schedules = new Schedules(this);
    const maxLen = opts.streams?.events.maxLen;
    if (maxLen !== undefined) this.#storeSettings({ maxEvents: maxLen }).catch((error: Error) => this.report(error));
  }

  get defaultJobOptions(): JobsOptions {
    return this.#defaults ?? {};
  }

  /** What dashboards read to know the library. */
  get metaValues(): Record<string, string | number> {
    return { version: 'bullmq:6.7.0', library: 'drover', 'opts.maxLenEvents': this.opts.streams?.events.maxLen ?? 10_000 };
  }

  /**
   * Adds one job. Calls of one tick travel together. Resolves once Redis holds the job.
   *
   * When the id or deduplication id is taken, resolves with the job that holds it and `deduplicated: true`.
   * Rejects InvalidInputError before anything is written; RedisError says whether the outcome is known.
   */
  async add(name: NameType, data: DataType, opts?: JobsOptions): Promise<Job<DataType, ResultType, NameType>> {
    this.assertOpen();
    const draft = draftJob({ name, data, opts }, this.#defaults, this.#makeId, this.#now());
    const [standing] = await this.#enqueuer.add([draft.request]);
    return (await this.#handles([draft], [{ name, data }], [standing ?? '']))[0] as Job<DataType, ResultType, NameType>;
  }

  /**
   * Adds any number of jobs, 1,000 a call. All are checked before the first is sent. Each is added whole or not at all.
   *
   * Resolves with a handle per job, in order; `deduplicated` tells those that stood there already.
   */
  async addBulk(jobs: { name: NameType; data: DataType; opts?: JobsOptions }[]): Promise<Job<DataType, ResultType, NameType>[]> {
    this.assertOpen();
    checkNewJobs(jobs);
    const now = this.#now();
    const drafts = jobs.map((job, i) => draftJob(job, this.#defaults, this.#makeId, now, `jobs[${i}].`));
    const standing = await this.#enqueuer.add(drafts.map((draft) => draft.request));
    return (await this.#handles(drafts, jobs, standing)) as Job<DataType, ResultType, NameType>[];
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

  /** Takes a job out of the queue: 1 when it was removed, 0 when there is none or a worker holds it. */
  async remove(id: string, _opts: { removeChildren?: boolean } = {}): Promise<number> {
    const [removal] = await this.jobs.remove([id]);
    if (removal === 'removed') this.emitSafely('removed', id);
    return removal === 'removed' ? 1 : 0;
  }

  updateJobProgress(id: string, progress: unknown): Promise<void> {
    return this.jobs.updateProgress(id, progress);
  }

  addJobLog(id: string, row: string, keepLogs = -1): Promise<number> {
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
      : await removeOlder(this, type, this.#now() - grace, most);
    this.emitSafely('cleaned', ids, type);
    return ids;
  }

  /** Removes the queue and everything in it. It is paused first. Throws QUEUE_HAS_ACTIVE_JOBS unless `force`. */
  async obliterate(opts: { force?: boolean; count?: number } = {}): Promise<void> {
    checkOptions(opts, { force: flag, count: wholeNumber(1, 2 ** 31) }, '');
    await this.pause();
    await this.#assertNoneActive(opts.force ?? false);
    for (const set of ['wait', 'delayed', 'parents', 'completed', 'failed', 'active'] satisfies StateSet[]) await dropAll(this.jobs, set, '');
    await this.connection.command('unlink', keyNames.map((name) => this.keys.key(name)), 'obliterate a queue');
  }

  /** Puts failed (or completed) jobs that ended by `timestamp` back into `waiting`, the oldest first, 1,000 a step. */
  async retryJobs(opts: { count?: number; state?: 'completed' | 'failed'; timestamp?: number } = {}): Promise<void> {
    checkOptions(opts, { count: wholeNumber(1, 2 ** 31), state: oneOf('completed', 'failed'), timestamp: wholeNumber(0, 2 ** 53 - 1) }, '');
    await redriveAll(this.jobs, opts.state ?? 'failed', { till: opts.timestamp ?? this.#now(), most: Infinity, step: opts.count });
  }

  /**
   * Sends dead letters back to where they came from: in a dead-letter queue to the queues they failed in, otherwise
   * failed jobs back into `waiting`. Attempts start anew. Answers how many were moved.
   */
  async redrive(opts: { ids?: string[]; count?: number } = {}): Promise<number> {
    checkOptions(opts, { ids: (value) => (Array.isArray(value) ? undefined : 'a list of ids'), count: wholeNumber(1, 2 ** 31) }, '');
    return redriveAll(this.jobs, 'failed', { till: undefined, most: opts.count ?? Infinity, ids: opts.ids, resetAttempts: true });
  }

  /** Lets all delayed jobs run now, 1,000 a step. */
  async promoteJobs(opts: { count?: number } = {}): Promise<void> {
    await promoteAll(this.jobs, opts.count);
  }

  /** Cuts the event stream to about `maxLength` entries; answers how many went. */
  async trimEvents(maxLength: number): Promise<number> {
    checkValue(maxLength, wholeNumber(0, 2 ** 53 - 1, 'entries'), 'maxLength');
    return integer(await this.connection.command('xtrim', [this.keys.key('events'), 'MAXLEN', maxLength], 'trim events'));
  }

  /** At most `concurrency` jobs are active at once over all workers. */
  async setGlobalConcurrency(concurrency: number): Promise<number> {
    checkValue(concurrency, wholeNumber(1, 2 ** 31), 'concurrency');
    await this.#storeSettings({ concurrency });
    return 1;
  }

  async removeGlobalConcurrency(): Promise<number> {
    return this.#dropSettings('concurrency');
  }

  /** At most `max` jobs start in any `duration` ms over all workers, whatever their own limiters say. */
  async setGlobalRateLimit(max: number, duration: number): Promise<number> {
    checkValue(max, wholeNumber(1, 2 ** 31), 'max');
    checkValue(duration, wholeNumber(1, MAX_DELAY_MS, 'milliseconds'), 'duration');
    await this.#storeSettings({ max, duration });
    return 1;
  }

  async removeGlobalRateLimit(): Promise<number> {
    return this.#dropSettings('max', 'duration');
  }

  /** No job starts for `ms` milliseconds, on any worker. */
  async rateLimit(ms: number): Promise<void> {
    checkValue(ms, wholeNumber(0, MAX_DELAY_MS, 'milliseconds'), 'ms');
    await this.#storeSettings({ limitedTill: Math.ceil(this.#now() + ms) });
  }

  /** Ends a limit set with {@link rateLimit}, and forgets the starts that count against the others. */
  async removeRateLimitKey(): Promise<number> {
    const removed = await this.#dropSettings('limitedTill', 'rateCount');
    await this.connection.command('del', [this.keys.key('rate')], 'remove the rate limit');
    return Math.min(1, removed);
  }

  async removeDeduplicationKey(id: string): Promise<number> {
    return integer(await this.connection.command('hdel', [this.keys.key('dedup'), id], 'free a deduplication id'));
  }

  /**
   * Creates or changes a schedule: jobs that repeat by a cron `pattern` or `every` so many ms. One run per slot,
   * however many processes upsert and fire. Resolves with a handle on the next run.
   */
  async upsertJobScheduler(
    id: string, repeat: ScheduleOptions, template: ScheduleTemplate = {},
  ): Promise<Job<DataType, ResultType, NameType>> {
    checkId(id, 'jobSchedulerId');
    return (await this.#schedules.upsert(id, repeat, template, this.#defaults)) as Job<DataType, ResultType, NameType>;
  }

  getJobScheduler(id: string): Promise<ScheduleView | undefined> {
    return this.#schedules.get(id);
  }

  /** Schedules by their next slot. */
  getJobSchedulers(start = 0, end = -1, asc = false): Promise<ScheduleView[]> {
    return this.#schedules.list(start, end, asc);
  }

  getJobSchedulersCount(): Promise<number> {
    return this.#schedules.count();
  }

  /** Ends a schedule; runs that are in the queue already stay. False when there is none of that id. */
  removeJobScheduler(id: string): Promise<boolean> {
    return this.#schedules.remove(id);
  }

  protected override async shutdown(): Promise<void> {
    await this.#enqueuer.drained();
  }

  readonly #makeId = (): string => this.#ids.next();

  #now(): number {
    return Math.round(this.connection.now);
  }

  /** Handles for what was added, and for what stood in the way, read from Redis. */
  async #handles(drafts: Draft[], jobs: readonly NewJob[], standing: string[]): Promise<Job[]> {
    const now = this.#now();
    const handles = drafts.map((draft, i) => this.#handle(draft, jobs[i] as NewJob, now));
    const taken = standing.map((id, i) => ({ id, i })).filter(({ id }) => id !== '');
    if (taken.length > 0) {
      const found = new Map((await this.jobs.fetch(taken.map(({ id }) => id))).map((job) => [job.id, job]));
      for (const { id, i } of taken) {
        const stored = found.get(id);
        const handle = stored ? readJob(this, stored) : handles[i];
        if (handle) handles[i] = Object.assign(handle, { id, deduplicated: true });
      }
    }
    if (this.listenerCount('waiting') > 0) for (const job of handles) this.emitSafely('waiting', job);
    return handles;
  }

  #handle(draft: Draft, job: NewJob, now: number): Job {
    const handle = new Job(this, job.name, job.data, draft.opts, draft.request.id);
    if (draft.opts.timestamp === undefined) handle.timestamp = now;
    return handle;
  }

  async #assertNoneActive(force: boolean): Promise<void> {
    if (!force && (await this.getActiveCount()) > 0) {
      throw new StateError('QUEUE_HAS_ACTIVE_JOBS', { message: 'Cannot obliterate queue with active jobs.' });
    }
  }

  async #storeSettings(values: Record<string, number>): Promise<void> {
    await this.connection.command('hset', [this.keys.key('meta'), ...Object.entries(values).flat()], 'store settings');
    await this.connection.command('zadd', [this.keys.key('marker'), 0, '0'], 'wake workers');
  }

  async #dropSettings(...fields: string[]): Promise<number> {
    const removed = integer(await this.connection.command('hdel', [this.keys.key('meta'), ...fields], 'remove settings'));
    await this.connection.command('zadd', [this.keys.key('marker'), 0, '0'], 'wake workers');
    return removed;
  }
}
