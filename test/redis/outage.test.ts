import { expect, onTestFinished, test } from 'vitest';
import { DroverError, QueueEvents } from 'drover';
import { at, proxyTo } from '../durability/replicas.js';
import { idleWorkers, openQueue, openWorker } from '../support/behaviour.js';
import { startRedis } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';

const mostBuffered = 1_000;
/** What is on its way when Redis goes is no longer in the buffer: a call of each lane. */
const underWay = 3 * 1_000;

test('while Redis is away, adds beyond the buffer are refused at once, and what is kept is bounded', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const proxy = await proxyTo(server);
  const connection = { ...at(proxy), commandTimeout: 4_000 };
  const queue = openQueue({ connection, maxBuffered: mostBuffered });
  const worker = openWorker(queue, () => undefined, { runRetryDelay: 20 });
  const events = new QueueEvents(queue.name, { connection });
  onTestFinished(() => events.close());
  queue.on('error', () => undefined);
  worker.on('error', () => undefined);
  events.on('error', () => undefined);
  await events.waitUntilReady();
  await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
  proxy.refuse();
  proxy.cutAll();
  await until('the connection is lost', () => !queue.connection.isReady);

  let [open, most] = [0, 0];
  const codes = new Map<string, number>();
  const note = (code: string): void => void codes.set(code, (codes.get(code) ?? 0) + 1);
  const calls: Promise<void>[] = [];
  for (let i = 0; i < 60_000; i++) {
    open++;
    const call = queue.add('a', 'x'.repeat(500)).then(() => note('added'), (error: unknown) => note(error instanceof DroverError ? error.code : String(error)));
    calls.push(call.finally(() => void open--));
    if (i % 1_000 !== 999) continue;
    await new Promise(setImmediate);
    most = Math.max(most, open);
  }
  expect(most).toBeLessThanOrEqual(mostBuffered + underWay);
  await Promise.all(calls);
  expect([...codes.keys()]).toEqual(['REDIS_UNAVAILABLE']);

  await proxy.accept();
  const told = new Promise((resolve) => events.on('completed', resolve));
  await queue.add('after', 1);
  await told;
}, 40_000);
