import { describe, expect, test } from 'vitest';
import { type Job, type Queue } from 'drover';
import { addNumbered, finished, gate, openQueue, openRedis, openWorker, refusal, tallyOf } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

/** Runs what waits: even numbers complete, odd ones fail. */
async function process(queue: Queue, count: number): Promise<void> {
  const worker = openWorker(queue, (job) => {
    if ((job.data as number) % 2) throw new Error('odd');
  }, { concurrency: 50 });
  const [done, failed] = [tallyOf('completed', worker), tallyOf('failed', worker)];
  await Promise.all([done.reached(Math.ceil(count / 2)), failed.reached(Math.floor(count / 2))]);
  await worker.close();
}

const data = (jobs: Job[]): number[] => jobs.map((job) => job.data as number);

describe('drain', () => {
  test('removes all that waits, of any priority, however many', async () => {
    const queue = openQueue();
    await addNumbered(queue, 2_300);
    await addNumbered(queue, 10, { priority: 3 });
    await addNumbered(queue, 3, { delay: 100_000 });
    await queue.drain();
    expect(await queue.getJobCounts('waiting', 'prioritized', 'delayed')).toEqual({ waiting: 0, prioritized: 0, delayed: 3 });
  });

  test('removes delayed jobs when asked to, and never those that run', async () => {
    const queue = openQueue();
    await queue.add('running', 0);
    const worker = openWorker(queue, () => gate().promise);
    await tallyOf('active', worker).reached(1);
    await addNumbered(queue, 3, { delay: 100_000 });
    await queue.drain(true);
    expect(await queue.getJobCounts('delayed', 'active')).toEqual({ delayed: 0, active: 1 });
  });
});

describe('clean', () => {
  test('removes finished jobs from the oldest on, up to a limit, and answers their ids', async () => {
    const queue = openQueue();
    const jobs = await addNumbered(queue, 1);
    await process(queue, 1);
    await addNumbered(queue, 1);
    await process(queue, 1);
    const heard: unknown[] = [];
    queue.on('cleaned', (...args) => heard.push(args));
    const removed = await queue.clean(0, 1, 'completed');
    expect(removed).toEqual([jobs[0]?.id]);
    expect(heard).toEqual([[removed, 'completed']]);
    expect(await queue.getCompletedCount()).toBe(1);
  });

  test('spares what ended within the grace time', async () => {
    const queue = openQueue();
    await addNumbered(queue, 4);
    await process(queue, 4);
    expect(await queue.clean(60_000, 0, 'completed')).toEqual([]);
    expect(await queue.clean(60_000, 0, 'failed')).toEqual([]);
    expect(await queue.clean(0, 0, 'failed')).toHaveLength(2);
    expect(await queue.getJobCounts('completed', 'failed')).toEqual({ completed: 2, failed: 0 });
  });

  test('removes more than one step takes', async () => {
    const queue = openQueue();
    await addNumbered(queue, 2_400);
    await process(queue, 2_400);
    expect(await queue.clean(0, 1_100)).toHaveLength(1_100);
    expect(await queue.clean(0, 0)).toHaveLength(100);
  });

  test.each([['wait', {}], ['prioritized', { priority: 3 }], ['delayed', { delay: 100_000 }]] as const)(
    'of %s jobs goes by when they were created', async (type, opts) => {
      const queue = openQueue();
      await queue.addBulk([
        { name: 'job', data: 0, opts: { ...opts, timestamp: 1_000 } },
        { name: 'job', data: 1, opts },
        { name: 'job', data: 2, opts: { ...opts, timestamp: 2_000 } },
      ]);
      expect(await queue.clean(60_000, 1, type)).toHaveLength(1);
      expect(await queue.clean(60_000, 0, type)).toHaveLength(1);
      expect(data(await queue.getJobs(['wait', 'prioritized', 'delayed']))).toEqual([1]);
    },
  );

  test('of active or paused jobs removes nothing', async () => {
    const queue = openQueue();
    await queue.add('a', 1);
    await tallyOf('active', openWorker(queue, () => gate().promise)).reached(1);
    expect(await queue.clean(0, 0, 'active')).toEqual([]);
    expect(await queue.clean(0, 0, 'paused')).toEqual([]);
    expect(await queue.getActiveCount()).toBe(1);
  });
});

describe('obliterate', () => {
  test('leaves nothing in Redis', async () => {
    const queue = openQueue();
    const redis = openRedis();
    await addNumbered(queue, 1_200);
    await addNumbered(queue, 3, { delay: 100_000, priority: 2 });
    await process(queue, 1_200);
    await queue.upsertJobScheduler('s', { every: 100_000 });
    await queue.setGlobalConcurrency(3);
    await queue.obliterate();
    const keys = await redis.keys(queue.toKey('*'));
    expect(keys).toEqual([]);
    expect(await queue.isPaused()).toBe(false);
  });

  test('refuses while jobs run, unless forced; then their holders are refused', async () => {
    const queue = openQueue();
    await queue.add('a', 1);
    const end = gate();
    const worker = openWorker(queue, () => end.promise);
    const errors: unknown[] = [];
    worker.on('error', (error) => errors.push(error));
    const completed: unknown[] = [];
    worker.on('completed', (job) => completed.push(job));
    await tallyOf('active', worker).reached(1);
    expect(await refusal(() => queue.obliterate())).toMatchObject({ code: 'QUEUE_HAS_ACTIVE_JOBS' });
    expect(await queue.getActiveCount()).toBe(1);
    await queue.obliterate({ force: true });
    end.open();
    await until('the worker hears that its lease is lost', () => errors.length > 0);
    expect(errors[0]).toMatchObject({ code: 'LEASE_LOST' });
    expect(completed).toEqual([]);
    expect(await queue.getJobCounts('completed', 'active')).toEqual({ completed: 0, active: 0 });
  });

  test('leaves a queue that can be used again', async () => {
    const queue = openQueue();
    await addNumbered(queue, 5);
    await queue.obliterate();
    const job = await queue.add('again', 1);
    const worker = openWorker(queue, () => 'ran');
    expect((await finished(worker, job.id)).returnvalue).toBe('ran');
  });
});

