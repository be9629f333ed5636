import { jsonOf } from '../telemetry/json-of.js';
import { SpanKind, TelemetryAttributes } from '../telemetry/names.js';
import type { SpanOfMethod } from '../telemetry/trace-methods.js';

const say = TelemetryAttributes;

/** The queue's methods that are spans of their own, named and described as BullMQ's are. What adds jobs also carries the trace along. */
export const spansOfQueue: Record<string, SpanOfMethod> = {
  pause: {},
  resume: {},
  close: {},
  obliterate: {},
  rateLimit: { about: (ms: number) => ({ [say.QueueRateLimit]: ms }) },
  updateJobProgress: { about: (id: string, progress: unknown) => ({ [say.JobId]: id, [say.JobProgress]: jsonOf(progress) }) },
  promoteJobs: { about: (opts: object = {}) => ({ [say.QueueOptions]: jsonOf(opts) }) },
  retryJobs: { kind: SpanKind.PRODUCER, about: (opts: object = {}) => ({ [say.QueueOptions]: jsonOf(opts) }) },
  clean: {
    about: (grace: number, limit: number, type = 'completed') => ({ [say.QueueGrace]: grace, [say.JobType]: type, [say.QueueCleanLimit]: limit }),
    found: (ids: string[]) => ({ [say.QueueCleanCount]: ids.length }),
  },
  trimEvents: { about: (maxLength: number) => ({ [say.QueueEventMaxLength]: maxLength }) },
  removeDeduplicationKey: { about: (id: string) => ({ [say.DeduplicationKey]: id }) },
  remove: { about: (id: string, opts?: object) => ({ [say.JobId]: id, [say.JobOptions]: jsonOf({ removeChildren: true, ...opts }) }) },
  drain: { about: (delayed = false) => ({ [say.QueueDrainDelay]: delayed }) },
};
