import { describe, expect, test } from 'vitest';
import { FlowProducer, type FlowProducerOptions, type Job, type JobNode } from 'drover';
import { finished, openQueue, openWorker, redisUrl, refusal, tallyOf, uniqueName } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';
import { keyOf, openFlows } from './open-flows.js';

const children = (queueName: string, count: number): { name: string; queueName: string; data: number }[] =>
  Array.from({ length: count }, (_, i) => ({ name: 'part', queueName, data: i }));

describe('a tree of jobs', () => {
  test('over three queues and levels runs from its leaves to its root, with the results of children at hand', async () => {
    const [top, middle, leaf] = [openQueue(), openQueue(), openQueue()];
    const flows = openFlows();
    const order: string[] = [];
    const note = (job: Job): void => void order.push(job.name);
    openWorker(leaf, (job) => (note(job), Number(job.data) + 1));
    openWorker(middle, async (job) => {
      note(job);
      const values = await job.getChildrenValues<number>();
      return Object.values(values).reduce((sum, value) => sum + value, 0);
    });
    const tree = await flows.add({
      name: 'root', queueName: top.name, data: { page: 1 },
      children: [
        { name: 'left', queueName: middle.name, children: children(leaf.name, 3) },
        { name: 'right', queueName: middle.name, children: children(leaf.name, 2) },
      ],
    });
    expect(await tree.job.getState()).toBe('waiting-children');
    const values: unknown[] = [];
    const worker = openWorker(top, async (job) => {
      note(job);
      values.push(await job.getChildrenValues());
      return 'done';
    });
    const root = await finished(worker, tree.job.id);
    expect(root.returnvalue).toBe('done');
    const [left, right] = tree.children as [JobNode, JobNode];
    expect(values).toEqual([{ [keyOf(middle, left.job.id)]: 6, [keyOf(middle, right.job.id)]: 3 }]);
    expect(order.at(-1)).toBe('root');
    expect(order.filter((name) => name === 'part')).toHaveLength(5);
  });

  test('keeps falsy and binary results as they are', async () => {
    const queue = openQueue();
    const results = [0, false, '', null, new Date(5), Buffer.from([0, 255])];
    const worker = openWorker(queue, (job) => (job.name === 'root' ? job.getChildrenValues() : results[Number(job.data)]));
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, children: children(queue.name, results.length) });
    const root = await finished(worker, tree.job.id);
    expect(tree.children?.map(({ job }) => (root.returnvalue as Record<string, unknown>)[keyOf(queue, job.id)])).toEqual(results);
  });

  test('tells children who their parent is', async () => {
    const queue = openQueue();
    const tree = await openFlows().add({
      name: 'root', queueName: queue.name,
      children: [{ name: 'part', queueName: queue.name, opts: { failParentOnFailure: true, attempts: 2 } }],
    });
    const child = tree.children?.[0]?.job as Job;
    const read = (await queue.getJob(child.id)) as Job;
    for (const handle of [child, read]) {
      expect(handle.parentKey).toBe(keyOf(queue, tree.job.id));
      expect(handle.parent).toEqual({ id: tree.job.id, queueKey: queue.qualifiedName, fpof: true });
      expect(handle.opts).toEqual({ attempts: 2, failParentOnFailure: true, parent: { id: tree.job.id, queue: queue.qualifiedName } });
    }
  });

  test('may have names with colons in queues, prefixes and ids', async () => {
    const prefix = uniqueName('a:b');
    const queue = openQueue({ prefix }, uniqueName('x:y'));
    const worker = openWorker(queue, (job) => (job.name === 'root' ? job.getChildrenValues() : job.id));
    const tree = await openFlows({ prefix }).add({
      name: 'root', queueName: queue.name, opts: { jobId: 'r:1' },
      children: [{ name: 'part', queueName: queue.name, opts: { jobId: 'c:1:2' } }],
    });
    expect((await finished(worker, tree.job.id)).returnvalue).toEqual({ [keyOf(queue, 'c:1:2')]: 'c:1:2' });
    const read = await openFlows({ prefix }).getFlow({ id: 'r:1', queueName: queue.name });
    expect(read?.children?.map(({ job }) => job.id)).toEqual(['c:1:2']);
  });

  test('with a delayed root waits the delay after its children have ended', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => 'ok');
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, opts: { delay: 600_000 }, children: children(queue.name, 1) });
    await finished(worker, tree.children?.[0]?.job.id ?? '');
    await expect.poll(() => tree.job.getState()).toBe('delayed');
  });

  test('of one job is an ordinary job', async () => {
    const queue = openQueue();
    const tree = await openFlows().add({ name: 'alone', queueName: queue.name, data: 1, opts: { priority: 3 } });
    expect(tree.children).toBeUndefined();
    expect(await tree.job.getState()).toBe('prioritized');
  });

  test('keeps the priority of its parents', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined, { concurrency: 1 });
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, opts: { priority: 7 }, children: children(queue.name, 1) });
    const root = await finished(worker, tree.job.id);
    expect(root.priority).toBe(7);
  });
});

