import { describe } from 'vitest';
import { expectSurface } from '../surface/expectations.js';
import { bullmq } from './library.js';

describe('every public name of BullMQ', () => {
  expectSurface(bullmq, {
    names: [
      'Queue', 'Queue.add', 'Worker.static RateLimitError', 'Job.moveToFailed', 'WorkerOptions.metrics', 'QueueEventsListener.completed',
      'FlowProducer.getFlow', 'UnrecoverableError', 'MetricsTime.ONE_WEEK', 'PRIORITY_LIMIT', 'Processor',
    ],
    atLeast: 1_000,
    alsoDiffer: new Set([
      'Queue.constructor', 'Worker.constructor', 'QueueEvents.constructor', 'QueueEventsProducer.constructor', 'FlowProducer.constructor',
      ...['FlowProducer', 'JobScheduler', 'Queue', 'QueueBase', 'QueueEvents', 'QueueEventsProducer', 'QueueGetters', 'Worker'].flatMap((name) => [`${name}.getBackend`, `${name}.keys`]),
      'ConnectionClosedError', 'SandboxedJob.log', 'ConnectionOptions', 'ClusterOptions', 'RedisOptions', 'RedisClient', 'QueueKeys',
    ]),
    code: 'test/compat/bullmq/code-for-bullmq.ts',
    declarations: './node_modules/bullmq/dist/esm/index.d.ts',
    entry: './src/index.ts',
  });
});
