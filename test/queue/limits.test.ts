import { describe, expect, test } from 'vitest';
import { addNumbered, finished, gate, idleWorkers, once, openQueue, openWorker, Tally, tallyOf } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

describe('pause', () => {
  test('hands out nothing until resume, on any worker', async () => {
    const queue = openQueue();
    await queue.pause();
    expect(await queue.isPaused()).toBe(true);
    const started = new Tally<number>();
    const workers = [1, 2].map(() => openWorker(queue, (job) => started.add(job.data as number)));
    await addNumbered(queue, 5);
    await until('both workers wait', async () => (await idleWorkers(queue)) === 2);
    expect(started.seen).toEqual([]);
    expect(await queue.getJobCounts('waiting', 'paused')).toEqual({ waiting: 5, paused: 0 });
    const done = tallyOf('completed', ...workers);
    await queue.resume();
    await done.reached(5);
    expect(await queue.isPaused()).toBe(false);
  });

  test('lets running jobs go on', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const end = gate<string>();
    const worker = openWorker(queue, () => end.promise);
    await tallyOf('active', worker).reached(1);
    await queue.pause();
    const done = finished(worker, job.id);
    end.open('done');
    expect((await done).returnvalue).toBe('done');
  });

  test('is announced by the queue that pauses', async () => {
    const queue = openQueue();
    const heard: string[] = [];
    for (const event of ['paused', 'resumed'] as const) queue.on(event, () => heard.push(event));
    await queue.pause();
    await queue.pause();
    await queue.resume();
    expect(heard.filter((event, i) => event !== heard[i - 1])).toEqual(['paused', 'resumed']);
  });
});

describe('global concurrency', () => {
  test('holds over all workers', async () => {
    const queue = openQueue();
    await queue.setGlobalConcurrency(3);
    expect(await queue.getGlobalConcurrency()).toBe(3);
    await addNumbered(queue, 40);
    let running = 0;
    let most = 0;
    const turn = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    };
    const workers = [1, 2, 3].map(() => openWorker(queue, turn, { concurrency: 5 }));
    await tallyOf('completed', ...workers).reached(40);
    expect(most).toBeLessThanOrEqual(3);
  });

  test('says when it is reached, and can be lifted', async () => {
    const queue = openQueue();
    await queue.setGlobalConcurrency(1);
    await addNumbered(queue, 3);
    const end = gate();
    const worker = openWorker(queue, () => end.promise, { concurrency: 3 });
    const active = tallyOf('active', worker);
    await active.reached(1);
    expect(await queue.isMaxed()).toBe(true);
    expect(await queue.removeGlobalConcurrency()).toBe(1);
    await active.reached(3);
    expect(await queue.isMaxed()).toBe(false);
    expect(await queue.getGlobalConcurrency()).toBeNull();
    end.open();
  });

  test('is no reason to say that the queue is drained', async () => {
    const queue = openQueue();
    await queue.setGlobalConcurrency(1);
    await addNumbered(queue, 3);
    const holder = openWorker(queue, () => gate().promise);
    await tallyOf('active', holder).reached(1);
    const other = openWorker(queue, () => undefined);
    let drained = 0;
    other.on('drained', () => drained++);
    await until('the other worker waits', async () => (await queue.getWorkers()).some((client) => client['cmd'] === 'bzpopmin'));
    expect(drained).toBe(0);
  });
});

describe('rate limits', () => {
  test('rateLimit holds all jobs back for its time', async () => {
    const queue = openQueue();
    await queue.waitUntilReady();
    await queue.rateLimit(400);
    const ttl = await queue.getRateLimitTtl();
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(400);
    const till = Number((await queue.getMeta())['limitedTill']);
    const job = await queue.add('a', 1);
    const worker = openWorker(queue, () => undefined);
    const done = await finished(worker, job.id);
    expect(done.processedOn).toBeGreaterThanOrEqual(till);
    expect(await queue.getRateLimitTtl()).toBeLessThanOrEqual(0);
  });

  test('a worker that a limit holds back sees within maximumRateLimitDelay that it is gone', async () => {
    const queue = openQueue();
    await queue.rateLimit(600_000);
    const job = await queue.add('a', 1);
    const worker = openWorker(queue, () => undefined, { maximumRateLimitDelay: 50 });
    const done = finished(worker, job.id);
    await once(worker, 'ready');
    expect(await queue.removeRateLimitKey()).toBe(1);
    expect((await done).attemptsMade).toBe(1);
  });

  test('the queue’s own limit is never exceeded in any window', async () => {
    const queue = openQueue();
    await queue.setGlobalRateLimit(4, 300);
    expect(await queue.getGlobalRateLimit()).toEqual({ max: 4, duration: 300 });
    const jobs = await addNumbered(queue, 16);
    const workers = [1, 2].map(() => openWorker(queue, () => undefined, { concurrency: 10 }));
    await tallyOf('completed', ...workers).reached(16);
    const starts = (await Promise.all(jobs.map((job) => queue.getJob(job.id)))).map((job) => job?.processedOn ?? 0);
    expect(mostInWindow(starts, 300)).toBeLessThanOrEqual(4);
    expect(await queue.removeGlobalRateLimit()).toBe(2);
    expect(await queue.getGlobalRateLimit()).toBeNull();
  });
});

/** The most starts in any window of that length. */
function mostInWindow(starts: number[], windowMs: number): number {
  const sorted = [...starts].sort((a, b) => a - b);
  return Math.max(...sorted.map((from) => sorted.filter((at) => at >= from && at < from + windowMs).length));
}
