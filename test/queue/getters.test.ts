import { describe, expect, test } from 'vitest';
import { type JobType, type Queue } from 'drover';
import { addNumbered, gate, openQueue, openWorker, tallyOf } from '../support/behaviour.js';

/** Five jobs in each of the states. */
async function populated(): Promise<Queue> {
  const queue = openQueue();
  await addNumbered(queue, 10);
  const worker = openWorker(queue, (job) => {
    if ((job.data as number) >= 5) throw new Error('no');
  });
  const failed = tallyOf('failed', worker);
  const completed = tallyOf('completed', worker);
  await Promise.all([failed.reached(5), completed.reached(5)]);
  await worker.close();
  await addNumbered(queue, 5);
  const busy = gate();
  const holder = openWorker(queue, () => busy.promise, { concurrency: 5 });
  await tallyOf('active', holder).reached(5);
  await holder.pause(true);
  await addNumbered(queue, 5);
  await addNumbered(queue, 5, { priority: 9 });
  await queue.addBulk(range(5).map((i) => ({ name: 'job', data: i, opts: { delay: 100_000 + i } })));
  return queue;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const states = ['waiting', 'prioritized', 'delayed', 'active', 'completed', 'failed'] as const;

describe('pages', () => {
  const pages: [start: number, end: number][] = [
    [0, -1], [0, 0], [0, 2], [1, 3], [4, 4], [4, 10], [5, 9], [-2, -1], [-3, -2], [0, -2], [0, -5], [0, -6], [0, -7], [-9, 1], [2, 1], [-1, 0], [1, -4],
  ];

  test('mean the same in every state as in a list', async () => {
    const queue = await populated();
    for (const state of states) {
      for (const asc of [true, false]) {
        const all = (await queue.getJobs(state, 0, -1, asc)).map((job) => job.id);
        expect(all).toHaveLength(5);
        for (const [start, end] of pages) {
          const page = (await queue.getJobs(state, start, end, asc)).map((job) => job.id);
          expect(page, `${state} ${asc ? 'asc' : 'desc'} ${start}..${end}`).toEqual(slice(all, start, end));
        }
      }
    }
  });

  test('of one waiting job end where a list would', async () => {
    const queue = openQueue();
    await queue.add('a', 1);
    expect(await queue.getJobs('waiting', 0, -2)).toEqual([]);
    expect(await queue.getJobs('waiting', 0, -1)).toHaveLength(1);
  });

  test('of several states follow one another, each of its own', async () => {
    const queue = await populated();
    const jobs = await queue.getJobs(['delayed', 'waiting'], 0, 1, true);
    expect(jobs.map((job) => job.delay > 0)).toEqual([true, true, false, false]);
  });

  test('oldest first and newest first are each other’s reverse', async () => {
    const queue = await populated();
    for (const state of states) {
      const up = (await queue.getJobs(state, 0, -1, true)).map((job) => job.id);
      const down = (await queue.getJobs(state, 0, -1, false)).map((job) => job.id);
      expect(down).toEqual([...up].reverse());
    }
  });
});

describe('counts', () => {
  test('tell every state', async () => {
    const queue = await populated();
    expect(await queue.getJobCounts()).toEqual({
      waiting: 5, prioritized: 5, delayed: 5, active: 5, completed: 5, failed: 5, paused: 0, 'waiting-children': 0,
    });
    expect(await queue.getJobCounts('wait', 'failed')).toEqual({ wait: 5, failed: 5 });
    expect(await queue.getJobCountByTypes('wait', 'waiting')).toBe(5);
    expect(await queue.getJobCountByTypes('waiting', 'prioritized')).toBe(10);
    expect(await queue.count()).toBe(15);
    const each = [
      queue.getWaitingCount(), queue.getPrioritizedCount(), queue.getDelayedCount(), queue.getActiveCount(),
      queue.getCompletedCount(), queue.getFailedCount(), queue.getWaitingChildrenCount(),
    ];
    expect(await Promise.all(each)).toEqual([5, 5, 5, 5, 5, 5, 0]);
  });

  test('of a name that is no state are refused or nothing, never NaN', async () => {
    const queue = openQueue();
    for (const type of ['__proto__', 'toString', 'isPaused', 'nonsense'] as unknown as JobType[]) {
      const found = await queue.getJobCounts(type).catch((error: { code?: string }) => error.code);
      if (typeof found === 'object') expect(Object.values(found)).toEqual([0]);
      else expect(found).toBe('INVALID_OPTION');
    }
  });

  test('per priority', async () => {
    const queue = openQueue();
    await addNumbered(queue, 2);
    await addNumbered(queue, 3, { priority: 1 });
    await addNumbered(queue, 4, { priority: 2_097_151 });
    expect(await queue.getCountsPerPriority([0, 1, 2, 2_097_151])).toEqual({ 0: 2, 1: 3, 2: 0, 2097151: 4 });
  });

  test('of delayed jobs that are due by a time', async () => {
    const queue = openQueue();
    const [soon] = await queue.addBulk([1_000, 100_000].map((delay) => ({ name: 'a', data: 0, opts: { delay } })));
    expect(await queue.getDelayedCount((soon?.timestamp ?? 0) + 50_000)).toBe(1);
    expect(await queue.getDelayedCount()).toBe(2);
  });
});

describe('the getters of one state', () => {
  test('show the jobs in it', async () => {
    const queue = await populated();
    const counts = await Promise.all([
      queue.getWaiting(), queue.getPrioritized(), queue.getDelayed(), queue.getActive(), queue.getCompleted(), queue.getFailed(), queue.getWaitingChildren(),
    ]);
    expect(counts.map((jobs) => jobs.length)).toEqual([5, 5, 5, 5, 5, 5, 0]);
    expect((await queue.getWaiting(1, 2)).map((job) => job.data as number)).toEqual([1, 2]);
    for (const job of await queue.getActive()) {
      expect(job).toMatchObject({ attemptsStarted: 1, attemptsMade: 0, finishedOn: undefined });
      expect(job.processedOn).toBeGreaterThan(0);
    }
    for (const job of await queue.getCompleted()) expect(job).toMatchObject({ attemptsMade: 1, attemptsStarted: 1 });
    for (const job of await queue.getFailed()) {
      expect(job).toMatchObject({ attemptsMade: 1, failedReason: 'no' });
      expect(job.stacktrace).toHaveLength(1);
      expect(job.attemptHistory).toMatchObject([{ message: 'no', name: 'Error' }]);
      expect(job.finishedOn).toBeGreaterThanOrEqual(job.processedOn ?? Infinity);
    }
  });

  test('getJobs without a type shows all', async () => {
    const queue = await populated();
    expect(await queue.getJobs()).toHaveLength(30);
    expect(new Set(await queue.getRanges(['waiting', 'wait'], 0, -1)).size).toBe(5);
  });

  test('each job says its state', async () => {
    const queue = await populated();
    for (const state of states) {
      const [job] = await queue.getJobs(state);
      expect(await job?.getState()).toBe(state);
      const said = await Promise.all([job?.isWaiting(), job?.isDelayed(), job?.isActive(), job?.isCompleted(), job?.isFailed(), job?.isWaitingChildren()]);
      expect(said.filter(Boolean)).toHaveLength(1);
    }
  });

  test('an unknown id is nothing', async () => {
    const queue = openQueue();
    expect(await queue.getJob('nobody')).toBeUndefined();
    expect(await queue.getJobState('nobody')).toBe('unknown');
    expect(await queue.remove('nobody')).toBe(0);
  });
});

test('getWorkers lists each idle worker by name', async () => {
  const queue = openQueue();
  openWorker(queue, () => undefined, { name: 'ann' });
  openWorker(queue, () => undefined, { name: 'bob' });
  const { until } = await import('../support/servers/until.js');
  await until('both workers wait for a job', async () => (await queue.getWorkersCount()) === 2);
  const names = (await queue.getWorkers()).map((client) => client['rawname']);
  expect(names.map((name) => name?.split(':w:')[1]).sort()).toEqual(['ann', 'bob']);
});

test('getWorkers lists a worker that has had work ever since it started', async () => {
  const queue = openQueue();
  await queue.add('a', 1);
  const busy = gate();
  const worker = openWorker(queue, () => busy.promise, { name: 'ann' });
  await tallyOf('active', worker).reached(1);
  const { until } = await import('../support/servers/until.js');
  await until('the busy worker is listed', async () => (await queue.getWorkersCount()) === 1, { timeoutMs: 3_000 });
});

/** As ZRANGE counts. */
function slice(all: string[], start: number, end: number): string[] {
  const first = start < 0 ? Math.max(0, all.length + start) : start;
  const last = end < 0 ? all.length + end : end;
  return all.slice(first, Math.max(first, last + 1));
}
