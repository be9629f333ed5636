/* eslint-disable @typescript-eslint/no-explicit-any -- Bull's own declarations; with `unknown` its users' code would no longer compile */
import type { ConnectionOptions, Queue as Engine } from '../../index.js';
import type { Job } from './job.js';

/** An ioredis client. */
export type RedisClient = ReturnType<Engine['getBackend']>['client'];
/** The same as Bull declares it: its users' code does not ask whether it is a cluster's. */
export type Redis = Extract<RedisClient, { stream: unknown }>;
/** ioredis's options. */
export type RedisOptions = Extract<ConnectionOptions, { url?: string }>;

/** At most `max` jobs start in any `duration` ms. */
export interface RateLimiter {
  max: number;
  duration: number;
  /** Accepted: a limited job waits where it is in any case. */
  bounceBack?: boolean | undefined;
  /** A path into the data, e.g. `network.handle`: the limit holds for each value found there, and not for the queue. */
  groupKey?: string | undefined;
}

export interface QueueOptions {
  /** A URL or ioredis options. Default 127.0.0.1:6379. */
  redis?: RedisOptions | string | undefined;
  /** Opens the client that the queue works with. It stays yours to close. Asked for `client`; for the others only when their properties are read. */
  createClient?: ((type: ClientType, redisOpts?: RedisOptions) => RedisClient) | undefined;
  /** The first part of all keys. Default `bull`. Braces around it are dropped: every queue has a hash tag. */
  prefix?: string | undefined;
  settings?: AdvancedSettings | undefined;
  limiter?: RateLimiter | undefined;
  defaultJobOptions?: JobOptions | undefined;
  metrics?: MetricsOpts | undefined;
  /** Work with a server version that Drover does not support. */
  skipVersionCheck?: boolean | undefined;
}

export type ClientType = 'client' | 'subscriber' | 'bclient';

export interface MetricsOpts {
  /** Minutes. */
  maxDataPoints?: number;
}

export interface AdvancedSettings {
  /** How long a lock lasts, in ms; below 100 counts as 100. Default 30,000. */
  lockDuration?: number | undefined;
  /** How often it is renewed, in ms. Default half of `lockDuration`. */
  lockRenewTime?: number | undefined;
  /** The longest time between two looks for stalled jobs, in ms; 0 for never. Default 30,000. */
  stalledInterval?: number | undefined;
  /** How often a stalled job is run again. Default 1. */
  maxStalledCount?: number | undefined;
  /** Accepted; nothing polls for delayed jobs. */
  guardInterval?: number | undefined;
  /** How long to wait after an error of Redis's, in ms. Default 5,000. */
  retryProcessDelay?: number | undefined;
  /** Custom backoff by name: answers ms, or -1 to stop retrying. */
  backoffStrategies?: Record<string, BackoffStrategy> | undefined;
  /** How long an idle worker, or `getNextJob`, waits for a job, in seconds. Default 5. */
  drainDelay?: number | undefined;
  /** Queues of this process that set it share the processes of a processor file. Default false. */
  isSharedChildPool?: boolean | undefined;
}

export type BackoffStrategy = (attemptsMade: number, err: Error, strategyOptions?: any) => number | Promise<number>;

export type DoneCallback = (error?: Error | null, value?: any) => void;
export type JobId = number | string;
export type ProcessCallbackFunction<T> = (job: Job<T>, done: DoneCallback) => void;
export type ProcessPromiseFunction<T> = (job: Job<T>) => Promise<any>;

/** `waiting` is also called `wait`. */
export type JobStatus = 'completed' | 'waiting' | 'active' | 'delayed' | 'failed' | 'paused';
export type JobStatusClean = 'completed' | 'wait' | 'active' | 'delayed' | 'failed' | 'paused';

export interface BackoffOptions {
  /** `fixed`, `exponential` or a name in `settings.backoffStrategies`. */
  type: string;
  /** Milliseconds. */
  delay?: number | undefined;
  /** Handed to the custom strategy. */
  options?: any;
}

