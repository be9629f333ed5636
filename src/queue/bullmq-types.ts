import type { BackoffStrategy as StrategyOf } from '../core/backoff.js';
import type { JobsOptions } from '../core/job-options.js';
import type { AdvancedRepeatOptions, RepeatOptions } from '../core/strategies.js';
import type { Job, JobProgress } from './job.js';
import type { QueueBase } from './queue-base.js';

/** BullMQ's names of types that Drover spells out or calls otherwise. */

/* eslint-disable @typescript-eslint/no-explicit-any -- BullMQ's defaults */

export type BulkJobOptions = JobsOptions;
export type BaseJobOptions = JobsOptions;
export type CompressableJobOptions = Pick<
  JobsOptions,
  'deduplication' | 'failParentOnFailure' | 'continueParentOnFailure' | 'ignoreDependencyOnFailure' | 'removeDependencyOnFailure' | 'telemetry'
>;

export type FinishedStatus = 'completed' | 'failed';
export type FinishedPropValAttribute = 'returnvalue' | 'failedReason';

/** The parent of a new job: its id, and the qualified name of its queue. */
export interface ParentOptions {
  id: string;
  queue: string;
}

/** A parent as one describes it before it is added. */
export interface Parent<T> {
  name: string;
  prefix?: string;
  /** The name of its queue. */
  queue?: string;
  data?: T;
  opts?: JobsOptions;
}

/** What is needed of a queue to know it by name and to hear and trace it. */
export type MinimalQueue = Pick<
  QueueBase, 'name' | 'qualifiedName' | 'toKey' | 'opts' | 'closing' | 'emit' | 'on' | 'removeListener' | 'waitUntilReady' | 'trace'
>;

/** Keys by what they hold. */
export type KeysMap = Record<string, string>;

/** A schedule in brief. */
export interface RepeatableOptions {
  name: string;
  /** Times are in ms. */
  startDate?: number;
  endDate?: number;
  tz?: string;
  limit?: number;
  pattern?: string;
  every?: number;
  offset?: number;
}

export interface MoveToWaitingChildrenOpts {
  /** Wait only if this child has not ended. */
  child?: ParentOptions;
}

export interface RetryOptions {
  /** Attempts are counted anew. Default false. */
  resetAttemptsMade?: boolean;
  /** Starts are counted anew. Default false. */
  resetAttemptsStarted?: boolean;
}

/** What is needed of a job to read it and to report from it. */
export type MinimalJob<DataType = any, ReturnType = any, NameType extends string = string, ProgressType extends JobProgress = JobProgress> = Pick<
  Job<DataType, ReturnType, NameType, ProgressType>,
  | 'id' | 'name' | 'data' | 'opts' | 'progress' | 'returnvalue' | 'stacktrace' | 'delay' | 'timestamp' | 'attemptsMade' | 'failedReason'
  | 'finishedOn' | 'processedOn' | 'parentKey' | 'parent' | 'repeatJobKey' | 'asJSON' | 'asJSONSandbox' | 'updateData' | 'updateProgress' | 'log'
  | 'queueName' | 'prefix' | 'queueQualifiedName'
>;

/** A worker's own backoff: the delay in ms after the attempt that has just failed, or -1 to stop. */
export type BackoffStrategy<TJob = Job> = StrategyOf<TJob>;

export interface AdvancedOptions extends AdvancedRepeatOptions {
  /** Called for `backoff.type`s that are neither `fixed` nor `exponential`. */
  backoffStrategy?: BackoffStrategy;
}

/** Options of the runs of a schedule. */
export type JobSchedulerTemplateOptions = Omit<JobsOptions, 'jobId' | 'repeat' | 'delay' | 'deduplication'>;

/** Options of a run, as its handler finds them. */
export interface JobSchedulerJobOptions extends JobsOptions {
  /** How its schedule repeats; `count` tells the how-manieth run it is. */
  repeat?: Omit<RepeatOptions, 'key' | 'jobId'>;
}

/** The settings that a queue keeps in Redis. */
export interface QueueMeta {
  concurrency?: number;
  max?: number;
  duration?: number;
  maxLenEvents?: number;
  paused?: boolean;
  version?: string;
}

export interface KeyPrefixOptions {
  /** The first part of all keys. */
  prefix?: string;
}

export type RedisKeyPrefixOptions = KeyPrefixOptions;

export interface IoredisListener {
  'ioredis:close': () => void;
}
