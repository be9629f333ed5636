import * as bullmq from 'bullmq';
import { expect, test } from 'vitest';
import * as drover from 'drover';
import { redisUrl, uniqueName } from '../support/behaviour.js';

interface Told {
  name: string;
  kind: number | undefined;
  attributes: Record<string, unknown>;
}

/** Telemetry that writes down the spans that have ended. */
function recorder(): { telemetry: drover.Telemetry<string>; spans: Told[] } {
  const spans: Told[] = [];
  const telemetry: drover.Telemetry<string> = {
    tracer: {
      startSpan: (name, options) => {
        const span: Told = { name, kind: options?.kind, attributes: {} };
        return {
          setSpanOnContext: () => name,
          setAttribute: (key, value) => void (span.attributes[key] = value),
          setAttributes: (attributes) => void Object.assign(span.attributes, attributes),
          addEvent: () => undefined,
          recordException: () => undefined,
          end: () => void spans.push(span),
        };
      },
    },
    contextManager: { with: (_context, fn) => fn() as never, active: () => '', getMetadata: () => '', fromMetadata: () => '' },
  };
  return { telemetry, spans };
}

const { hostname: host, port } = new URL(redisUrl);

/** The same calls on a queue of either library, and the spans that it told of. */
async function spansOf(library: 'bullmq' | 'drover', name: string): Promise<Told[]> {
  const { telemetry, spans } = recorder();
  const opts = { connection: { host, port: Number(port) }, prefix: library, telemetry };
  const queue = library === 'bullmq' ? new bullmq.Queue(name, opts) : new drover.Queue(name, opts);
  await queue.add('a', 1, { jobId: 'j1' });
  await queue.addBulk([{ name: 'b', data: 1 }]);
  await queue.pause();
  await queue.resume();
  await queue.rateLimit(1);
  await queue.updateJobProgress('j1', 5);
  await queue.promoteJobs();
  await queue.retryJobs();
  await queue.clean(0, 10);
  await queue.trimEvents(10);
  await queue.removeDeduplicationKey('x');
  await queue.remove('j1');
  await queue.drain();
  await queue.obliterate({ force: true });
  await queue.close();
  return spans;
}

test('a queue of Drover tells of the same spans as one of BullMQ', async () => {
  const name = uniqueName();
  const theirs = await spansOf('bullmq', name);
  expect(theirs.length).toBeGreaterThan(15);
  expect(await spansOf('drover', name)).toEqual(theirs);
});
