import { describe, expect, test } from 'vitest';
import { UnrecoverableError, type Job, type JobNode, type JobsOptions, type Queue } from 'drover';
import { finished, gate, openQueue, openWorker, rejection, tallyOf } from '../support/behaviour.js';
import { keyOf, openFlows } from './open-flows.js';

const fails = (queue: Queue, opts: JobsOptions = {}): { name: string; queueName: string; opts: JobsOptions } => ({ name: 'fails', queueName: queue.name, opts });
const works = (queue: Queue): { name: string; queueName: string } => ({ name: 'works', queueName: queue.name });

/** Runs children on one queue: `fails` does, anything else works. */
function openChildren(): Queue {
  const queue = openQueue();
  openWorker(queue, (job) => {
    if (job.name === 'fails') throw new Error(`no luck with ${job.id}`);
    return job.name;
  }, { concurrency: 4 });
  return queue;
}

const childKey = (queue: Queue, tree: JobNode, i: number): string => keyOf(queue, tree.children?.[i]?.job.id ?? '');
const reasonOf = (tree: JobNode, i: number): string => `no luck with ${tree.children?.[i]?.job.id ?? ''}`;

describe('a child that fails for good', () => {
  test('without a policy leaves its parent waiting, until it is retried and completes', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    let broken = true;
    const worker = openWorker(leaves, () => {
      if (broken) throw new Error('broken');
      return 'mended';
    });
    const failed = tallyOf('failed', worker);
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [fails(leaves)] });
    await failed.reached(1);
    await expect.poll(() => tree.job.getDependencies()).toEqual({ processed: {}, ignored: {}, unprocessed: [], failed: [childKey(leaves, tree, 0)] });
    expect(await tree.job.getState()).toBe('waiting-children');

    broken = false;
    await tree.children?.[0]?.job.retry();
    const root = await finished(openWorker(parents, (job) => job.getChildrenValues()), tree.job.id);
    expect(root.returnvalue).toEqual({ [childKey(leaves, tree, 0)]: 'mended' });
    expect(await tree.job.getDependenciesCount()).toEqual({ processed: 1, unprocessed: 0, ignored: 0, failed: 0 });
  });

  test('with failParentOnFailure fails its parent at once, which does not run', async () => {
    const [parents, leaves] = [openQueue(), openChildren()];
    const blocker = gate();
    const slow = openQueue();
    openWorker(slow, () => blocker.promise);
    let ran = false;
    const worker = openWorker(parents, () => (ran = true));
    const tree = await openFlows().add({
      name: 'root', queueName: parents.name, opts: { attempts: 5, backoff: 600_000 },
      children: [fails(leaves, { failParentOnFailure: true }), { name: 'slow', queueName: slow.name }],
    });
    const error = await rejection(finished(worker, tree.job.id));
    blocker.open();
    expect(error).toMatchObject({ name: 'UnrecoverableError', message: `child ${childKey(leaves, tree, 0)} failed` });
    expect(ran).toBe(false);
    expect(await parents.getJob(tree.job.id)).toMatchObject({ attemptsMade: 1, failedReason: `child ${childKey(leaves, tree, 0)} failed` });
    expect(await tree.job.getDependencies({ failed: {} })).toEqual({ failed: [childKey(leaves, tree, 0)], nextFailedCursor: 0 });
  });

  test('fails every ancestor that wants it so', async () => {
    const [queue, leaves] = [openQueue(), openChildren()];
    const worker = openWorker(queue, () => undefined);
    const tree = await openFlows().add({
      name: 'root', queueName: queue.name,
      children: [{
        name: 'middle', queueName: queue.name, opts: { failParentOnFailure: true },
        children: [{ name: 'inner', queueName: queue.name, opts: { failParentOnFailure: true }, children: [fails(leaves, { failParentOnFailure: true })] }],
      }],
    });
    await expect(finished(worker, tree.job.id)).rejects.toThrow(`child ${childKey(queue, tree, 0)} failed`);
    expect(await queue.getFailedCount()).toBe(3);
  });

  test('with continueParentOnFailure lets its parent run at once, which reads why', async () => {
    const [parents, leaves, never] = [openQueue(), openChildren(), openQueue()];
    const worker = openWorker(parents, async (job) => {
      const failures = await job.getIgnoredChildrenFailures();
      await job.removeUnprocessedChildren();
      return failures;
    });
    const tree = await openFlows().add({
      name: 'root', queueName: parents.name, children: [fails(leaves, { continueParentOnFailure: true }), works(never)],
    });
    const root = await finished(worker, tree.job.id);
    expect(root.returnvalue).toEqual({ [childKey(leaves, tree, 0)]: reasonOf(tree, 0) });
    expect(await root.getFailedChildrenValues()).toEqual(root.returnvalue);
    expect(await never.getWaitingCount()).toBe(0);
  });

  test('with ignoreDependencyOnFailure counts as ended, and is told', async () => {
    const [parents, leaves] = [openQueue(), openChildren()];
    const worker = openWorker(parents, async (job) => [await job.getChildrenValues(), await job.getIgnoredChildrenFailures()]);
    const tree = await openFlows().add({
      name: 'root', queueName: parents.name, children: [fails(leaves, { ignoreDependencyOnFailure: true }), works(leaves)],
    });
    const root = await finished(worker, tree.job.id);
    expect(root.returnvalue).toEqual([{ [childKey(leaves, tree, 1)]: 'works' }, { [childKey(leaves, tree, 0)]: reasonOf(tree, 0) }]);
    expect(await root.getDependenciesCount()).toEqual({ processed: 1, unprocessed: 0, ignored: 1, failed: 0 });
  });

  test('with removeDependencyOnFailure is forgotten by its parent', async () => {
    const [parents, leaves] = [openQueue(), openChildren()];
    const worker = openWorker(parents, (job) => job.getDependencies());
    const tree = await openFlows().add({
      name: 'root', queueName: parents.name, children: [fails(leaves, { removeDependencyOnFailure: true }), works(leaves)],
    });
    const root = await finished(worker, tree.job.id);
    expect(root.returnvalue).toEqual({ processed: { [childKey(leaves, tree, 1)]: 'works' }, ignored: {}, unprocessed: [], failed: [] });
  });

  test('and is not kept counts as removed when it has no policy', async () => {
    const [parents, leaves] = [openQueue(), openChildren()];
    const worker = openWorker(parents, (job) => job.getDependenciesCount());
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [fails(leaves, { removeOnFail: true })] });
    expect((await finished(worker, tree.job.id)).returnvalue).toEqual({ processed: 0, unprocessed: 0, ignored: 0, failed: 0 });
  });

  test('is told only when it has no attempts left', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    let runs = 0;
    openWorker(leaves, () => {
      if (++runs < 3) throw new Error('again');
      return runs;
    });
    const worker = openWorker(parents, (job) => job.getChildrenValues());
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [fails(leaves, { attempts: 3, failParentOnFailure: true })] });
    expect((await finished(worker, tree.job.id)).returnvalue).toEqual({ [childKey(leaves, tree, 0)]: 3 });
  });

  test('by stalling is told like any other', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [fails(leaves, { failParentOnFailure: true })] });
    const lost = openWorker(leaves, null, { lockDuration: 100 });
    const held = (await lost.getNextJob('gone', { block: false })) as Job;
    await held.extendLock('gone', 1); // The start is noted.
    openWorker(leaves, () => undefined, { maxStalledCount: 0, stalledInterval: 50, lockDuration: 100 });
    await expect(finished(openWorker(parents, () => undefined), tree.job.id)).rejects.toThrow(`child ${childKey(leaves, tree, 0)} failed`);
  });
});

