import type { ForkOptions } from 'node:child_process';
import type { WorkerOptions as WorkerThreadsOptions } from 'node:worker_threads';

/** The plain facts of a job that travel to the child. All of it must survive a structured clone. */
export interface SandboxJobData<T = unknown> {
  id: string;
  name: string;
  data: T;
  opts: object;
  queueName: string;
  /** The queue's name with its prefix, as in its keys. */
  queueQualifiedName?: string;
  prefix?: string;
  progress: unknown;
  attemptsMade: number;
  attemptsStarted: number;
  /** When the job was added, in ms since the epoch. */
  timestamp: number;
  processedOn?: number;
  finishedOn?: number;
  delay?: number;
  priority?: number;
  stalledCounter?: number;
  failedReason?: string;
  stacktrace?: readonly string[];
  returnvalue?: unknown;
  parent?: object;
  parentKey?: string;
  deferredFailure?: string;
  repeatJobKey?: string;
  deduplicationId?: string;
  processedBy?: string;
  token?: string;
}

/** Which kinds of children `getDependenciesCount` counts. Default: all of them. */
export interface DependenciesCountQuery {
  failed?: boolean;
  ignored?: boolean;
  processed?: boolean;
  unprocessed?: boolean;
}

/** How many children there are of each kind asked for. */
export type DependenciesCount = { [kind in keyof DependenciesCountQuery]?: number };

/** What the parent offers to the child on behalf of one job. */
export interface SandboxJobHost {
  asSandbox(): SandboxJobData;
  log(row: string): Promise<number>;
  updateProgress(progress: unknown): Promise<void>;
  updateData(data: unknown): Promise<void>;
  moveToDelayed(timestamp: number, token?: string): Promise<void>;
  moveToWait(token?: string): Promise<number | void>;
  moveToWaitingChildren(token: string, opts?: unknown): Promise<boolean>;
  getChildrenValues(): Promise<Record<string, unknown>>;
  getIgnoredChildrenFailures(): Promise<Record<string, string>>;
  getDependenciesCount(opts?: DependenciesCountQuery): Promise<DependenciesCount>;
}

// `any` is BullMQ's default for these two generics; with `unknown` its users' processors would no longer compile.
/* eslint-disable @typescript-eslint/no-explicit-any */

/**
 * The job as a sandboxed processor sees it: its facts, and the methods that reach the queue through the parent.
 * Every method rejects with what the parent's method rejected with. The facts are a copy: changing them changes
 * nothing in the queue.
 */
export interface SandboxedJob<T = any, R = any> extends SandboxJobData<T> {
  opts: Record<string, any>;
  queueQualifiedName: string;
  prefix: string;
  progress: any;
  failedReason: string;
  stalledCounter: number;
  parent?: { id?: string; queueKey: string; fpof?: boolean; cpof?: boolean; idof?: boolean; rdof?: boolean };
  returnvalue?: R;
  /** The same as `returnvalue`. */
  returnValue: R;
  /** Appends a row to the job's log; resolves to the number of rows. */
  log(row: string): Promise<number>;
  updateProgress(progress: unknown): Promise<void>;
  updateData(data: T): Promise<void>;
  /** Moves the job to `delayed` until `timestamp` (ms since the epoch); throw a DelayedError afterwards. */
  moveToDelayed(timestamp: number, token?: string): Promise<void>;
  /** Gives the job back; throw a WaitingError afterwards. */
  moveToWait(token?: string): Promise<void>;
  /** True when children are still to end; throw a WaitingChildrenError then. */
  moveToWaitingChildren(token?: string, opts?: unknown): Promise<boolean>;
  getChildrenValues<C = any>(): Promise<Record<string, C>>;
  getIgnoredChildrenFailures(): Promise<Record<string, string>>;
  getDependenciesCount(opts?: DependenciesCountQuery): Promise<DependenciesCount>;
}

/** What the module given as a processor exports: by default, or as `module.exports`. */
export type SandboxedJobProcessor<T = any, R = any> = (
  job: SandboxedJob<T, R>,
  token?: string,
  signal?: AbortSignal,
) => R | PromiseLike<R>;

/* eslint-enable @typescript-eslint/no-explicit-any */

/** How a worker runs a processor that is given as a file. */
export interface SandboxedOptions {
  /** Run the processor in worker threads instead of child processes. Default: false. */
  useWorkerThreads?: boolean;
  /**
   * Options of `child_process.fork`. `serialization` is always `advanced`. Without `execArgv`, the children get the
   * parent's flags, less those that are for one process only (`--eval`, `--test`), inspector ports being chosen anew.
   */
  workerForkOptions?: ForkOptions;
  /** Options of `new Worker` of `node:worker_threads`; `resourceLimits` bounds the memory of a handler. */
  workerThreadsOptions?: WorkerThreadsOptions;
}
