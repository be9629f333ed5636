import { SpanKind, TelemetryAttributes } from '../telemetry/names.js';
import type { Attributes, Telemetry } from '../telemetry/telemetry.js';
import { trace } from '../telemetry/trace.js';

/** How a call of a method is told as a span: `<method> <queue>`. */
interface SpanOfMethod {
  /** Default: internal. */
  kind?: SpanKind;
  about?: (...args: never[]) => Attributes;
  /** What the span says of the result. */
  found?: (result: never) => Attributes;
}

const say = TelemetryAttributes;

/** The queue's methods that are spans of their own, named and described as BullMQ's are. `add` and `addBulk` also carry the trace along. */
const spansOfMethods: Record<string, SpanOfMethod> = {
  pause: {},
  resume: {},
  close: {},
  obliterate: {},
  rateLimit: { about: (ms: number) => ({ [say.QueueRateLimit]: ms }) },
  updateJobProgress: { about: (id: string, progress: unknown) => ({ [say.JobId]: id, [say.JobProgress]: JSON.stringify(progress) }) },
  promoteJobs: { about: (opts: object = {}) => ({ [say.QueueOptions]: JSON.stringify(opts) }) },
  retryJobs: { kind: SpanKind.PRODUCER, about: (opts: object = {}) => ({ [say.QueueOptions]: JSON.stringify(opts) }) },
  clean: {
    about: (grace: number, limit: number, type = 'completed') => ({ [say.QueueGrace]: grace, [say.JobType]: type, [say.QueueCleanLimit]: limit }),
    found: (ids: string[]) => ({ [say.QueueCleanCount]: ids.length }),
  },
  trimEvents: { about: (maxLength: number) => ({ [say.QueueEventMaxLength]: maxLength }) },
  removeDeduplicationKey: { about: (id: string) => ({ [say.DeduplicationKey]: id }) },
  remove: { about: (id: string, opts?: object) => ({ [say.JobId]: id, [say.JobOptions]: JSON.stringify({ removeChildren: true, ...opts }) }) },
  drain: { about: (delayed = false) => ({ [say.QueueDrainDelay]: delayed }) },
};

type Method = (...args: unknown[]) => Promise<unknown>;

/** Puts spans around the methods of one queue object. Objects without telemetry keep the plain methods, so it costs them nothing. */
export function traceMethods(queue: { name: string }, telemetry: Telemetry): void {
  for (const [operation, { kind = SpanKind.INTERNAL, about, found }] of Object.entries(spansOfMethods)) {
    const plain = Reflect.get(queue, operation) as Method;
    const value: Method = (...args) => trace(telemetry, { kind, operation, queue: queue.name }, async (span) => {
      const result = plain.apply(queue, args);
      if (about) span?.setAttributes(about(...(args as never[])));
      const settled = await result;
      if (found) span?.setAttributes(found(settled as never));
      return settled;
    });
    Object.defineProperty(queue, operation, { value, writable: true, configurable: true });
  }
}
