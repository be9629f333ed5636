import type { Job } from '../queue/job.js';
import { jsonOf } from '../telemetry/json-of.js';
import { TelemetryAttributes } from '../telemetry/names.js';
import type { SpanOfMethod } from '../telemetry/trace-methods.js';

const say = TelemetryAttributes;

/** The worker's methods that are spans of their own, named and described as BullMQ's are. */
export const spansOfWorker: Record<string, SpanOfMethod> = {
  pause: { about: (doNotWaitActive?: boolean) => ({ [say.WorkerDoNotWaitActive]: doNotWaitActive }) },
  resume: {},
  close: { about: (force = false) => ({ [say.WorkerForceClose]: force }) },
  startStalledCheckTimer: {},
  rateLimit: { about: (ms: number) => ({ [say.WorkerRateLimit]: ms }) },
  getNextJob: {
    about: (_token?: string, opts: object = {}) => ({ [say.WorkerOptions]: jsonOf({ block: true, ...opts }) }),
    found: (job: Job | undefined) => ({ [say.JobId]: job?.id }),
    from: (job: Job | undefined) => job?.opts.telemetry?.metadata,
  },
};
