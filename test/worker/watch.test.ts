import { expect, test } from 'vitest';
import { idleWorkers, once, openQueue, openRedis, openWorker, tallyOf } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

test('a job whose wake-up was lost with the worker that took it runs within 10 s', async () => {
  const queue = openQueue();
  // Blocked before the worker, so it is given the marker, and does nothing with it.
  const [dying, redis] = [openRedis(), openRedis()];
  const woken = dying.bzpopmin(queue.toKey('marker'), 0);
  await until('it waits', async () => String(await redis.call('CLIENT', 'LIST')).includes('cmd=bzpopmin'));
  const worker = openWorker(queue, () => undefined);
  const completed = tallyOf('completed', worker);
  await once(worker, 'ready');
  await until('the worker waits', async () => (await idleWorkers(queue)) >= 1);
  const askedAt = performance.now();
  await queue.add('a', 1);
  expect(await woken).not.toBeNull();
  await completed.reached(1);
  expect(performance.now() - askedAt).toBeLessThan(10_000);
});
