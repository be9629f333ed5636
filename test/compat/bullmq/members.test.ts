import { describe, expect, test } from 'vitest';
import { CONNECTION_CLOSED_ERROR_MSG, ConnectionClosedError, Job, SpanKind, UnrecoverableError } from 'drover';
import { openQueue, openRedis, openWorker, refusal } from '../../support/behaviour.js';
import { nextEvent } from './next-event.js';

describe('a Job', () => {
  test('can be made and read through the class', async () => {
    const queue = openQueue();
    const job = await Job.create(queue, 'a', { n: 1 }, { priority: 2 });
    const [second] = await Job.createBulk(queue, [{ name: 'b', data: 2 }]);
    expect((await Job.fromId<{ n: number }>(queue, job.id))?.data.n).toBe(1);
    expect(second?.name).toBe('b');
    expect(await Job.fromId(queue, 'none')).toBeUndefined();
    expect(await Job.addJobLog(queue, job.id, 'one')).toBe(1);
    expect(await queue.getJobLogs(job.id)).toEqual({ logs: ['one'], count: 1 });
  });

  test('survives asJSON and fromJSON', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => ['result']);
    const completed = nextEvent(worker, 'completed');
    await queue.add('a', { n: 1 }, { keepLogs: 3 });
    const stored = await queue.getJob(((await completed)[0] as Job).id);
    if (!stored) throw new Error('gone');
    const json = stored.asJSON();
    expect(json).toMatchObject({ id: stored.id, data: '{"n":1}', returnvalue: '["result"]' });
    const copy = Job.fromJSON(queue, JSON.parse(JSON.stringify(json)) as typeof json);
    expect(copy.toJSON()).toMatchObject({ id: stored.id, data: { n: 1 }, returnvalue: ['result'], finishedOn: stored.finishedOn, opts: { keepLogs: 3 } });
    expect(stored.asJSONSandbox()).toMatchObject({ queueName: queue.name, prefix: 'drover', queueQualifiedName: queue.qualifiedName });
  });

  test('gives up only the deduplication id that it holds itself', async () => {
    const queue = openQueue();
    const first = await queue.add('a', 1, { deduplication: { id: 'one' } });
    const second = await queue.add('a', 2, { deduplication: { id: 'two' } });
    second.deduplicationId = 'one';
    expect(await second.removeDeduplicationKey()).toBe(false);
    expect(await first.removeDeduplicationKey()).toBe(true);
    expect(await first.removeDeduplicationKey()).toBe(false);
    expect((await queue.add('a', 3, { deduplication: { id: 'one' } })).deduplicated).toBe(false);
  });
});

describe('a Queue', () => {
  test('that was closed says so by BullMQ’s class and words', async () => {
    const queue = openQueue();
    await queue.close();
    const error = await refusal(() => queue.add('a', 1));
    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toMatchObject({ code: 'CLOSED', message: expect.stringMatching(new RegExp(`^${CONNECTION_CLOSED_ERROR_MSG} This queue has been closed`)) });
    expect(new ConnectionClosedError().message.startsWith(CONNECTION_CLOSED_ERROR_MSG)).toBe(true);
  });

  test('knows its version, its token and its options by BullMQ’s names', async () => {
    const queue = openQueue({ defaultJobOptions: { attempts: 2 } });
    expect(await queue.getVersion()).toMatch(/^bullmq:\d/);
    expect(queue.token).toMatch(/^[0-9a-f-]{36}$/);
    expect([queue.jobsOpts, queue.defaultJobOptions]).toEqual([{ attempts: 2 }, { attempts: 2 }]);
  });

  test('tells of progress that it reports itself', async () => {
    const queue = openQueue();
    const job = await queue.add('a', null);
    const progress = nextEvent(queue, 'progress');
    await queue.updateJobProgress(job.id, { done: 1 });
    expect(await progress).toEqual([job.id, { done: 1 }]);
    expect((await queue.getJob(job.id))?.progress).toEqual({ done: 1 });
  });

  test('frees a deduplication id under both names', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { deduplication: { id: 'one' } });
    expect(await queue.getDebounceJobId('one')).toBe(job.id);
    expect(await queue.removeDebounceKey('one')).toBe(1);
    expect(await queue.getDebounceJobId('one')).toBeNull();
  });

  test('removes jobs that are in no state, and no others', async () => {
    const queue = openQueue();
    const jobs = await queue.addBulk(Array.from({ length: 5 }, (_, i) => ({ name: 'a', data: i })));
    const lost = jobs.slice(0, 3).map((job) => job.id);
    await openRedis().zrem(queue.toKey('wait'), ...lost);
    expect(await queue.removeOrphanedJobs(2, 1)).toBe(1);
    expect(await queue.removeOrphanedJobs()).toBe(2);
    expect(await queue.removeOrphanedJobs()).toBe(0);
    expect(await openRedis().hlen(queue.toKey('job'))).toBe(2);
    expect(await queue.getWaitingCount()).toBe(2);
  });

  test('shows its settings as numbers', async () => {
    const queue = openQueue();
    await queue.setGlobalConcurrency(3);
    await queue.setGlobalRateLimit(2, 1_000);
    await queue.pause();
    expect(await queue.getMeta()).toMatchObject({ concurrency: 3, max: 2, duration: 1_000, paused: true });
  });

  test('makes a span of a user’s own, or none', async () => {
    expect(await openQueue().trace(SpanKind.INTERNAL, 'own', 'there', (span) => (span === undefined ? 'none' : 'one'))).toBe('none');
  });
});

describe('a Worker’s processJob', () => {
  test('runs the handler on a job that was taken by hand', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, (job) => (job.data as number) * 2, { autorun: false });
    await queue.add('a', 21);
    const job = await worker.getNextJob('mine');
    if (!job) throw new Error('none');
    await worker.processJob(job, 'mine');
    expect((await queue.getJob(job.id))?.returnvalue).toBe(42);
  });

  test('fails the job as the handler failed', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => {
      throw new UnrecoverableError('never');
    }, { autorun: false });
    await queue.add('a', 1, { attempts: 3 });
    const job = await worker.getNextJob('mine');
    if (!job) throw new Error('none');
    await worker.processJob(job, 'mine');
    expect(await job.getState()).toBe('failed');
    expect(await refusal(() => openWorker(queue, null).processJob(job, 'mine'))).toMatchObject({ code: 'INVALID_HANDLER' });
  });

  test('with startStalledCheckTimer, delayed jobs come due without run()', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, null);
    await queue.add('a', 1, { delay: 50 });
    await worker.startStalledCheckTimer();
    const job = await worker.getNextJob('mine');
    expect(job?.data).toBe(1);
    await job?.moveToCompleted('done', 'mine');
  });
});
