import { Cluster } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { createIORedisClient, isRedisCluster, isRedisInstance, Queue, QUEUE_EVENT_SUFFIX, QueueEvents } from 'drover';
import { openQueue, openRedis, redisUrl } from '../../support/behaviour.js';

test('clients are told from options, and those of a cluster from others', () => {
  const cluster = new Cluster([redisUrl], { lazyConnect: true });
  onTestFinished(() => cluster.disconnect());
  const things = [openRedis(), cluster, { host: 'localhost' }, redisUrl, {}, null, undefined, 1];
  expect(things.map(isRedisInstance)).toEqual([true, true, ...things.slice(2).map(() => false)]);
  expect(things.map(isRedisCluster)).toEqual([false, true, ...things.slice(2).map(() => false)]);
});

test('a client that is wrapped for BullMQ is the one that the queue uses', async () => {
  const client = openRedis();
  await using queue = new Queue(openQueue().name, { connection: createIORedisClient(client) });
  expect(queue.getBackend().client).toBe(client);
  await queue.add('a', 1);
  expect([await queue.getWaitingCount(), await queue.removeDeprecatedPriorityKey()]).toEqual([1, 0]);
});

test('the connection of a QueueEvents ends its name as in BullMQ', async () => {
  const queue = openQueue();
  await using events = new QueueEvents(queue.name, { connection: redisUrl });
  await events.waitUntilReady();
  const names = String(await openRedis().client('LIST')).split('\n').map((line) => / name=(\S*)/.exec(line)?.[1]);
  expect(names).toContain(queue.clientName(QUEUE_EVENT_SUFFIX));
});