describe('many trees', () => {
  test('are added in one call per level and queue', async () => {
    const queue = openQueue();
    const flows = openFlows();
    const worker = openWorker(queue, (job) => job.data as number, { concurrency: 50 });
    const ended = tallyOf('completed', worker);
    const trees = await flows.addBulk(Array.from({ length: 100 }, () => ({ name: 'root', queueName: queue.name, children: children(queue.name, 3) })));
    await ended.reached(400);
    expect(trees).toHaveLength(100);
    expect(await queue.getJobCounts()).toMatchObject({ completed: 400, 'waiting-children': 0, waiting: 0 });
  });

  test('get the default options of their queues', async () => {
    const queue = openQueue();
    const tree = await openFlows().add(
      { name: 'root', queueName: queue.name, opts: { attempts: 2 }, children: children(queue.name, 1) },
      { queuesOptions: { [queue.name]: { defaultJobOptions: { attempts: 5, removeOnComplete: true } } } },
    );
    expect(tree.job.opts).toMatchObject({ attempts: 2, removeOnComplete: true });
    expect((await queue.getJob(tree.children?.[0]?.job.id ?? ''))?.opts).toMatchObject({ attempts: 5, removeOnComplete: true });
  });
});

describe('adding the same tree again', () => {
  test('changes nothing and hands out what is there', async () => {
    const queue = openQueue();
    const flows = openFlows();
    const flow = {
      name: 'root', queueName: queue.name, opts: { jobId: 'r' },
      children: [{ name: 'part', queueName: queue.name, opts: { jobId: 'c' } }],
    };
    await flows.add(flow);
    const again = await flows.add(flow);
    expect(again.job.deduplicated && again.children?.[0]?.job.deduplicated).toBe(true);
    expect(await again.job.getDependenciesCount()).toEqual({ processed: 0, unprocessed: 1, ignored: 0, failed: 0 });
    expect(await queue.getJobCounts('waiting', 'waiting-children')).toEqual({ waiting: 1, 'waiting-children': 1 });
  });

  test('adds what was missing, and counts a child that has ended meanwhile', async () => {
    const queue = openQueue();
    const flows = openFlows();
    await queue.add('part', 1, { jobId: 'c1' });
    const worker = openWorker(queue, (job) => (job.name === 'root' ? job.getChildrenValues() : `${job.id}!`));
    // The root may have ended before `add` has answered.
    const completed = tallyOf('completed', worker);
    await completed.reached(1);
    await flows.add({
      name: 'root', queueName: queue.name,
      children: [{ name: 'part', queueName: queue.name, opts: { jobId: 'c1' } }, { name: 'part', queueName: queue.name, opts: { jobId: 'c2' } }],
    });
    await completed.reached(3);
    expect(completed.seen.find(({ name }) => name === 'root')?.returnvalue).toEqual({ [keyOf(queue, 'c1')]: 'c1!', [keyOf(queue, 'c2')]: 'c2!' });
  });

  test('waits for the job that stands in the place of a deduplicated child', async () => {
    const queue = openQueue();
    const flows = openFlows();
    const standing = await queue.add('part', 'first', { deduplication: { id: 'same' } });
    const tree = await flows.add({
      name: 'root', queueName: queue.name, children: [{ name: 'part', queueName: queue.name, data: 'second', opts: { deduplication: { id: 'same' } } }],
    });
    expect(tree.children?.[0]?.job).toMatchObject({ id: standing.id, deduplicated: true });
    const worker = openWorker(queue, (job) => (job.name === 'root' ? job.getChildrenValues() : job.data as string));
    expect((await finished(worker, tree.job.id)).returnvalue).toEqual({ [keyOf(queue, standing.id)]: 'first' });
  });

  test('leaves a job with the parent it has', async () => {
    const queue = openQueue();
    const flows = openFlows();
    const child = { name: 'part', queueName: queue.name, opts: { jobId: 'c' } };
    const first = await flows.add({ name: 'root', queueName: queue.name, children: [child] });
    const second = await flows.add({ name: 'root', queueName: queue.name, children: [child] });
    expect(await first.job.getDependenciesCount()).toMatchObject({ unprocessed: 1 });
    expect(await second.job.getDependenciesCount()).toMatchObject({ unprocessed: 0 });
    expect(second.children?.[0]?.job.parentKey).toBe(keyOf(queue, first.job.id));
    expect(await second.job.getState()).toBe('waiting');
  });
});

