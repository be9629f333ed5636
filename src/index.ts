export { Queue, type QueueOptions } from './queue/queue.js';
export { Job, type JobJson, type JobProgress } from './queue/job.js';
export { type QueueBaseOptions } from './queue/queue-base.js';
export { type ScheduleTemplate, type ScheduleView } from './queue/schedules.js';
export { Worker, type Processor } from './worker/worker.js';
export { type RateLimiterOptions, type WorkerOptions } from './worker/worker-options.js';
export { type BackoffOptions, type BackoffStrategy } from './core/backoff.js';
export { type ScheduleOptions } from './core/cron.js';
export { DelayedError, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError } from './core/control-errors.js';
export {
  ClosedError, DroverError, InvalidInputError, LeaseLostError, RedisError, StateError, TimeoutError, type ErrorCode,
} from './core/errors.js';
export { type DeduplicationOptions, type DefaultJobOptions, type JobsOptions, type KeepJobs } from './core/job-options.js';
export { type AttemptRecord } from './core/job-record.js';
export { type JobState, type JobType } from './core/states.js';
export { type Logger } from './core/logger.js';
export { type ConnectionOptions } from './redis/options.js';
