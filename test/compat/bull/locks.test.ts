import { describe, expect, test } from 'vitest';
import type Bull from 'drover/bull';
import { rejection } from '../../support/behaviour.js';
import { next, openAnother, openBull } from './support.js';

async function taken<T>(queue: Bull.Queue<T>): Promise<Bull.Job<T>> {
  const job = await queue.getNextJob();
  if (!job) throw new Error('There should have been a job.');
  return job;
}

describe('jobs taken by hand', () => {
  test('come one by one, the next with the end of the one before', async () => {
    const queue = openBull<{ n: number }>();
    const jobs = await queue.addBulk([1, 2, 3].map((n) => ({ data: { n } })));
    const first = await taken(queue);
    expect(first.data).toEqual({ n: 1 });
    expect(await first.isActive()).toBe(true);
    const [data, id] = await first.moveToCompleted('one') ?? [];
    expect(id).toBe(jobs[1]?.id);
    const second = queue.nextJobFromJobData(data as object, id);
    expect(second?.data).toEqual({ n: 2 });
    expect(await second?.moveToCompleted('two', false, true)).toBe(null);
    expect(await queue.getJobCounts()).toMatchObject({ completed: 2, waiting: 1, active: 0 });
    expect(await queue.getJob(first.id)).toMatchObject({ returnvalue: 'one', attemptsMade: 0 });
  });

  test('are waited for up to drainDelay', async () => {
    const queue = openBull({ settings: { drainDelay: 0.01 } });
    const drained = next(queue, 'drained');
    expect(await queue.getNextJob()).toBe(undefined);
    await drained;
    expect(queue.nextJobFromJobData(null)).toBe(null);
  });

  test('come as soon as they are added', async () => {
    const queue = openBull<{ n: number }>();
    const waiting = taken(queue);
    await queue.add({ n: 1 });
    expect((await waiting).data).toEqual({ n: 1 });
  });

  test('fail, and are retried by their options', async () => {
    const queue = openBull();
    await queue.add({}, { attempts: 2 });
    const first = await taken(queue);
    expect(await first.moveToFailed({ message: 'no' })).toBe(null);
    expect(first).toMatchObject({ attemptsMade: 1, failedReason: 'no' });
    expect(await first.getState()).toBe('waiting');
    await (await taken(queue)).moveToFailed(new Error('no again'));
    expect(await first.getState()).toBe('failed');
    expect(await queue.getJob(first.id)).toMatchObject({ attemptsMade: 2, failedReason: 'no again' });
  });

  test('back off by Bull’s formula', async () => {
    const queue = openBull();
    await queue.add({}, { attempts: 2, backoff: { type: 'exponential', delay: 1 } });
    const job = await taken(queue);
    await job.moveToFailed({ message: 'no' });
    expect(await job.getState()).toBe('delayed');
  });

  test('are delayed without an attempt', async () => {
    const queue = openBull();
    await queue.add({});
    const job = await taken(queue);
    await job.moveToDelayed(Date.now() + 60_000);
    expect(await job.getState()).toBe('delayed');
    expect((await queue.getJob(job.id))?.attemptsMade).toBe(0);
  });
});

describe('the lock of a job', () => {
  test('has a name', async () => {
    const queue = openBull();
    const job = await queue.add({}, { jobId: 'x' });
    expect(job.lockKey()).toBe(`${queue.toKey('x')}:lock`);
  });

  test('is held, extended and released by who took the job', async () => {
    const queue = openBull();
    await queue.add({});
    const job = await taken(queue);
    expect(await job.takeLock()).toBe(1);
    expect(await job.extendLock(10_000)).toBe(1);
    const there = await openAnother(queue).getJob(job.id);
    expect(await there?.takeLock()).toBe(false);
    expect(await there?.extendLock(10_000)).toBe(0);
    expect(await rejection(Promise.resolve(there?.releaseLock()))).toEqual(new Error(`Could not release lock for job ${job.id}`));
    await job.releaseLock();
    expect(await job.takeLock()).toBe(false);
    await there?.remove();
    expect(await queue.getJob(job.id)).toBe(null);
  });

  test('is not had by a job that nobody has taken', async () => {
    const job = await openBull().add({});
    expect(await job.takeLock()).toBe(false);
    expect(await job.extendLock(1_000)).toBe(0);
    expect(String(await rejection(job.moveToCompleted('x')))).toContain(`Missing lock for job ${job.id}`);
    expect(await rejection(job.moveToFailed({ message: 'x' }, true))).toEqual(new Error(`Job ${job.id} is not in the active state. failed`));
  });

  test('keeps others from ending the job, unless they ignore it', async () => {
    const queue = openBull();
    await queue.add({}, { attempts: 3 });
    const job = await taken(queue);
    const there = await openAnother(queue).getJob(job.id);
    expect(String(await rejection(Promise.resolve(there?.moveToCompleted('x'))))).toContain('Missing lock');
    await there?.discard();
    await there?.moveToFailed({ message: 'ended from outside' }, true);
    expect(await queue.getJob(job.id)).toMatchObject({ failedReason: 'ended from outside', attemptsMade: 1 });
    expect(await job.getState()).toBe('failed');
    expect(String(await rejection(job.moveToCompleted('late')))).toContain(`Missing lock for job ${job.id}`);
  });

  test('lost while it runs is told', async () => {
    const queue = openBull({ settings: { lockDuration: 200, lockRenewTime: 50 } });
    let end: () => void = () => undefined;
    void queue.process(() => new Promise<void>((resolve) => {
      end = resolve;
    }));
    const active = next(queue, 'active');
    const lost = next(queue, 'lock-extension-failed');
    await queue.add({});
    const [job] = await active as [Bull.Job];
    await (await openAnother(queue).getJob(job.id))?.moveToFailed({ message: 'ended from outside' }, true);
    const [same, error] = await lost;
    expect(same).toBe(job);
    expect(error).toMatchObject({ code: 'LEASE_LOST' });
    end();
  });
});
