import { callable, oneOf, shape, type Check } from '../core/check.js';
import type { AdvancedRepeatOptions, RepeatOptions } from '../core/strategies.js';
import type { JobSchedulerTemplateOptions } from './bullmq-types.js';
import type { Job, JobHolder, JobOwner } from './job.js';
import { JobStore } from './job-store.js';
import { baseChecks, QueueBase, type QueueBaseOptions } from './queue-base.js';
import type { ConnectionOptions } from '../redis/options.js';
import { QueueHolder } from './queue-holder.js';
import { Schedules, type ScheduleView } from './schedules.js';

/** Options of a {@link JobScheduler}. */
export interface RepeatBaseOptions<Connected = ConnectionOptions> extends QueueBaseOptions<Connected> {
  settings?: AdvancedRepeatOptions;
}

const repeatSettings: Check = shape({ repeatStrategy: callable, repeatKeyHashAlgorithm: oneOf('md5', 'sha1', 'sha256', 'sha512') });

/** How {@link JobScheduler.upsertJobScheduler} goes about it. */
export interface UpsertOptions {
  /** False changes nothing: Drover's workers plan the next run by themselves. */
  override: boolean;
  /** Accepted for BullMQ's sake: the run that asks for the next one. */
  producerId?: string;
}

/**
 * The schedules of a queue under BullMQ's class; `queue.upsertJobScheduler` and its neighbours do the same.
 * `queue.jobScheduler` and `worker.jobScheduler` have one each, which is closed with them.
 */
export class JobScheduler extends QueueBase implements JobOwner {
  declare readonly opts: RepeatBaseOptions;
  /** @internal */
  readonly jobs: JobStore;
  /** @internal */
  readonly holder: JobHolder;
  readonly #schedules: Schedules;

  constructor(name: string, opts: RepeatBaseOptions) {
    super(name, opts, { ...baseChecks, settings: repeatSettings });
    this.jobs = new JobStore(this.connection, this.keys);
    this.holder = new QueueHolder(this.jobs);
    this.#schedules = new Schedules(this, opts);
  }

  /**
   * Creates or changes a schedule, and resolves with a handle on its next run; with `override: false` with undefined.
   * `opts` are those of each run, without a queue's defaults. Rejects as `queue.upsertJobScheduler` does.
   */
  async upsertJobScheduler<T = any, R = any, N extends string = string>( // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
    id: string, repeat: Omit<RepeatOptions, 'key' | 'prevMillis'>, name: N, data: T, opts: JobSchedulerTemplateOptions, { override }: UpsertOptions,
  ): Promise<Job<T, R, N> | undefined> {
    if (!override) return undefined;
    return (await this.#schedules.upsert(id, repeat, { name, data, opts })) as Job<T, R, N>;
  }

  /** Ends a schedule; runs that are in the queue already stay. Answers as BullMQ does: 0 when it was there, 1 when not. */
  async removeJobScheduler(id: string): Promise<number> {
    return (await this.#schedules.remove(id)) ? 0 : 1;
  }

  async isJobScheduler(id: string): Promise<boolean> {
    return (await this.#schedules.next(id)) !== undefined;
  }

  async getScheduler<D = any>(id: string): Promise<ScheduleView<D> | undefined> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's default
    return this.#schedules.get(id);
  }

  /** Schedules by their next slot. */
  async getJobSchedulers<D = any>(start = 0, end = -1, asc = false): Promise<ScheduleView<D>[]> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's default
    return this.#schedules.list(start, end, asc) as Promise<ScheduleView<D>[]>;
  }

  getSchedulersCount(): Promise<number> {
    return this.#schedules.count();
  }
}

/** One for a queue or worker: with what of its options concerns schedules. */
export function openJobScheduler({ name, opts }: { name: string; opts: RepeatBaseOptions }): JobScheduler {
  const { connection, prefix, logger, skipVersionCheck, telemetry, settings } = opts;
  const given = { prefix, logger, skipVersionCheck, telemetry, settings: settings && { repeatStrategy: settings.repeatStrategy } };
  return new JobScheduler(name, { connection, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) });
}