export interface RepeatOptions {
  /** An IANA time zone. Default: that of the process. */
  tz?: string | undefined;
  endDate?: Date | string | number | undefined;
  /** How many runs at most. */
  limit?: number | undefined;
  /** From where runs are counted. */
  count?: number | undefined;
}

export interface CronRepeatOptions extends RepeatOptions {
  cron: string;
  startDate?: Date | string | number | undefined;
}

export interface EveryRepeatOptions extends RepeatOptions {
  /** Milliseconds; runs are at its multiples. */
  every: number;
}

export type Repeat = (CronRepeatOptions | EveryRepeatOptions) & {
  /** On jobs: the key of the repeatable job. */
  readonly key?: string;
};

export type RepeatQuery = (CronRepeatOptions | EveryRepeatOptions) & { jobId?: JobId | undefined };

export interface DebounceOptions {
  id: string;
  /** Milliseconds. Default: until the job has ended. */
  ttl?: number | undefined;
}

export interface JobOptions {
  debounce?: DebounceOptions | undefined;
  /** 1 runs first, then 2, …; jobs without a priority run after all others. More than 2,097,150 counts as that. */
  priority?: number | undefined;
  /** Milliseconds until it may run. */
  delay?: number | undefined;
  /** How often it is tried in all. Default 1. */
  attempts?: number | undefined;
  repeat?: Repeat | undefined;
  backoff?: number | BackoffOptions | undefined;
  /** To the front of all jobs. Not together with a priority. */
  lifo?: boolean | undefined;
  /** Milliseconds that one attempt may take. */
  timeout?: number | undefined;
  /** Its id. When a job has it already, that job stands in the new one's place. */
  jobId?: JobId | undefined;
  removeOnComplete?: boolean | number | KeepJobsOptions | undefined;
  removeOnFail?: boolean | number | KeepJobsOptions | undefined;
  stackTraceLimit?: number | undefined;
  /** The processor gets the data as JSON text. */
  preventParsingData?: boolean | undefined;
  /** Creation time in ms. */
  timestamp?: number | undefined;
}

export interface KeepJobsOptions {
  /** Seconds. */
  age?: number | undefined;
  count?: number | undefined;
}

export interface JobCounts {
  active: number;
  completed: number;
  failed: number;
  delayed: number;
  waiting: number;
  paused: number;
}

export interface JobInformation {
  key: string;
  name: string;
  id: string | null;
  endDate: number | null;
  tz: string | null;
  cron: string | null;
  every: number | null;
  next: number;
}

export interface JobJson<T = any> {
  id: JobId;
  name: string;
  data: T;
  opts: JobOptions;
  progress: any;
  delay: number;
  timestamp: number;
  attemptsMade: number;
  failedReason: any;
  stacktrace: string[] | null;
  returnvalue: any;
  debounceId: string | null;
  finishedOn: number | null;
  processedOn: number | null;
}

/** What the `active` event gets beside the job. */
export interface JobPromise extends Promise<any> {
  /** Ends the attempt: it fails with "Job was cancelled", whatever its processor still does. */
  cancel(): void;
}

export type EventCallback = () => void;
export type ErrorEventCallback = (error: Error) => void;
export type ActiveEventCallback<T = any> = (job: Job<T>, jobPromise?: JobPromise) => void;
export type StalledEventCallback<T = any> = (job: Job<T>) => void;
export type ProgressEventCallback<T = any> = (job: Job<T>, progress: any) => void;
export type CompletedEventCallback<T = any> = (job: Job<T>, result: any) => void;
export type FailedEventCallback<T = any> = (job: Job<T>, error: Error) => void;
/** With the ids of the removed jobs: Bull passes ids too, though it declares jobs. */
export type CleanedEventCallback = (jobs: string[], status: JobStatusClean) => void;
export type RemovedEventCallback<T = any> = (job: Job<T>) => void;
export type WaitingEventCallback = (jobId: JobId) => void;
