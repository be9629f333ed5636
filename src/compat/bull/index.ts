/* eslint-disable @typescript-eslint/no-explicit-any -- Bull's own defaults; with `unknown` its users' code would no longer compile */
import { MetricsTime } from '../../index.js';
import { messages } from './errors.js';
import { Job as BullJob } from './job.js';
import { Queue as BullQueue } from './queue.js';
import type * as types from './declarations.js';

/** Bull 4's API. Callable with and without `new`: `Bull(name, url?, opts?)`. */
interface BullConstructor {
  <T = any>(queueName: string, opts?: types.QueueOptions): BullQueue<T>;
  <T = any>(queueName: string, url: string, opts?: types.QueueOptions): BullQueue<T>;
  new <T = any>(queueName: string, opts?: types.QueueOptions): BullQueue<T>;
  new <T = any>(queueName: string, url: string, opts?: types.QueueOptions): BullQueue<T>;
  readonly prototype: BullQueue;
  readonly Job: typeof BullJob;
  readonly ErrorMessages: typeof messages;
  readonly utils: { readonly MetricsTime: typeof MetricsTime };
  /** For `const { default: Queue } = require('drover/bull')`. */
  readonly default: BullConstructor;
}

/** A class cannot be called; a function that constructs can, and subclasses and `instanceof` work with it. */
function construct(this: unknown, ...args: [string]): BullQueue {
  const target: unknown = new.target;
  return Reflect.construct(BullQueue, args, typeof target === 'function' ? target : BullQueue) as BullQueue;
}

Object.setPrototypeOf(construct, BullQueue);
construct.prototype = BullQueue.prototype;
Object.defineProperties(construct, {
  name: { value: 'Queue' },
  Job: { value: BullJob, enumerable: true },
  ErrorMessages: { value: messages, enumerable: true },
  utils: { value: { MetricsTime }, enumerable: true },
  default: { value: construct },
});

const Bull = construct as unknown as BullConstructor;

// eslint-disable-next-line @typescript-eslint/no-namespace -- Bull's users write `Bull.Job`
declare namespace Bull {
  export type Queue<T = any> = BullQueue<T>;
  export type Job<T = any> = BullJob<T>;
  export type RateLimiter = types.RateLimiter;
  export type QueueOptions = types.QueueOptions;
  export type MetricsOpts = types.MetricsOpts;
  export type AdvancedSettings = types.AdvancedSettings;
  export type DoneCallback = types.DoneCallback;
  export type JobId = types.JobId;
  export type ProcessCallbackFunction<T> = types.ProcessCallbackFunction<T>;
  export type ProcessPromiseFunction<T> = types.ProcessPromiseFunction<T>;
  export type JobStatus = types.JobStatus;
  export type JobStatusClean = types.JobStatusClean;
  export type BackoffOptions = types.BackoffOptions;
  export type RepeatOptions = types.RepeatOptions;
  export type CronRepeatOptions = types.CronRepeatOptions;
  export type EveryRepeatOptions = types.EveryRepeatOptions;
  export type DebounceOptions = types.DebounceOptions;
  export type JobOptions = types.JobOptions;
  export type KeepJobsOptions = types.KeepJobsOptions;
  export type JobCounts = types.JobCounts;
  export type JobInformation = types.JobInformation;
  export type JobPromise = types.JobPromise;
  export type EventCallback = types.EventCallback;
  export type ErrorEventCallback = types.ErrorEventCallback;
  export type ActiveEventCallback<T = any> = types.ActiveEventCallback<T>;
  export type StalledEventCallback<T = any> = types.StalledEventCallback<T>;
  export type ProgressEventCallback<T = any> = types.ProgressEventCallback<T>;
  export type CompletedEventCallback<T = any> = types.CompletedEventCallback<T>;
  export type FailedEventCallback<T = any> = types.FailedEventCallback<T>;
  export type CleanedEventCallback = types.CleanedEventCallback;
  export type RemovedEventCallback<T = any> = types.RemovedEventCallback<T>;
  export type WaitingEventCallback = types.WaitingEventCallback;
}

export default Bull;
export type { BullConstructor };
export type { Queue } from './queue.js';
export type { Job } from './job.js';
export type * from './declarations.js';
// What `require('drover/bull')` answers.
export { Bull as 'module.exports' };
