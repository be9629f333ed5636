import type { ForkOptions } from 'node:child_process';
import type { WorkerOptions as WorkerThreadsOptions } from 'node:worker_threads';
import { MAX_DELAY_MS } from '../core/backoff.js';
import {
  callable, checkName, either, flag, oneOf, plainObject, refusedBy, shape, textUpTo, wholeNumber, type Check,
} from '../core/check.js';
import { durabilityCheck, type Durability } from '../core/durability.js';
import type { KeepJobs } from '../core/job-options.js';
import { schemasCheck, type JobSchemas } from '../core/schema.js';
import type { MetricsOptions } from '../metrics/metrics.js';
import type { AdvancedOptions } from '../queue/bullmq-types.js';
import { baseChecks, type QueueBaseOptions } from '../queue/queue-base.js';
import type { ConnectionOptions } from '../redis/options.js';

/** At most `max` jobs start in any `duration` ms, over all workers of the queue that say so. */
export interface RateLimiterOptions {
  /** From 1. */
  max: number;
  /** Milliseconds, from 1. */
  duration: number;
}

export interface WorkerOptions<Connected = ConnectionOptions> extends QueueBaseOptions<Connected>, SandboxedOptions {
  /** A name that events, history and `getWorkers` show, up to 256 characters. Default: the worker's id. */
  name?: string;
  /** Start at once rather than with `run()`. Default true. */
  autorun?: boolean;
  /** How many jobs run at a time, 1 to 100,000. Can be changed while running. Default 1. */
  concurrency?: number;
  limiter?: RateLimiterOptions;
  /** The longest wait for a rate limit before looking again, in ms. Default 30,000. */
  maximumRateLimitDelay?: number;
  /** A job that started more often than this fails for good. Default: no limit. */
  maxStartedAttempts?: number;
  /** How often a job may lose its worker before it is dead, from 0. Default 1. */
  maxStalledCount?: number;
  /** The longest time between two looks for stalled jobs, in ms. Default 30,000; leases that end sooner are seen sooner. */
  stalledInterval?: number;
  /** What is kept of completed jobs that do not say. Default: 24 h and 100,000 jobs. */
  removeOnComplete?: KeepJobs;
  /** What is kept of failed jobs that do not say. Default: 30 days and 100,000 jobs. */
  removeOnFail?: KeepJobs;
  /** Where jobs go that failed for good: another queue, in the same transition. Default: they stay in `failed`. */
  deadLetter?: { queue: string };
  /**
   * When the end of a job counts as done: `completed` and `failed` are emitted after that. What is confirmed too little is
   * stored all the same, and reported as `error`. Default `memory`.
   */
  durability?: Durability;
  /** Do not look for stalled jobs. Default false. */
  skipStalledCheck?: boolean;
  /** Do not renew leases. Default false. */
  skipLockRenewal?: boolean;
  /** How long an idle worker waits for a sign of work before it asks whether jobs wait, in seconds, above 0. Default 30. */
  drainDelay?: number;
  /** How long a lease lasts, in ms, from 100. Default 30,000. */
  lockDuration?: number;
  /** How often leases are renewed, in ms. Default: half of `lockDuration`. */
  lockRenewTime?: number;
  /** How long to wait after an error before going on, in ms. Default 1,000. */
  runRetryDelay?: number;
  /** How long `close()` lets running jobs finish before it aborts them and gives them back, in ms. Default 30,000. */
  closeTimeout?: number;
  settings?: AdvancedOptions;
  /** Count completed and failed jobs by the minute, for `queue.getMetrics`. Default: nothing is counted. */
  metrics?: MetricsOptions;
  /** Hold data against the `schemas` before the handler sees it; what does not satisfy them fails for good. Default false. */
  validateOnTake?: boolean;
  /** A Standard Schema per job name, for `validateOnTake`. */
  schemas?: JobSchemas;
}

/** How a file's handler runs. */
export interface SandboxedOptions {
  /** In worker threads rather than child processes. Default false. */
  useWorkerThreads?: boolean;
  workerForkOptions?: ForkOptions;
  workerThreadsOptions?: WorkerThreadsOptions;
}

export interface GetNextJobOptions {
  /** Wait for a job, up to `drainDelay`. Default true. */
  block?: boolean;
}

const keep: Check = shape({ age: wholeNumber(1, 2 ** 32, 'seconds'), count: wholeNumber(0, 2 ** 31), limit: wholeNumber(1, 2 ** 31) });
const ms = wholeNumber(1, MAX_DELAY_MS, 'milliseconds');
/** What a timer of Node can wait. */
const timerMs = wholeNumber(1, 2 ** 31 - 1, 'milliseconds');

export const concurrencyCheck = wholeNumber(1, 100_000, 'jobs');

export const workerChecks: Record<string, Check> = {
  ...baseChecks,
  name: textUpTo(256),
  autorun: flag,
  concurrency: concurrencyCheck,
  limiter: shape({ max: wholeNumber(1, 2 ** 31), duration: ms, groupKey: textUpTo(256) }, ['max', 'duration']),
  maximumRateLimitDelay: timerMs,
  maxStartedAttempts: wholeNumber(1, 2 ** 31),
  maxStalledCount: wholeNumber(0, 2 ** 31),
  stalledInterval: ms,
  removeOnComplete: either(keep, flag, wholeNumber(0, 2 ** 31)),
  removeOnFail: either(keep, flag, wholeNumber(0, 2 ** 31)),
  deadLetter: shape({ queue: refusedBy(checkName) }, ['queue']),
  durability: durabilityCheck,
  skipStalledCheck: flag,
  skipLockRenewal: flag,
  drainDelay: (value) => (typeof value === 'number' && value > 0 && value <= 3600 ? undefined : 'a number of seconds above 0, at most 3600'),
  lockDuration: wholeNumber(100, MAX_DELAY_MS, 'milliseconds'),
  lockRenewTime: ms,
  runRetryDelay: timerMs,
  closeTimeout: wholeNumber(0, MAX_DELAY_MS, 'milliseconds'),
  settings: shape({ backoffStrategy: callable, repeatStrategy: callable, repeatKeyHashAlgorithm: oneOf('md5', 'sha1', 'sha256', 'sha512') }),
  metrics: shape({ maxDataPoints: wholeNumber(1, 100_000, 'minutes') }),
  validateOnTake: flag,
  schemas: schemasCheck,
  useWorkerThreads: flag,
  workerForkOptions: plainObject,
  workerThreadsOptions: plainObject,
};

/** Defaults of the options above. */
export const workerDefaults: Required<Pick<WorkerOptions,
  'concurrency' | 'lockDuration' | 'stalledInterval' | 'maxStalledCount' | 'maximumRateLimitDelay' | 'runRetryDelay' | 'drainDelay' | 'closeTimeout'>> = {
  concurrency: 1,
  lockDuration: 30_000,
  stalledInterval: 30_000,
  maxStalledCount: 1,
  maximumRateLimitDelay: 30_000,
  runRetryDelay: 1_000,
  drainDelay: 30,
  closeTimeout: 30_000,
};
