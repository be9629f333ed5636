import { expect, onTestFinished, test } from 'vitest';
import { Queue } from '../../src/index.js';
import { startCluster } from '../support/servers/start-cluster.js';

test('a node that is down does not keep the others from learning a script', async () => {
  const cluster = await startCluster({ redis: { config: { 'cluster-require-full-coverage': 'no' } } });
  const queue = new Queue('q', { connection: { nodes: cluster.addresses() } });
  onTestFinished(async () => {
    await queue.close();
    await cluster.stop();
  });
  await queue.add('n', 1);
  const owner = await cluster.ownerOf(await cluster.slotOf(queue.keys.key('meta')));
  const other = cluster.nodes.find((node) => node !== owner);
  await other?.freeze();
  await (await owner.control()).script('FLUSH');
  const job = await queue.add('n', 2);
  await other?.thaw();
  expect((await queue.getWaiting()).map(({ id }) => id)).toContain(job.id);
});
