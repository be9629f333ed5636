import { describe, expect, test } from 'vitest';
import Bull from 'drover/bull';
import { gate, redisUrl, rejection, uniqueName } from '../../support/behaviour.js';
import { ended, next, openAnother, openBull } from './support.js';

/** A processor that holds `count` jobs until it is told to end. */
function holding(queue: Bull.Queue, count = 1): { started: Promise<void>; end: () => void } {
  const [started, ended] = [gate(), gate()];
  let running = 0;
  void queue.process('*', count, async () => {
    if (++running === count) started.open();
    await ended.promise;
  });
  return { started: started.promise, end: () => ended.open() };
}

describe('pause', () => {
  test('stops every queue of the name', async () => {
    const queue = openBull();
    await queue.pause();
    expect([await queue.isPaused(), await openAnother(queue).isPaused(), await queue.isPaused(true)]).toEqual([true, true, false]);
    await queue.add({});
    expect(await queue.getJobCounts()).toEqual({ waiting: 0, paused: 1, active: 0, completed: 0, failed: 0, delayed: 0 });
    expect([await queue.getPausedCount(), await queue.getWaitingCount(), await queue.count()]).toEqual([1, 1, 1]);
    expect([await queue.getJobs(['paused']), await queue.getJobs(['waiting']), await queue.getWaiting()].map(({ length }) => length)).toEqual([1, 0, 1]);
    const completed = next(queue, 'completed');
    void queue.process(async () => undefined);
    await queue.resume();
    await completed;
  });

  test('stops this queue alone, when it is local', async () => {
    const queue = openBull();
    const ran: string[] = [];
    const there = openAnother(queue);
    await queue.pause(true);
    void queue.process(async () => void ran.push('here'));
    expect([await queue.isPaused(true), await queue.isPaused(), await there.isPaused(true)]).toEqual([true, false, false]);
    const completed = next(there, 'completed');
    void there.process(async () => void ran.push('there'));
    await queue.add({});
    await completed;
    await there.close();
    const here = next(queue, 'completed');
    await queue.resume(true);
    await queue.add({});
    await here;
    expect(ran).toEqual(['there', 'here']);
  });

  test('waits for running jobs when it is local, unless told not to', async () => {
    const queue = openBull();
    const { started, end } = holding(queue);
    const completed = next(queue, 'completed');
    await queue.add({});
    await started;
    await queue.pause(true, true);
    const told: string[] = [];
    void completed.then(() => told.push('completed'));
    const paused = queue.pause(true).then(() => told.push('paused'));
    end();
    await paused;
    expect(told).toEqual(['completed', 'paused']);
  });
});

describe('whenCurrentJobsFinished', () => {
  test('waits for what runs here', async () => {
    const queue = openBull();
    await queue.whenCurrentJobsFinished();
    const { started, end } = holding(queue, 2);
    const [one, two] = await queue.addBulk([{ data: {} }, { data: {} }]);
    await started;
    const finished = queue.whenCurrentJobsFinished();
    end();
    await finished;
    expect([await one?.isCompleted(), await two?.isCompleted()]).toEqual([true, true]);
  });
});

describe('close', () => {
  test('waits for running jobs, and is the same when called again', async () => {
    const queue = openBull();
    const { started, end } = holding(queue);
    const job = await queue.add({});
    await started;
    const closing = queue.close();
    expect(queue.close()).toBe(closing);
    end();
    await closing;
    expect(queue.closed).toBe(true);
    const there = await openAnother(queue).getJob(job.id);
    expect(await there?.isCompleted()).toBe(true);
    expect(await queue.getNextJob()).toBe(undefined);
  });

  test('gives running jobs back when it need not wait', async () => {
    const queue = openBull();
    const { started } = holding(queue);
    const job = await queue.add({});
    await started;
    await queue.close(true);
    const there = await openAnother(queue).getJob(job.id);
    expect(await there?.getState()).toBe('waiting');
    expect(there?.attemptsMade).toBe(0);
  });

  test('disconnect gives up the connections at once', async () => {
    const queue = new Bull(uniqueName(), redisUrl);
    await queue.isReady();
    await queue.disconnect();
    await rejection(queue.add({}));
  });
});