describe('mixed policies', () => {
  test('each child has its own, level by level', async () => {
    const [queue, leaves] = [openQueue(), openChildren()];
    const worker = openWorker(queue, async (job) => Object.values(await job.getIgnoredChildrenFailures()));
    const tree = await openFlows().add({
      name: 'root', queueName: queue.name,
      children: [
        { name: 'a', queueName: queue.name, opts: { ignoreDependencyOnFailure: true }, children: [fails(leaves, { failParentOnFailure: true })] },
        { name: 'b', queueName: queue.name, children: [fails(leaves, { ignoreDependencyOnFailure: true }), works(leaves)] },
        { name: 'c', queueName: queue.name, opts: { removeDependencyOnFailure: true }, children: [fails(leaves, { failParentOnFailure: true })] },
      ],
    });
    const root = await finished(worker, tree.job.id);
    const a = tree.children?.[0] as JobNode;
    expect(root.returnvalue).toEqual([`child ${childKey(leaves, a, 0)} failed`]);
    expect(await root.getDependenciesCount()).toEqual({ processed: 1, unprocessed: 0, ignored: 1, failed: 0 });
  });
});

describe('a parent that failed because of a child', () => {
  test('runs when it is retried', async () => {
    const [parents, leaves] = [openQueue(), openChildren()];
    const worker = openWorker(parents, () => 'at last');
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [fails(leaves, { failParentOnFailure: true })] });
    await rejection(finished(worker, tree.job.id));
    const retried = finished(worker, tree.job.id);
    await tree.job.retry();
    expect((await retried).returnvalue).toBe('at last');
  });

  test('has its reason on its handle', async () => {
    const [parents, leaves] = [openQueue(), openChildren()];
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [fails(leaves, { failParentOnFailure: true })] });
    await expect.poll(() => tree.job.getState()).toBe('waiting');
    expect((await parents.getJob(tree.job.id))?.deferredFailure).toBe(`child ${childKey(leaves, tree, 0)} failed`);
  });

  test('leaves a retried child that succeeds readable', async () => {
    const [parents, leaves] = [openQueue(), openQueue()];
    let broken = true;
    openWorker(leaves, () => {
      if (broken) throw new UnrecoverableError('broken');
      return 'mended';
    });
    const tree = await openFlows().add({ name: 'root', queueName: parents.name, children: [fails(leaves, { failParentOnFailure: true })] });
    await expect.poll(() => tree.job.getState()).toBe('waiting');
    broken = false;
    await tree.children?.[0]?.job.retry();
    await expect.poll(() => tree.job.getChildrenValues()).toEqual({ [childKey(leaves, tree, 0)]: 'mended' });
    expect(await tree.job.getDependenciesCount()).toEqual({ processed: 1, unprocessed: 0, ignored: 0, failed: 0 });
  });
});
