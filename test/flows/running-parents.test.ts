import { describe, expect, test } from 'vitest';
import { WaitingChildrenError, type Job } from 'drover';
import { finished, gate, openQueue, openWorker, once, refusal, rejection } from '../support/behaviour.js';
import { keyOf, openFlows } from './open-flows.js';

describe('a job that is running', () => {
  test('gets children, waits for them and goes on with their results', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const waits = gate();
    openWorker(leaves, (job) => waits.promise.then(() => Number(job.data) * 2), { concurrency: 3 });
    const starts: number[] = [];
    const worker = openWorker(parents, async (job, token) => {
      starts.push(job.attemptsStarted);
      const parent = { id: job.id, queue: job.queueQualifiedName };
      if (job.data === 'new') {
        await job.updateData('asked');
        await leaves.add('one', 1, { parent });
        await leaves.addBulk([{ name: 'two', data: 2, opts: { parent } }, { name: 'three', data: 3, opts: { parent } }]);
      }
      if (await job.moveToWaitingChildren(token ?? '')) {
        waits.open();
        throw new WaitingChildrenError();
      }
      return job.getChildrenValues();
    });
    const job = await parents.add('job', 'new');
    const done = await finished(worker, job.id);
    expect(Object.values(done.returnvalue as object).sort()).toEqual([2, 4, 6]);
    expect(starts).toEqual([1, 2]);
    expect(done.attemptsMade).toBe(1);
  });

  test('goes on when there is nothing to wait for', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, (job, token) => job.moveToWaitingChildren(token ?? ''));
    expect((await finished(worker, (await queue.add('job', 1)).id)).returnvalue).toBe(false);
  });

  test('waits for one child in particular', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const worker = openWorker(parents, async (job, token) => {
      const parent = { id: job.id, queue: job.queueQualifiedName };
      const [first] = await leaves.addBulk([{ name: 'a', data: 1, opts: { parent } }, { name: 'b', data: 2, opts: { parent } }]);
      await first?.remove();
      const answers = [await job.moveToWaitingChildren(token ?? '', { child: { id: first?.id ?? '', queue: leaves.qualifiedName } })];
      await job.removeUnprocessedChildren();
      return answers;
    });
    expect((await finished(worker, (await parents.add('job', 1)).id)).returnvalue).toEqual([false]);
  });

  test('cannot complete while a child has not ended', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const worker = openWorker(parents, async (job) => {
      await leaves.add('child', 1, { parent: { id: job.id, queue: job.queueQualifiedName } });
    });
    const job = await parents.add('job', 1);
    expect(await rejection(finished(worker, job.id))).toMatchObject({ code: 'PENDING_CHILDREN' });
    expect(await parents.getJob(job.id)).toMatchObject({ attemptsMade: 1, failedReason: expect.stringContaining('pending dependencies') });
  });

  test.each(['the same queue', 'another queue'])('completes when its child in %s has ended, of which it heard by an event', async (where) => {
    const queue = openQueue();
    const leaves = where === 'another queue' ? openQueue() : queue;
    if (leaves !== queue) openWorker(leaves, () => 2);
    const worker = openWorker(queue, async (job) => {
      if (job.name === 'child') return 2;
      return (await leaves.addAndWait('child', 1, { parent: { id: job.id, queue: job.queueQualifiedName } })) as number;
    }, { concurrency: 2 });
    for (let i = 0; i < 20; i++) expect((await finished(worker, (await queue.add('parent', i)).id)).returnvalue).toBe(2);
  });

  test('that could not complete is not left behind by a worker that closes', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const closing = gate();
    const worker = openWorker(parents, async (job) => {
      await leaves.add('child', 1, { parent: { id: job.id, queue: job.queueQualifiedName } });
      closing.open();
    });
    const job = await parents.add('job', 1);
    await closing.promise;
    await worker.close();
    expect(await job.getState()).toBe('failed');
  });

  test('cannot be completed by hand either, and keeps its lease', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const job = await parents.add('job', 1);
    await leaves.add('child', 1, { jobId: 'c', parent: { id: job.id, queue: job.queueQualifiedName } });
    const held = (await openWorker(parents, null).getNextJob('mine')) as Job;
    expect((await refusal(() => held.moveToCompleted('x', 'mine'))).code).toBe('PENDING_CHILDREN');
    expect(await held.getState()).toBe('active');
    await leaves.remove('c');
    await held.moveToCompleted('x', 'mine');
    expect(await held.getState()).toBe('completed');
  });

  test('that was taken by hand is let go with its token only', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const job = await parents.add('job', 1);
    await leaves.add('child', 1, { parent: { id: job.id, queue: job.queueQualifiedName } });
    const held = (await openWorker(parents, null).getNextJob('mine')) as Job;
    expect((await refusal(() => held.moveToWaitingChildren('not mine'))).code).toBe('LEASE_LOST');
    expect(await held.moveToWaitingChildren('mine')).toBe(true);
    expect(await held.getState()).toBe('waiting-children');
  });

  test('is told when a child failed that it is to fail with', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    openWorker(leaves, () => {
      throw new Error('no');
    });
    const added = gate<string>();
    const failedChild = gate();
    const worker = openWorker(parents, async (job, token) => {
      const child = await leaves.add('child', 1, { parent: { id: job.id, queue: job.queueQualifiedName }, failParentOnFailure: true });
      added.open(child.id);
      await failedChild.promise;
      await job.moveToWaitingChildren(token ?? '');
    }, { concurrency: 2 });
    const job = await parents.add('job', 1, { attempts: 3 });
    const end = rejection(finished(worker, job.id));
    const child = await added.promise;
    await expect.poll(async () => (await parents.getJob(job.id))?.deferredFailure).toBe(`child ${keyOf(leaves, child)} failed`);
    failedChild.open();
    expect(await end).toMatchObject({ name: 'UnrecoverableError', message: `child ${keyOf(leaves, child)} failed` });
  });

  test('frees its slot while it waits', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, async (job, token) => {
      if (job.name === 'child') return 'c';
      if (Object.keys(await job.getChildrenValues()).length === 0) await queue.add('child', 1, { parent: { id: job.id, queue: job.queueQualifiedName } });
      if (await job.moveToWaitingChildren(token ?? '')) throw new WaitingChildrenError();
      return 'p';
    }, { concurrency: 1 });
    expect((await finished(worker, (await queue.add('parent', 1)).id)).returnvalue).toBe('p');
  });

  test('may add a whole tree below itself', async () => {
    const queue = openQueue();
    const flows = openFlows();
    const worker = openWorker(queue, async (job, token) => {
      if (job.name !== 'root') return job.name;
      if ((await job.getDependenciesCount()).processed === 0) {
        await flows.add({
          name: 'branch', queueName: queue.name, opts: { parent: { id: job.id, queue: job.queueQualifiedName } },
          children: [{ name: 'leaf', queueName: queue.name }],
        });
      }
      if (await job.moveToWaitingChildren(token ?? '')) throw new WaitingChildrenError();
      return job.getChildrenValues();
    }, { concurrency: 3 });
    const done = await finished(worker, (await queue.add('root', 1)).id);
    expect(Object.values(done.returnvalue as object)).toEqual(['branch']);
  });
});

