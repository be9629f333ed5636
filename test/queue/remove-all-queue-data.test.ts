import { expect, onTestFinished, test } from 'vitest';
import { Queue, removeAllQueueData } from 'drover';
import { openQueue, openRedis, refusal, uniqueName } from '../support/behaviour.js';
import { startCluster } from '../support/servers/start-cluster.js';

const keysOf = async (queue: Queue): Promise<number> => (await openRedis().keys('*')).filter((key) => key.startsWith(queue.keys.base)).length;

test('every key of a queue is removed, whatever its name has in it, and those of no other; then the client has ended', async () => {
  const id = uniqueName();
  for (const name of [`${id}-a*b`, `${id}-a?b`, `${id}-[ab]`, `${id}-a\\b`]) {
    const [queue, likeIt] = [openQueue({}, name), openQueue({}, name.replace(/[*?\\]/, 'x').replace('[ab]', 'a'))];
    await Promise.all([queue.add('a', 1, { delay: 1000 }), likeIt.add('a', 1)]);
    const [before, client] = [await keysOf(likeIt), openRedis()];
    expect(await keysOf(queue)).toBeGreaterThan(2);
    await removeAllQueueData(client, name);
    expect([await keysOf(queue), await keysOf(likeIt), client.status]).toEqual([0, before, 'end']);
  }
});

test('the prefix is that of the queue', async () => {
  const [queue, other] = [openQueue({ prefix: 'mine' }), openQueue()];
  await Promise.all([queue.add('a', 1), other.add('a', 1)]);
  await removeAllQueueData(openRedis(), queue.name);
  expect(await queue.getWaitingCount()).toBe(1);
  await removeAllQueueData(openRedis(), queue.name, 'mine');
  expect([await keysOf(queue), await other.getWaitingCount()]).toEqual([0, 1]);
});

test('a name that is none would remove more than a queue, and is refused', async () => {
  expect(await refusal(() => removeAllQueueData(openRedis(), ''))).toMatchObject({ field: 'queueName' });
  expect(await refusal(() => removeAllQueueData(openRedis(), 'a', ''))).toMatchObject({ field: 'prefix' });
});

test('on a cluster the queue is found on its node', { timeout: 60_000 }, async () => {
  const cluster = await startCluster({ primaries: 3 });
  onTestFinished(() => cluster.stop());
  for (let i = 0; i < 4; i++) {
    await using queue = new Queue(`q${i}`, { connection: cluster.connect() });
    await queue.add('a', 1);
    await removeAllQueueData(cluster.connect(), queue.name);
    expect(await queue.getWaitingCount()).toBe(0);
  }
});
