import { describe, expect, test } from 'vitest';
import type { Job } from 'drover';
import { finished, openQueue, openWorker, refusal } from '../support/behaviour.js';
import { keyOf, openFlows } from './open-flows.js';

describe('getFlow', () => {
  test('reads a tree over its queues, with the state of each job', async () => {
    const [top, leaf] = [openQueue(), openQueue()];
    const flows = openFlows();
    const tree = await flows.add({
      name: 'root', queueName: top.name, data: 'r',
      children: [
        { name: 'middle', queueName: top.name, children: [{ name: 'leaf', queueName: leaf.name, data: 1 }, { name: 'leaf', queueName: leaf.name, data: 2 }] },
        { name: 'other', queueName: leaf.name, data: 3 },
      ],
    });
    await finished(openWorker(leaf, (job) => job.data as number), tree.children?.[1]?.job.id ?? '');
    const read = await flows.getFlow({ id: tree.job.id, queueName: top.name });
    expect(read?.job).toMatchObject({ id: tree.job.id, name: 'root', data: 'r' });
    const middle = read?.children?.find(({ job }) => job.name === 'middle');
    expect(read?.children?.map(({ job }) => job.name).sort()).toEqual(['middle', 'other']);
    expect(middle?.children?.map(({ job }) => job.data as number).sort()).toEqual([1, 2]);
    expect(middle?.children?.[0]?.job.queueName).toBe(leaf.name);
  });

  test('stops at the depth and number of children asked for', async () => {
    const queue = openQueue();
    const flows = openFlows();
    const leaves = Array.from({ length: 30 }, () => ({ name: 'leaf', queueName: queue.name }));
    const tree = await flows.add({ name: 'root', queueName: queue.name, children: [{ name: 'middle', queueName: queue.name, children: leaves }] });
    const request = { id: tree.job.id, queueName: queue.name };
    expect((await flows.getFlow({ ...request, depth: 1 }))?.children).toBeUndefined();
    expect((await flows.getFlow({ ...request, depth: 2 }))?.children?.[0]?.children).toBeUndefined();
    expect((await flows.getFlow(request))?.children?.[0]?.children).toHaveLength(20);
    expect((await flows.getFlow({ ...request, maxChildren: 7 }))?.children?.[0]?.children).toHaveLength(7);
  });

  test('leaves out what is gone, and knows nothing of a root that is', async () => {
    const queue = openQueue();
    const flows = openFlows();
    const tree = await flows.add({
      name: 'root', queueName: queue.name,
      children: [{ name: 'gone', queueName: queue.name, opts: { removeOnComplete: true } }, { name: 'kept', queueName: queue.name }],
    });
    await finished(openWorker(queue, () => 1), tree.job.id);
    expect((await flows.getFlow({ id: tree.job.id, queueName: queue.name }))?.children?.map(({ job }) => job.name)).toEqual(['kept']);
    expect(await flows.getFlow({ id: 'nobody', queueName: queue.name })).toBeUndefined();
  });

  test.each([[{ queueName: 'q' }, 'id'], [{ id: 'x' }, 'queueName'], [{ id: 'x', queueName: 'q', depth: 0 }, 'depth'], [{ id: 'x', queueName: 'q', levels: 2 }, 'levels']])(
    'refuses %j', async (opts, field) => {
      expect(await refusal(() => openFlows().getFlow(opts as never))).toMatchObject({ field });
    },
  );
});

describe('the children of a job', () => {
  test('are read in pages that together hold each of them', async () => {
    const queue = openQueue();
    const children = Array.from({ length: 700 }, (_, i) => ({ name: 'leaf', queueName: queue.name, opts: { jobId: `c${i}` } }));
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, children });
    const seen = new Set<string>();
    let cursor = 0;
    do {
      const page: Awaited<ReturnType<Job['getDependencies']>> = await tree.job.getDependencies({ unprocessed: { cursor, count: 50 }, processed: { count: 50 } });
      for (const key of page.unprocessed ?? []) seen.add(key);
      expect(page.processed).toEqual({});
      expect(page.ignored).toBeUndefined();
      cursor = page.nextUnprocessedCursor ?? 0;
    } while (cursor !== 0);
    expect(seen.size).toBe(700);
  });

  test('are counted by kind', async () => {
    const queue = openQueue();
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, children: [{ name: 'leaf', queueName: queue.name }] });
    expect(await tree.job.getDependenciesCount({ unprocessed: true })).toEqual({ unprocessed: 1 });
    const alone = await queue.add('alone', 1);
    expect(await alone.getDependenciesCount()).toEqual({ processed: 0, unprocessed: 0, ignored: 0, failed: 0 });
    expect(await alone.getChildrenValues()).toEqual({});
    expect(await alone.getDependencies()).toEqual({ processed: {}, unprocessed: [], ignored: {}, failed: [] });
  });

  test('are listed by the queue, with their jobs', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const tree = await openFlows().add({
      name: 'root', queueName: parents.name, children: [1, 2, 3].map((data) => ({ name: 'leaf', queueName: leaves.name, data, opts: { jobId: `c${data}` } })),
    });
    const pending = await parents.getDependencies(tree.job.id, 'pending', 0, -1);
    expect(pending).toMatchObject({ total: 3, jobs: expect.arrayContaining([expect.objectContaining({ id: 'c2', data: 2 })]) });
    expect(pending.items).toHaveLength(3);
    await finished(openWorker(leaves, (job) => Number(job.data) * 10), 'c3');
    await expect.poll(async () => (await parents.getDependencies(tree.job.id, 'processed', 0, 0)).total).toBe(3);
    const page = await parents.getDependencies(tree.job.id, 'processed', 1, 2);
    expect(page.items).toHaveLength(2);
    for (const { id, v } of page.items) expect(id).toBe(keyOf(leaves, `c${v / 10}`));
  });

  test('are asked for with options of the right kind', async () => {
    const queue = openQueue();
    const job = await queue.add('job', 1);
    expect(await refusal(() => job.getDependencies({ processed: { count: 0 } }))).toMatchObject({ code: 'INVALID_OPTION', field: 'opts.processed.count' });
  });
});