describe('adding a child', () => {
  test('to a parent that does not exist is refused, and adds nothing', async () => {
    const queue = openQueue();
    const parent = { id: 'nobody', queue: queue.qualifiedName };
    expect(await refusal(() => queue.add('child', 1, { parent }))).toMatchObject({ code: 'PARENT_NOT_FOUND', field: 'opts.parent' });
    expect((await refusal(() => queue.addBulk([{ name: 'a', data: 1 }, { name: 'child', data: 1, opts: { parent } }]))).code).toBe('PARENT_NOT_FOUND');
    expect(await queue.count()).toBe(0);
    const { client } = queue.getBackend();
    expect(await client.keys(`*${queue.name}*`)).toEqual([]);
  });

  test('to several parents of which one does not exist leaves those that do as they were', async () => {
    const queue = openQueue();
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, children: [{ name: 'first', queueName: queue.name }] });
    const to = (id: string): { parent: { id: string; queue: string } } => ({ parent: { id, queue: queue.qualifiedName } });
    expect((await refusal(() => queue.addBulk([{ name: 'a', data: 1, opts: to(tree.job.id) }, { name: 'b', data: 1, opts: to('nobody') }]))).code).toBe('PARENT_NOT_FOUND');
    expect(await tree.job.getDependenciesCount()).toMatchObject({ unprocessed: 1 });
  });

  test('keeps a parent from going on that still waits', async () => {
    const queue = openQueue();
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, children: [{ name: 'first', queueName: queue.name }] });
    await queue.add('second', 1, { parent: { id: tree.job.id, queue: queue.qualifiedName } });
    const worker = openWorker(queue, (job) => (job.name === 'root' ? job.getDependenciesCount() : 1));
    expect((await finished(worker, tree.job.id)).returnvalue).toMatchObject({ processed: 2 });
  });

  test('announces that a parent waits', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => 1);
    const tree = await openFlows().add({ name: 'root', queueName: queue.name, children: [{ name: 'first', queueName: queue.name }] });
    await once(worker, 'completed', (job: Job) => job.id === tree.job.id);
    const entries = await (await queue.client).xrange(queue.toKey('events'), '-', '+');
    expect(JSON.stringify(entries)).toContain('waiting-children');
  });
});