describe('a tree that is wrong somewhere', () => {
  const queueName = uniqueName();
  const self: { name: string; queueName: string; children: unknown[] } = { name: 'loop', queueName, children: [] };
  self.children.push(self);
  test.each([
    ['a missing queue', { name: 'a', children: [] }, 'INVALID_NAME', 'flow.queueName'],
    ['a wrong option below', { name: 'a', queueName, children: [{ name: 'b', queueName, opts: { attempts: -1 } }] }, 'INVALID_OPTION', 'flow.children[0].opts.attempts'],
    ['a name that is no text', { name: 'a', queueName, children: [{ name: 5, queueName }] }, 'INVALID_NAME', 'flow.children[0].name'],
    ['an unknown field', { name: 'a', queueName, childs: [] }, 'UNKNOWN_OPTION', 'flow.childs'],
    ['a parent below the root', { name: 'a', queueName, children: [{ name: 'b', queueName, opts: { parent: { id: 'x', queue: 'y' } } }] }, 'INVALID_OPTION', 'flow.children[0].opts.parent'],
    ['deduplication of a parent', { name: 'a', queueName, opts: { deduplication: { id: 'd' } }, children: [{ name: 'b', queueName }] }, 'INVALID_OPTION', 'flow.opts.deduplication'],
    ['a child that is kept back', { name: 'a', queueName, children: [{ name: 'b', queueName, opts: { deduplication: { id: 'd', keepLastIfActive: true } } }] }, 'INVALID_OPTION', 'flow.children[0].opts.deduplication.keepLastIfActive'],
    ['a tree that contains itself', self, 'INVALID_OPTION', 'flow'],
    ['no tree at all', null, 'INVALID_OPTION', 'flow'],
  ])('%s is refused by name before anything is written', async (_, flow, code, field) => {
    const flows = openFlows();
    const queue = openQueue({}, queueName);
    expect(await refusal(() => flows.add(flow as never))).toMatchObject({ code, field });
    expect(await queue.getJobCountByTypes()).toBe(0);
  });

  test('a root whose parent does not exist is refused', async () => {
    const queue = openQueue();
    const parent = { id: 'nobody', queue: queue.qualifiedName };
    const error = await refusal(() => openFlows().add({ name: 'a', queueName: queue.name, opts: { parent }, children: children(queue.name, 1) }));
    expect(error.code).toBe('PARENT_NOT_FOUND');
    expect(await queue.getJobCountByTypes()).toBe(0);
  });
});

test('a flow producer made for the backend of a queue borrows its connection, and need not be closed', async () => {
  const queue = openQueue({ connection: { url: redisUrl, connectionName: uniqueName() } });
  expect(queue.getBackend()).toBe(queue.getBackend());
  const flows = new FlowProducer({ ...queue.opts, defaultJobOptions: {} } as FlowProducerOptions, () => queue.getBackend());
  await flows.add({ name: 'root', queueName: queue.name, children: children(queue.name, 1) });
  const { client } = queue.getBackend();
  await queue.obliterate();
  await queue.close();
  await until('the connection has closed', () => client.status === 'end');
});