describe('removing many', () => {
  test('empty removes what has not begun', async () => {
    const queue = openBull();
    await queue.addBulk([{ data: 1 }, { data: 2, opts: { priority: 1 } }, { data: 3, opts: { delay: 60_000 } }]);
    await queue.empty();
    expect(await queue.count()).toBe(0);
  });

  test('clean takes grace, type and limit in Bull’s order', async () => {
    const queue = openBull();
    const allEnded = ended(queue, 3);
    void queue.process(async (job) => {
      if (job.name === 'bad') throw new Error('no');
    });
    void queue.process('*', async () => Promise.reject(new Error('no')));
    const jobs = await queue.addBulk([{ data: 1 }, { data: 2 }, { name: 'bad', data: 3 }]);
    await allEnded;
    expect(await queue.clean(60_000)).toEqual([]);
    expect(await queue.clean(0, 'completed', 1)).toHaveLength(1);
    expect(await queue.clean(0)).toHaveLength(1);
    expect(await queue.clean(0, 'failed')).toEqual([jobs[2]?.id]);
  });

  test('clean knows waiting jobs by their state in a pause', async () => {
    const queue = openBull();
    await queue.pause(true);
    await queue.addBulk([{ data: 1 }, { data: 2, opts: { lifo: true } }, { data: 3, opts: { delay: 60_000 } }]);
    expect(await queue.clean(0, 'paused')).toEqual([]);
    expect(await queue.clean(0, 'wait', 1)).toHaveLength(1);
    expect(await queue.clean(0, 'delayed')).toHaveLength(1);
    await queue.pause();
    expect(await queue.clean(0, 'wait')).toEqual([]);
    expect(await queue.clean(0, 'paused')).toHaveLength(1);
  });

  test('clean refuses what Bull refuses', async () => {
    const queue = openBull();
    expect(await rejection(queue.clean(undefined as never))).toEqual(new Error('You must define a grace period.'));
    expect(await rejection(queue.clean(0, 'odd' as never))).toEqual(new Error('Cannot clean unknown queue type odd'));
  });

  test('removeJobs takes a glob, and leaves running jobs', async () => {
    const queue = openBull();
    await queue.add({}, { jobId: 'mail-run', lifo: true });
    const { started, end } = holding(queue);
    await started;
    for (const jobId of ['mail-1', 'mail-2', 'fax-1']) await queue.add({}, { jobId, delay: jobId === 'mail-2' ? 60_000 : 0 });
    const removed: unknown[] = [];
    queue.on('removed', (id) => void removed.push(id));
    await queue.removeJobs('mail-*');
    expect(removed.sort()).toEqual(['mail-1', 'mail-2']);
    expect(await queue.getJob('fax-1')).not.toBe(null);
    await queue.removeJobs('fax-[0-9]');
    expect(await queue.getJob('fax-1')).toBe(null);
    end();
  });

  test('obliterate leaves nothing, and needs force while jobs are active', async () => {
    const queue = openBull();
    const { started, end } = holding(queue);
    await queue.addBulk([{ data: 1 }, { data: 2 }]);
    await started;
    expect(String(await rejection(queue.obliterate()))).toContain('Cannot obliterate queue with active jobs');
    await queue.obliterate({ force: true });
    expect(await queue.getJobCountByTypes('active', 'waiting', 'paused')).toBe(0);
    end();
  });

  test('retryJobs puts all failed jobs back', async () => {
    const queue = openBull();
    let isWell = false;
    void queue.process(() => (isWell ? Promise.resolve() : Promise.reject(new Error('no'))));
    const allEnded = ended(queue, 3);
    await queue.addBulk([{ data: 1 }, { data: 2 }, { data: 3 }]);
    await allEnded;
    expect(await queue.getFailedCount()).toBe(3);
    isWell = true;
    const again = ended(queue, 3);
    await queue.retryJobs({ count: 2 });
    await again;
    expect(await queue.getCompletedCount()).toBe(3);
  });
});

describe('the getters', () => {
  test('read every state by page', async () => {
    const queue = openBull<number>();
    const allEnded = ended(queue, 4);
    void queue.process(async (job) => {
      if (job.data > 2) throw new Error('no');
    });
    await queue.addBulk([1, 2, 3, 4].map((data) => ({ data })));
    await allEnded;
    await queue.pause(true);
    await queue.addBulk([5, 6, 7].map((data) => ({ data })));
    await queue.add(8, { delay: 60_000 });
    const dataOf = (jobs: Bull.Job<number>[]): number[] => jobs.map(({ data }) => data);
    expect(dataOf(await queue.getCompleted()).sort()).toEqual([1, 2]);
    expect(dataOf(await queue.getFailed()).sort()).toEqual([3, 4]);
    expect(dataOf(await queue.getFailed(0, 0))).toHaveLength(1);
    expect(dataOf(await queue.getWaiting())).toEqual([5, 6, 7]);
    expect(dataOf(await queue.getWaiting(0, 1))).toEqual([5, 6]);
    expect(dataOf(await queue.getWaiting(-1))).toEqual([7]);
    expect(dataOf(await queue.getJobs(['waiting', 'delayed'], 0, 0))).toEqual([7, 8]);
    expect(dataOf(await queue.getJobs(['wait'], 0, 0, true))).toEqual([5]);
    expect(dataOf(await queue.getDelayed())).toEqual([8]);
    expect(await queue.getActive()).toEqual([]);
    expect(await queue.getJobCounts()).toEqual({ waiting: 3, active: 0, completed: 2, failed: 2, delayed: 1, paused: 0 });
    expect(await queue.getJobCounts('wait, failed')).toEqual({ wait: 3, failed: 2 });
    expect(await queue.getJobCountByTypes(['completed', 'failed'])).toBe(4);
    expect([await queue.getCompletedCount(), await queue.getActiveCount(), await queue.getDelayedCount(), await queue.getStalledCount()]).toEqual([2, 0, 1, 0]);
    expect(await queue.count()).toBe(4);
    expect(await queue.getJob('nobody')).toBe(null);
  });

  test('read metrics, when they are asked for', async () => {
    const queue = openBull({ metrics: { maxDataPoints: Bull.utils.MetricsTime.ONE_HOUR } });
    const allEnded = ended(queue, 2);
    void queue.process(async () => undefined);
    await queue.addBulk([{ data: 1 }, { data: 2 }]);
    await allEnded;
    expect((await queue.getMetrics('completed')).meta.count).toBe(2);
    expect((await queue.getMetrics('failed', 0, -1)).meta.count).toBe(0);
  });
});