describe('retryJobs', () => {
  test('puts all failed jobs back, however many', async () => {
    const queue = openQueue();
    await addNumbered(queue, 2_400);
    await process(queue, 2_400);
    await queue.retryJobs();
    expect(await queue.getJobCounts('failed', 'waiting', 'completed')).toEqual({ failed: 0, waiting: 1_200, completed: 1_200 });
  });

  test('puts back what failed just now, though the clock of this process lags', async () => {
    const queue = openQueue();
    await addNumbered(queue, 10);
    await process(queue, 10);
    queue.connection.observeClock(Date.now() - 60_000);
    await queue.retryJobs();
    expect(await queue.getJobCounts('failed', 'waiting')).toEqual({ failed: 0, waiting: 5 });
    queue.connection.observeClock(Date.now() - 60_000);
    expect(await queue.clean(0, 100, 'completed')).toHaveLength(5);
  });

  test('puts completed jobs back in steps of a given size', async () => {
    const queue = openQueue();
    await addNumbered(queue, 10);
    await process(queue, 10);
    await queue.retryJobs({ state: 'completed', count: 2 });
    expect(await queue.getJobCounts('failed', 'waiting', 'completed')).toEqual({ failed: 5, waiting: 5, completed: 0 });
  });

  test('spares what failed after a given time', async () => {
    const queue = openQueue();
    await addNumbered(queue, 4);
    await process(queue, 4);
    const [job] = await queue.getFailed();
    await queue.retryJobs({ timestamp: (job?.finishedOn ?? 0) - 1_000 });
    expect(await queue.getFailedCount()).toBe(2);
    await queue.retryJobs({ timestamp: (job?.finishedOn ?? 0) + 1_000 });
    expect(await queue.getFailedCount()).toBe(0);
  });

  test('keeps the order in which they failed', async () => {
    const queue = openQueue();
    await addNumbered(queue, 6);
    const worker = openWorker(queue, () => {
      throw new Error('no');
    });
    await tallyOf('failed', worker).reached(6);
    await worker.close();
    const failed = data(await queue.getJobs('failed', 0, -1, true));
    await queue.retryJobs();
    expect(data(await queue.getWaiting())).toEqual(failed);
  });
});

describe('redrive', () => {
  test('starts attempts anew, for all, some or a few', async () => {
    const queue = openQueue();
    await addNumbered(queue, 12, { attempts: 1 });
    await process(queue, 12);
    const failed = await queue.getJobs('failed', 0, -1, true);
    expect(await queue.redrive({ ids: [failed[3]?.id ?? '', 'nobody'] })).toBe(1);
    expect(await queue.redrive({ count: 2 })).toBe(2);
    expect(await queue.getFailedCount()).toBe(3);
    expect(await queue.redrive()).toBe(3);
    expect(await queue.redrive()).toBe(0);
    for (const job of await queue.getWaiting()) {
      expect(job).toMatchObject({ attemptsMade: 0 });
      expect(job.attemptHistory).toHaveLength(1);
    }
  });
});

describe('promoteJobs', () => {
  test('lets all delayed jobs run, the soonest first', async () => {
    const queue = openQueue();
    await queue.addBulk(Array.from({ length: 1_500 }, (_, i) => ({ name: 'job', data: i, opts: { delay: 1_000_000 - i } })));
    await queue.promoteJobs();
    expect(await queue.getDelayedCount()).toBe(0);
    expect(data(await queue.getWaiting(0, 2))).toEqual([1_499, 1_498, 1_497]);
  });

  test('goes in steps of a given size', async () => {
    const queue = openQueue();
    await addNumbered(queue, 7, { delay: 100_000 });
    await queue.promoteJobs({ count: 3 });
    expect(await queue.getJobCounts('waiting', 'delayed')).toEqual({ waiting: 7, delayed: 0 });
  });
});

describe('the event stream', () => {
  test('is cut by trimEvents', async () => {
    const queue = openQueue();
    const redis = openRedis();
    for (let i = 0; i < 5; i++) await queue.add('a', i);
    expect(await queue.trimEvents(2)).toBe(3);
    expect(await redis.xlen(queue.toKey('events'))).toBe(2);
  });

  test('can be switched off', async () => {
    const queue = openQueue({ streams: { events: { maxLen: 0 } } });
    const redis = openRedis();
    await queue.waitUntilReady();
    await addNumbered(queue, 10);
    await process(queue, 10);
    expect(await redis.exists(queue.toKey('events'))).toBe(0);
  });

  test('stays about as long as the queue says', async () => {
    const queue = openQueue({ streams: { events: { maxLen: 1_000 } } });
    const redis = openRedis();
    for (let i = 0; i < 3_000; i += 30) await Promise.all(Array.from({ length: 30 }, (_, j) => queue.add('a', i + j)));
    for (let i = 0; i < 2_000; i++) await queue.updateJobProgress((await queue.getWaiting(0, 0))[0]?.id ?? '', i);
    expect(await redis.xlen(queue.toKey('events'))).toBeLessThan(1_300);
  });
});
