import { describe, expect, test } from 'vitest';
import Bull from 'drover/bull';
import { gate, rejection } from '../../support/behaviour.js';
import { next, openAnother, openBull } from './support.js';

const failing = async (): Promise<never> => {
  throw new Error('broken');
};

/** A job that a processor holds until `end` is called. */
async function running(queue: Bull.Queue, data: object = {}): Promise<{ job: Bull.Job; end: () => Promise<void> }> {
  const [started, ended] = [gate<Bull.Job>(), gate()];
  void queue.process(async (job) => {
    started.open(job);
    await ended.promise;
  });
  await queue.add(data);
  const job = await started.promise;
  return { job, end: async () => {
    ended.open();
    await queue.whenCurrentJobsFinished();
  } };
}

describe('a job', () => {
  test('reports and reads progress by the same method', async () => {
    const queue = openBull();
    const job = await queue.add({});
    expect(job.progress()).toBe(0);
    const told = next(queue, 'progress');
    await job.progress({ done: 3, of: 4 });
    expect(job.progress()).toEqual({ done: 3, of: 4 });
    expect(await told).toEqual([job, { done: 3, of: 4 }]);
    await job.progress(0);
    expect((await queue.getJob(job.id))?.progress()).toBe(0);
  });

  test('keeps a log, which is read by page and turned around', async () => {
    const queue = openBull();
    const job = await queue.add({});
    for (const row of ['one', 'two', 'three']) await job.log(row);
    expect(await queue.getJobLogs(job.id)).toEqual({ logs: ['one', 'two', 'three'], count: 3 });
    expect(await queue.getJobLogs(job.id, 1, 1)).toEqual({ logs: ['two'], count: 3 });
    expect(await queue.getJobLogs(job.id, 0, 1, false)).toEqual({ logs: ['three', 'two'], count: 3 });
  });

  test('changes its data', async () => {
    const queue = openBull();
    const job = await queue.add({ a: 1 }, { attempts: 4, priority: 2 });
    await job.update({ a: 2 });
    expect(job.data).toEqual({ a: 2 });
    expect(await queue.getJob(job.id)).toMatchObject({ data: { a: 2 }, timestamp: job.timestamp, opts: { attempts: 4, priority: 2 } });
    await job.remove();
    expect(String(await rejection(job.update({ a: 3 })))).toContain(`Missing key for job ${job.id}`);
  });

  test('is removed, and then stuck', async () => {
    const queue = openBull();
    const job = await queue.add({});
    const told = next(queue, 'removed');
    await job.remove();
    expect(await told).toEqual([job]);
    expect(await job.getState()).toBe('stuck');
    expect(await job.isStuck()).toBe(true);
    expect(await queue.getJob(job.id)).toBe(null);
  });

  test('is not removed while it runs', async () => {
    const queue = openBull();
    const { job, end } = await running(queue);
    const same = await queue.getJob(job.id);
    expect(await rejection(Promise.resolve(same?.remove()))).toEqual(new Error(`Could not remove job ${job.id}`));
    expect(await rejection(Promise.resolve(same?.retry()))).toEqual(new Error(Bull.ErrorMessages.RETRY_JOB_IS_LOCKED));
    await end();
  });

  test('is retried once it has failed', async () => {
    const queue = openBull();
    let attempts = 0;
    void queue.process(async () => (++attempts === 1 ? failing() : 'well'));
    const job = await queue.add({});
    expect(await rejection(job.retry())).toBeInstanceOf(Error);
    await rejection(job.finished());
    const told = next(queue, 'waiting');
    const failed = await queue.getJob(job.id);
    await failed?.retry();
    expect(await told).toEqual([job.id, null]);
    expect(failed).toMatchObject({ finishedOn: undefined, processedOn: undefined });
    await next(queue, 'completed');
    expect(await rejection(Promise.resolve(failed?.retry()))).toEqual(new Error(Bull.ErrorMessages.RETRY_JOB_NOT_FAILED));
    await failed?.remove();
    expect(await rejection(Promise.resolve(failed?.retry()))).toEqual(new Error(Bull.ErrorMessages.RETRY_JOB_NOT_EXIST));
  });

  test('is promoted while it is delayed', async () => {
    const queue = openBull();
    const job = await queue.add({}, { delay: 60_000 });
    expect(await job.isDelayed()).toBe(true);
    await job.promote();
    expect(await job.isWaiting()).toBe(true);
    expect(await rejection(job.promote())).toEqual(new Error(`Job ${job.id} is not in a delayed state`));
  });

  test('tells its state', async () => {
    const queue = openBull();
    const job = await queue.add({}, { priority: 5 });
    expect([await job.getState(), await job.isWaiting(), await job.isPaused()]).toEqual(['waiting', true, false]);
    await queue.pause();
    expect([await job.getState(), await job.isWaiting(), await job.isPaused()]).toEqual(['paused', false, true]);
    await queue.resume();
    const completed = next(queue, 'completed');
    const { job: active, end } = await running(queue);
    expect([await active.getState(), await active.isActive()]).toEqual(['active', true]);
    await end();
    await completed;
    expect([await job.getState(), await job.isCompleted(), await job.isFailed()]).toEqual(['completed', true, false]);
  });

  test('waits for its end, before and after', async () => {
    const queue = openBull<{ fail?: boolean }>();
    const [well, badly] = [await queue.add({}), await queue.add({ fail: true })];
    const waiting = Promise.all([well.finished(), rejection(badly.finished())]);
    void queue.process(async (job) => (job.data.fail ? failing() : false));
    expect(await waiting).toEqual([false, new Error('broken')]);
    expect(await well.finished()).toBe(false);
    expect(await rejection(badly.finished())).toEqual(new Error('broken'));
  });

  test('is waited for in another process too', async () => {
    const queue = openBull();
    const job = await queue.add({});
    const there = await openAnother(queue).getJob(job.id);
    const waiting = there?.finished();
    void queue.process(async () => ({ a: 1 }));
    expect(await waiting).toEqual({ a: 1 });
  });

  test('is not waited for by a queue that closes', async () => {
    const queue = openBull();
    const job = await queue.add({});
    await queue.close();
    expect(await rejection(job.finished())).toEqual(new Error('cannot check if job is finished in a closing queue.'));
  });

  test('becomes JSON as in Bull', async () => {
    const queue = openBull();
    const job = await queue.add('mail', { to: 'a' }, { jobId: 'x', attempts: 2 });
    expect(JSON.parse(JSON.stringify(job))).toEqual({
      id: 'x', name: 'mail', data: { to: 'a' }, opts: { attempts: 2, delay: 0, timestamp: job.timestamp, jobId: 'x' }, progress: 0, delay: 0,
      timestamp: job.timestamp, attemptsMade: 0, stacktrace: [], returnvalue: null, debounceId: null, finishedOn: null, processedOn: null,
    });
    expect(job.toData()).toMatchObject({ id: 'x', data: '{"to":"a"}', opts: JSON.stringify(job.opts), stacktrace: '[]', returnvalue: 'null' });
    // eslint-disable-next-line @typescript-eslint/no-misused-spread -- Bull's users do
    expect({ ...job }).toMatchObject({ id: 'x', data: { to: 'a' }, queue });
  });

  test('keeps what happened to it', async () => {
    const queue = openBull();
    void queue.process(async () => 0);
    const added = await queue.add({});
    expect(await added.finished()).toBe(0);
    const job = await queue.getJob(added.id);
    expect(job).toMatchObject({ returnvalue: 0, attemptsMade: 0, processedOn: expect.any(Number), finishedOn: expect.any(Number) });
    expect(job?.toJSON().returnvalue).toBe(0);
  });

  test('is made and found by the statics', async () => {
    const queue = openBull();
    const job = await Bull.Job.create(queue, 'mail', { a: 1 }, { attempts: 2 });
    expect(await Bull.Job.fromId(queue, job.id)).toMatchObject({ name: 'mail', data: { a: 1 } });
    expect(await Bull.Job.fromId(queue, 'nobody')).toBe(null);
  });
});
