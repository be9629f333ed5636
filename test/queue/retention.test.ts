import { describe, expect, test } from 'vitest';
import { type JobsOptions, type Queue, type WorkerOptions } from 'drover';
import { addNumbered, openQueue, openRedis, openWorker, tallyOf } from '../support/behaviour.js';

/** Completes (or fails) jobs one after the other. */
async function run(queue: Queue, count: number, jobOpts: JobsOptions, workerOpts: Partial<WorkerOptions> = {}, fails = false): Promise<void> {
  await addNumbered(queue, count, jobOpts);
  const worker = openWorker(queue, () => {
    if (fails) throw new Error('no');
  }, workerOpts);
  await tallyOf(fails ? 'failed' : 'completed', worker).reached(count);
  await worker.close();
}

describe.each([
  { state: 'completed', fails: false, option: 'removeOnComplete' },
  { state: 'failed', fails: true, option: 'removeOnFail' },
] as const)('of $state jobs', ({ state, fails, option }) => {
  test('all stay by default', async () => {
    const queue = openQueue();
    await run(queue, 5, {}, {}, fails);
    expect(await queue.getJobCountByTypes(state)).toBe(5);
  });

  test.each([true, 0, { count: 0 }])('none stays with %j', async (rule) => {
    const queue = openQueue();
    const redis = openRedis();
    await run(queue, 5, { [option]: rule }, {}, fails);
    expect(await queue.getJobCountByTypes(state)).toBe(0);
    expect(await redis.exists(...['job', 'state', 'outcome', 'history', 'expire'].map((key) => queue.toKey(key)))).toBe(0);
  });

  test.each([3, { count: 3 }, { count: 3, age: 3_600 }])('the newest three stay when each job says %j', async (rule) => {
    const queue = openQueue();
    await run(queue, 10, { [option]: rule }, {}, fails);
    expect((await queue.getJobs(state)).map((job) => job.data as number)).toEqual([9, 8, 7]);
  });

  test('the newest three stay when the queue’s defaults say so', async () => {
    const queue = openQueue({ defaultJobOptions: { [option]: 3 } });
    await run(queue, 10, {}, {}, fails);
    expect(await queue.getJobCountByTypes(state)).toBe(3);
  });

  test('the newest three stay when the worker says so', async () => {
    const queue = openQueue();
    await run(queue, 10, {}, { [option]: { count: 3 } }, fails);
    expect((await queue.getJobs(state)).map((job) => job.data as number)).toEqual([9, 8, 7]);
  });

  test('a job’s own rule goes before the worker’s', async () => {
    const queue = openQueue();
    await run(queue, 4, { [option]: true }, { [option]: { count: 100 } }, fails);
    expect(await queue.getJobCountByTypes(state)).toBe(0);
  });

  test('a job that says false outlives the ages of others', async () => {
    const queue = openQueue();
    await run(queue, 2, { [option]: false }, { [option]: { age: 1 } }, fails);
    await run(queue, 2, {}, { [option]: { age: 1 } }, fails);
    const sweeper = openWorker(queue, () => undefined, { [option]: { age: 1 } });
    const { until } = await import('../support/servers/until.js');
    await until('the others are swept', async () => (await queue.getJobCountByTypes(state)) === 2);
    expect((await queue.getJobs(state)).map((job) => job.opts[option])).toEqual([false, false]);
    await sweeper.close();
  });

  test('an age of the job’s own is kept within seconds when it is short', async () => {
    const queue = openQueue();
    await run(queue, 2, { [option]: { age: 1 } }, {}, fails);
    await addNumbered(queue, 1, { [option]: { age: 1 } });
    openWorker(queue, () => {
      if (fails) throw new Error('no');
    });
    const { until } = await import('../support/servers/until.js');
    await until('they are swept', async () => (await queue.getJobCountByTypes(state)) === 0, { timeoutMs: 12_000, everyMs: 50 });
  });
});
