import { expect, onTestFinished, test } from 'vitest';
import { DroverError } from 'drover';
import { at, proxyTo } from '../durability/replicas.js';
import { openQueue, openWorker, Tally } from '../support/behaviour.js';
import { startRedis } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';

/** What a worker holds while Redis is away is bounded by its slots and what it may fetch ahead, however long it lasts. */

const concurrency = 10;
/** The most that is fetched ahead of the slots. */
const ahead = 128;

test('a worker that cannot tell what has ended runs what it holds, and takes nothing more', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const proxy = await proxyTo(server);
  const producer = openQueue({ connection: at(server) });
  let [started, ended] = [0, 0];
  const gone = new Tally<void>();
  const worker = openWorker(producer.name, async () => {
    if (++started === 50) {
      proxy.refuse();
      proxy.cutAll();
    }
    await new Promise(setImmediate);
    ended++;
  }, { connection: at(proxy), concurrency, runRetryDelay: 20 });
  worker.on('error', () => gone.add());
  await producer.addBulk(Array.from({ length: 5_000 }, (_, i) => ({ name: 'a', data: i })));
  // Each error is one more try to tell Redis: no more jobs come of them.
  await gone.reached(3);
  const atRest = started;
  await gone.reached(6);
  expect(started).toBe(atRest);
  expect(ended).toBe(started);
  const taken = await producer.getActiveCount();
  expect(taken).toBeLessThanOrEqual(2 * (concurrency + ahead));
  expect(ended).toBeLessThan(5_000);

  await proxy.accept();
  await until('all have ended', async () => (await producer.getCompletedCount()) === 5_000, { timeoutMs: 20_000 });
}, 60_000);

test('a producer keeps no more promises than it may buffer, whatever comes after', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const proxy = await proxyTo(server);
  const queue = openQueue({ connection: { ...at(proxy), commandTimeout: 2_000 }, maxBuffered: 100 });
  queue.on('error', () => undefined);
  await queue.add('a', 0);
  proxy.refuse();
  proxy.cutAll();
  await until('the connection is lost', () => !queue.connection.isReady);
  const codes: string[] = [];
  const calls = Array.from({ length: 5_000 }, (_, i) => queue.add('a', i).then(() => codes.push('added'), (error: unknown) => codes.push(error instanceof DroverError ? error.code : String(error))));
  await new Promise(setImmediate);
  // All beyond the buffer were refused at once: only what was kept is still open.
  expect(5_000 - codes.length).toBeLessThanOrEqual(100 + 3 * 1_000);
  await Promise.all(calls);
  expect([...new Set(codes)]).toEqual(['REDIS_UNAVAILABLE']);
}, 30_000);
