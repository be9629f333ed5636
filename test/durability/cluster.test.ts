import { expect, onTestFinished, test } from 'vitest';
import { Queue, type Job } from 'drover';
import { uniqueName } from '../support/behaviour.js';
import { startCluster } from '../support/servers/start-cluster.js';

test('on a cluster, calls follow a slot that moves, and are confirmed by the node that carried them out', async () => {
  const cluster = await startCluster({ redis: { appendonly: 'always' } });
  onTestFinished(() => cluster.stop());
  const queue = new Queue(uniqueName(), { connection: { nodes: cluster.addresses() }, durability: 'fsynced' });
  onTestFinished(() => queue.close());
  queue.on('error', () => undefined);
  await queue.add('first', 0);
  const slot = await cluster.slotOf(queue.toKey('meta'));
  const from = await cluster.ownerOf(slot);
  const to = cluster.nodes.find((node) => node !== from) ?? from;
  const during: Promise<Job>[] = [];
  await cluster.migrateSlot(slot, from, to, {
    beforeKey: () => void during.push(queue.add('split', 1)),
    beforeHandover: () => void during.push(queue.add('asked', 2)),
  });
  const after = await queue.add('moved', 3);
  const ids = [...(await Promise.all(during)), after].map(({ id }) => id);
  const stored = await (await to.control()).hmget(queue.toKey('job'), ...ids);
  expect(stored).not.toContain(null);
  expect(await queue.getWaitingCount()).toBe(ids.length + 1);
}, 60_000);
