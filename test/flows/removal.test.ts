import { describe, expect, test } from 'vitest';
import type { Job, Queue } from 'drover';
import { Scheduler } from '../../src/scheduler/scheduler.js';
import { finished, gate, openQueue, openWorker, refusal, tallyOf } from '../support/behaviour.js';
import { openFlows } from './open-flows.js';

const total = (...queues: Queue[]): Promise<number[]> => Promise.all(queues.map((queue) => queue.getJobCountByTypes()));
const booksOf = async (queue: Queue): Promise<string[]> => (await queue.client).keys(`${queue.keys.base}children:*`);

async function addTree(top: Queue, leaf: Queue): Promise<{ root: Job; middle: Job; leaves: Job[] }> {
  const tree = await openFlows().add({
    name: 'root', queueName: top.name,
    children: [{ name: 'middle', queueName: top.name, children: [{ name: 'leaf', queueName: leaf.name }, { name: 'leaf', queueName: leaf.name }] }],
  });
  const middle = tree.children?.[0];
  return { root: tree.job, middle: middle?.job as Job, leaves: middle?.children?.map(({ job }) => job) ?? [] };
}

describe('removing a job', () => {
  test('removes the tree below it, and leaves nothing behind', async () => {
    const [top, leaf] = [openQueue(), openQueue()];
    const { root } = await addTree(top, leaf);
    await root.remove();
    expect(await total(top, leaf)).toEqual([0, 0]);
    expect(await booksOf(top)).toEqual([]);
    const client = await top.client;
    expect(await client.exists(top.toKey('pending'), top.toKey('orphans'), top.toKey('outbox'), leaf.toKey('outbox'), top.toKey('state'), leaf.toKey('state'))).toBe(0);
  });

  test('through its queue does the same, and tells whether there was one', async () => {
    const [top, leaf] = [openQueue(), openQueue()];
    const { root } = await addTree(top, leaf);
    expect(await top.remove(root.id)).toBe(1);
    expect(await total(top, leaf)).toEqual([0, 0]);
    expect(await top.remove(root.id)).toBe(0);
  });

  test('keeps its children when told so, and they run', async () => {
    const [top, leaf] = [openQueue(), openQueue()];
    const { middle, root, leaves } = await addTree(top, leaf);
    await middle.remove({ removeChildren: false });
    expect(await total(top, leaf)).toEqual([1, 2]);
    expect(await root.getState()).toBe('waiting');
    await finished(openWorker(leaf, () => 'ran'), leaves[1]?.id ?? '');
  });

  test('lets its parent go on', async () => {
    const [top, leaf] = [openQueue(), openQueue()];
    const { root, middle, leaves } = await addTree(top, leaf);
    for (const job of leaves) await job.remove();
    expect(await middle.getState()).toBe('waiting');
    expect(await middle.getDependenciesCount()).toEqual({ processed: 0, unprocessed: 0, ignored: 0, failed: 0 });
    expect(await root.getState()).toBe('waiting-children');
  });

  test('is refused as a whole while a worker holds a descendant', async () => {
    const [top, leaf] = [openQueue(), openQueue()];
    const { root } = await addTree(top, leaf);
    const held = (await openWorker(leaf, null).getNextJob('mine')) as Job;
    expect(await refusal(() => root.remove())).toMatchObject({ code: 'JOB_LOCKED', message: expect.stringContaining(held.id) });
    expect((await refusal(() => top.remove(root.id))).code).toBe('JOB_LOCKED');
    expect(await total(top, leaf)).toEqual([2, 2]);
  });

  test('that has ended leaves its result with its parent', async () => {
    const queue = openQueue();
    const blocker = gate();
    const worker = openWorker(queue, (job) => (job.data === 'slow' ? blocker.promise : 'result'), { concurrency: 2 });
    const tree = await openFlows().add({
      name: 'root', queueName: queue.name, children: [{ name: 'quick', queueName: queue.name }, { name: 'slow', queueName: queue.name, data: 'slow' }],
    });
    await finished(worker, tree.children?.[0]?.job.id ?? '');
    await tree.children?.[0]?.job.remove();
    blocker.open();
    await finished(worker, tree.job.id);
    expect(Object.values(await tree.job.getChildrenValues())).toContain('result');
  });

  test('that failed lets a parent go on that waits all the same', async () => {
    const [top, leaf] = [openQueue(), openQueue()];
    const worker = openWorker(leaf, () => {
      throw new Error('no');
    });
    const failed = tallyOf('failed', worker);
    const tree = await openFlows().add({ name: 'root', queueName: top.name, children: [{ name: 'leaf', queueName: leaf.name }] });
    await failed.reached(1);
    await expect.poll(() => tree.job.getDependenciesCount({ failed: true })).toEqual({ failed: 1 });
    await tree.children?.[0]?.job.remove();
    expect(await tree.job.getState()).toBe('waiting');
  });
});

