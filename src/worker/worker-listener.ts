import type { JobProgress } from '../queue/job.js';
import type { AnyJobOf, NameOf, ResultOf } from '../queue/job-types.js';

/** What a worker tells its listeners, about its own jobs. Said only once Redis has accepted it. */
export interface WorkerListener<Jobs = any, ResultType = any, NameType extends string = string, ProgressType extends JobProgress = JobProgress> { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's defaults
  /** A handler begins. */
  active: (job: AnyJobOf<Jobs, ResultType, NameType, ProgressType>, prev: string) => void;
  completed: (job: AnyJobOf<Jobs, ResultType, NameType, ProgressType>, result: ResultOf<Jobs, ResultType, NameOf<Jobs, NameType>>, prev: string) => void;
  /** An attempt failed. The job is undefined when it stalled to death and could not be read. */
  failed: (job: AnyJobOf<Jobs, ResultType, NameType, ProgressType> | undefined, error: Error, prev: string) => void;
  progress: (job: AnyJobOf<Jobs, ResultType, NameType, ProgressType>, progress: ProgressType) => void;
  /** A job of the queue lost its worker and was taken back. */
  stalled: (jobId: string, prev: string) => void;
  /** Someone else holds the job now: this worker's outcome was refused. */
  leaseLost: (job: AnyJobOf<Jobs, ResultType, NameType, ProgressType>) => void;
  lockRenewalFailed: (jobIds: string[]) => void;
  locksRenewed: (data: { count: number; jobIds: string[] }) => void;
  /** There is nothing left to take. */
  drained: () => void;
  /** Anything that went wrong outside a handler. */
  error: (error: Error) => void;
  paused: () => void;
  resumed: () => void;
  ready: () => void;
  closing: (message: string) => void;
  closed: () => void;
  'ioredis:close': () => void;
}
