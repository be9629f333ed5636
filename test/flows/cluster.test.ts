import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { FlowProducer, Queue, Worker, type ConnectionOptions } from 'drover';
import type { ClusterDeployment } from '../support/servers/cluster-deployment.js';
import { startCluster } from '../support/servers/start-cluster.js';
import { finished, uniqueName } from '../support/behaviour.js';

let cluster: ClusterDeployment;
beforeAll(async () => {
  cluster = await startCluster({ primaries: 3 });
}, 60_000);
afterAll(() => cluster.stop());

describe('on a Redis Cluster', { timeout: 60_000 }, () => {
  test('parent and children may live on different nodes', async () => {
    const connection: ConnectionOptions = { nodes: cluster.nodes.map(({ host, port }) => ({ host, port })) };
    const queues = Array.from({ length: 8 }, () => new Queue(uniqueName(), { connection }));
    const flows = new FlowProducer({ connection });
    const workers = queues.map(({ name }) => new Worker(name, async (job) => Object.values(await job.getChildrenValues<number>()).reduce((sum, n) => sum + n, 1), { connection }));
    onTestFinished(async () => void (await Promise.all([flows.close(), ...workers.map((worker) => worker.close(true)), ...queues.map((queue) => queue.close())])));
    const owners = new Set(await Promise.all(queues.map(async (queue) => cluster.ownerOf(await cluster.slotOf(queue.toKey('wait'))))));
    expect(owners.size).toBeGreaterThan(1);

    const [root, ...others] = queues as [Queue, ...Queue[]];
    const tree = await flows.add({
      name: 'root', queueName: root.name,
      children: others.map((queue, i) => ({ name: 'child', queueName: queue.name, children: [{ name: 'leaf', queueName: (others[(i + 1) % others.length] as Queue).name }] })),
    });
    const done = await finished(workers[0] as Worker, tree.job.id);
    expect(done.returnvalue).toBe(1 + 2 * others.length);
    await flows.getFlow({ id: tree.job.id, queueName: root.name }).then((read) => expect(read?.children).toHaveLength(others.length));
    await tree.job.remove();
    expect(await Promise.all(queues.map((queue) => queue.getJobCountByTypes()))).toEqual(queues.map(() => 0));
  });
});