describe('whole queues', () => {
  test('that are drained, cleaned or obliterated tell the parents elsewhere', async () => {
    const [top, drained, obliterated] = [openQueue(), openQueue(), openQueue()];
    const tree = await openFlows().add({
      name: 'root', queueName: top.name, children: [{ name: 'a', queueName: drained.name }, { name: 'b', queueName: obliterated.name, children: [{ name: 'c', queueName: drained.name }] }],
    });
    await drained.drain();
    expect(await tree.children?.[1]?.job.getState()).toBe('waiting');
    await obliterated.obliterate();
    expect(await tree.job.getState()).toBe('waiting');
    expect(await (await top.client).keys(`${obliterated.keys.base}*`)).toEqual([]);
  });
});

describe('retention', () => {
  test('takes the books of a forgotten parent along', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => 1);
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, opts: { removeOnComplete: true }, children: [{ name: 'leaf', queueName: queue.name }] });
    await finished(worker, tree.job.id);
    const scheduler = new Scheduler({
      jobs: queue.jobs, maxStalledCount: 1, leaseMs: 30_000, stalledIntervalMs: 1000, skipStalledCheck: true, keepFailed: -1, completedAgeMs: -1, failedAgeMs: -1,
      recovering: async (recover) => void (await recover()), stalled: () => undefined, failed: () => undefined, retryDelayMs: 1000,
    });
    scheduler.noteFlows();
    await expect.poll(() => booksOf(queue)).toEqual([]);
    await scheduler.stop();
    expect(await (await queue.client).exists(queue.toKey('pending'), queue.toKey('orphans'))).toBe(0);
  });

  test('never takes the books of a new parent under an old id', async () => {
    const queue = openQueue();
    const flows = openFlows();
    const flow = { name: 'root', queueName: queue.name, opts: { jobId: 'same' }, children: [{ name: 'leaf', queueName: queue.name }] };
    const first = await flows.add(flow);
    await first.job.remove({ removeChildren: false });
    expect(await booksOf(queue)).toHaveLength(1);
    const second = await flows.add(flow);
    expect(await second.job.getDependenciesCount()).toMatchObject({ unprocessed: 1 });
    expect(await (await queue.client).exists(queue.toKey('orphans'))).toBe(0);
  });
});

describe('leaving a parent', () => {
  test('removeChildDependency ends the wait for one child', async () => {
    const queue = openQueue();
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, children: [{ name: 'leaf', queueName: queue.name }] });
    const child = (await queue.getJob(tree.children?.[0]?.job.id ?? '')) as Job;
    expect(await child.removeChildDependency()).toBe(true);
    expect(child.parentKey).toBeUndefined();
    expect((await queue.getJob(child.id))?.parentKey).toBeUndefined();
    expect(await tree.job.getState()).toBe('waiting');
    expect(await child.removeChildDependency()).toBe(false);
    expect(await tree.job.removeChildDependency()).toBe(false);
  });

  test('is refused when the parent is gone', async () => {
    const queue = openQueue();
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, children: [{ name: 'leaf', queueName: queue.name }] });
    await tree.job.remove({ removeChildren: false });
    expect((await refusal(() => tree.children?.[0]?.job.removeChildDependency())).code).toBe('PARENT_NOT_FOUND');
  });

  test('removeUnprocessedChildren removes what has not begun, with its descendants', async () => {
    const [top, leaf] = [openQueue(), openQueue()];
    const tree = await openFlows().add({
      name: 'root', queueName: top.name,
      children: [
        { name: 'ended', queueName: leaf.name, opts: { priority: 1 } }, { name: 'held', queueName: leaf.name, opts: { priority: 2 } },
        { name: 'open', queueName: leaf.name, opts: { priority: 3 } },
        { name: 'branch', queueName: top.name, children: [{ name: 'deep', queueName: leaf.name, opts: { priority: 4 } }] },
      ],
    });
    const worker = openWorker(leaf, null);
    const ended = (await worker.getNextJob('one')) as Job;
    await ended.moveToCompleted('yes', 'one');
    await worker.getNextJob('two');
    await tree.job.removeUnprocessedChildren();
    expect(await leaf.getJobCounts('completed', 'active', 'prioritized')).toEqual({ completed: 1, active: 1, prioritized: 0 });
    expect(await total(top)).toEqual([1]);
    await expect.poll(() => tree.job.getDependenciesCount()).toEqual({ processed: 1, unprocessed: 1, ignored: 0, failed: 0 });
  });
});
