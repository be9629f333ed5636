import { describe, expect, test } from 'vitest';
import type { Job, Queue } from 'drover';
import { plant } from '../../src/redis/scripts/plant.js';
import { Reconciler } from '../../src/scheduler/reconciler.js';
import { packRecord } from '../../src/core/job-record.js';
import { finished, openQueue, openWorker, tallyOf } from '../support/behaviour.js';
import { entryOf, keyOf, openFlows } from './open-flows.js';

/** A parent that was planted by a producer which crashed before it added the children. */
async function plantOnly(parents: Queue, leaves: Queue, count: number): Promise<Job> {
  const children = Array.from({ length: count }, (_, i) => entryOf(leaves, `c${i}`));
  await parents.connection.run(plant, parents.keys, { parents: [{ id: 'p', record: packRecord('p', null, 1, undefined), name: 'p', children }] });
  return (await parents.getJob('p')) as Job;
}

/** Goes through all waiting parents once. */
async function round(reconciler: Reconciler): Promise<void> {
  while (!(await reconciler.step()));
}

describe('a parent whose children were never added', () => {
  test('fails after two looks, and says which child is missing', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const parent = await plantOnly(parents, leaves, 2);
    const reconciler = new Reconciler(parents.jobs, 0);
    await round(reconciler);
    expect(await parent.getState()).toBe('waiting-children');
    await round(reconciler);
    expect(await parent.getState()).toBe('waiting');
    const missing = keyOf(leaves, 'c0').replace(/c0$/, 'c[01] is missing');
    await expect(finished(openWorker(parents, () => 1), 'p')).rejects.toThrow(new RegExp(missing));
    expect(await parent.getDependenciesCount()).toEqual({ processed: 0, unprocessed: 0, ignored: 0, failed: 2 });
  });

  test('is left alone before the grace is over', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const parent = await plantOnly(parents, leaves, 1);
    const reconciler = new Reconciler(parents.jobs, 60_000);
    await round(reconciler);
    await round(reconciler);
    expect(await parent.getState()).toBe('waiting-children');
  });

  test('waits on when they are added between the looks', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const parent = await plantOnly(parents, leaves, 1);
    const reconciler = new Reconciler(parents.jobs, 0);
    await round(reconciler);
    await leaves.add('child', 1, { jobId: 'c0', parent: { id: 'p', queue: parents.qualifiedName } });
    await round(reconciler);
    await round(reconciler);
    expect(await parent.getState()).toBe('waiting-children');
    openWorker(leaves, () => 'came late');
    expect(Object.values((await finished(openWorker(parents, (job) => job.getChildrenValues()), 'p')).returnvalue as object)).toEqual(['came late']);
  });

  test('is found among many, in bounded steps', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    await openFlows().addBulk(Array.from({ length: 250 }, () => ({
      name: 'fine', queueName: parents.name, children: Array.from({ length: 8 }, () => ({ name: 'leaf', queueName: leaves.name })),
    })));
    const parent = await plantOnly(parents, leaves, 1);
    const reconciler = new Reconciler(parents.jobs, 0);
    let steps = 1;
    while (!(await reconciler.step())) steps++;
    expect(steps).toBeGreaterThan(2);
    await round(reconciler);
    expect(await parent.getState()).toBe('waiting');
    expect(await parents.getJobCounts('waiting', 'waiting-children')).toEqual({ waiting: 1, 'waiting-children': 250 });
  });
});

describe('a parent whose letter was lost', () => {
  test.each([['completed', 'yes'], ['failed', undefined]] as const)('hears again of a child that %s', async (state, value) => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const worker = openWorker(leaves, () => {
      if (state === 'failed') throw new Error('no');
      return value;
    });
    worker.jobs.courier.deliver = () => Promise.resolve();
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [{ name: 'leaf', queueName: leaves.name, opts: { ignoreDependencyOnFailure: true } }] });
    await tallyOf(state, worker).reached(1);
    await worker.close();
    await (await leaves.client).del(leaves.toKey('outbox'));
    await round(new Reconciler(parents.jobs, 0));
    expect(await tree.job.getState()).toBe('waiting');
    expect(await tree.job.getDependenciesCount()).toMatchObject(state === 'completed' ? { processed: 1 } : { ignored: 1 });
  });

  test('goes on when a child that had failed was swept since', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const worker = openWorker(leaves, () => {
      throw new Error('no');
    });
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [{ name: 'leaf', queueName: leaves.name, opts: { jobId: 'c' } }] });
    await tallyOf('failed', worker).reached(1);
    await expect.poll(() => tree.job.getDependenciesCount({ failed: true })).toEqual({ failed: 1 });
    for (const key of ['job', 'state', 'outcome', 'history']) await (await leaves.client).hdel(leaves.toKey(key), 'c');
    await (await leaves.client).zrem(leaves.toKey('failed'), 'c');
    const reconciler = new Reconciler(parents.jobs, 0);
    await round(reconciler);
    await round(reconciler);
    expect(await tree.job.getState()).toBe('waiting');
    expect((await parents.getJob(tree.job.id))?.deferredFailure).toBeUndefined();
  });
});

describe('a parent that nothing keeps', () => {
  test('goes on', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const parent = await plantOnly(parents, leaves, 1);
    await (await parents.client).hset(parents.toKey('pending'), 'p', '0 0 1 0 0');
    await round(new Reconciler(parents.jobs, 0));
    expect(await parent.getState()).toBe('waiting');
  });
});
