import { describe, expect, onTestFinished, test } from 'vitest';
import { type Job } from 'drover';
import { addNumbered, finished, once, openQueue, openWorker, Tally, tallyOf } from '../support/behaviour.js';
import { urlAs } from '../support/roles.js';
import { until } from '../support/servers/until.js';
import { takeAndForget } from '../support/take-and-forget.js';
import { spawnNode, type NodeProcess } from '../faults/infra/processes.js';
import type { WorkerProcessOptions } from './fixtures/worker-process.js';

async function workerProcess(options: Omit<WorkerProcessOptions, 'redis'>): Promise<NodeProcess> {
  const child = await spawnNode(new URL('./fixtures/worker-process.ts', import.meta.url), {
    args: [JSON.stringify({ ...options, redis: urlAs('worker') })],
  });
  onTestFinished(() => child.kill9());
  return child;
}

const lockDuration = 1_000;

describe('a worker process that is killed', () => {
  test('leaves its jobs to another worker; a stall is counted, an attempt is not', async () => {
    const queue = openQueue();
    const jobs = await addNumbered(queue, 3, { attempts: 1 });
    const child = await workerProcess({ queue: queue.name, handler: 'hang', opts: { concurrency: 3, lockDuration } });
    for (let i = 0; i < 3; i++) await child.signal('started');
    // The note that they have started shows as half a millisecond in their deadline.
    await until('Redis knows that they have started', async () => {
      const scores = await Promise.all(jobs.map((job) => queue.connection.command('zscore', [queue.toKey('active'), job.id], 'look')));
      return scores.every((score) => String(score).endsWith('.5'));
    });
    await child.kill9();

    const rescuer = openWorker(queue, (job) => job.data as number, { lockDuration, concurrency: 3 });
    const stalled = new Tally<unknown[]>();
    rescuer.on('stalled', (...args: unknown[]) => stalled.add(args));
    const done = tallyOf('completed', rescuer);
    await done.reached(3);
    await stalled.reached(3);
    expect(stalled.seen.map(([id]) => id).sort()).toEqual(jobs.map((job) => job.id).sort());
    for (const job of await queue.getCompleted()) {
      expect(job).toMatchObject({ attemptsMade: 1, stalledCounter: 1, attemptsStarted: 2 });
      expect(job.attemptHistory).toMatchObject([{ message: expect.stringContaining('stalled') }]);
    }
  });

  test('with jobs it never started leaves them uncounted', async () => {
    const queue = openQueue();
    const [job] = await addNumbered(queue, 1);
    expect(await takeAndForget(queue, 300)).toBe(job?.id);
    const rescuer = openWorker(queue, () => 'rescued', { lockDuration });
    const stalls: unknown[] = [];
    rescuer.on('stalled', (id: unknown) => stalls.push(id));
    expect(await finished(rescuer, job?.id ?? '')).toMatchObject({ attemptsMade: 1, stalledCounter: 0 });
    expect(stalls).toEqual([]);
    expect(await queue.getJob(job?.id ?? '')).toMatchObject({ stalledCounter: 0, attemptHistory: [] });
  });

  test('again and again is dead after maxStalledCount, with the reason', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { attempts: 10 });
    const opts = { lockDuration: 500, maxStalledCount: 1 };
    for (let i = 0; i < 2; i++) {
      const child = await workerProcess({ queue: queue.name, handler: 'hang', opts });
      await child.signal('started');
      await until('Redis knows that it has started', async () => {
        const score = await queue.connection.command('zscore', [queue.toKey('active'), job.id], 'look');
        return String(score).endsWith('.5');
      });
      await child.kill9();
    }
    const witness = openWorker(queue, () => 'should not run', { ...opts });
    const [failed, error] = await once<[Job, Error]>(witness, 'failed');
    expect(failed.id).toBe(job.id);
    expect(error.message).toBe('job stalled more than allowable limit');
    expect(await queue.getJob(job.id)).toMatchObject({
      failedReason: 'job stalled more than allowable limit', stalledCounter: 2, attemptsMade: 0,
    });
    expect(await queue.getJobState(job.id)).toBe('failed');
  });
});

test('a job that kills its process at once is dead after at most three starts', async () => {
  const queue = openQueue();
  const job = await queue.add('poison', 1, { attempts: 10 });
  const opts = { lockDuration: 400, maxStalledCount: 1 };
  let starts = 0;
  while ((await queue.getJobState(job.id)) !== 'failed') {
    const child = await workerProcess({ queue: queue.name, handler: 'poison', opts });
    const outcome = await Promise.race([
      child.exited.then(() => 'died'),
      until('the job is dead', async () => (await queue.getJobState(job.id)) === 'failed').then(() => 'buried'),
    ]);
    if (outcome === 'died') starts++;
    expect(starts).toBeLessThanOrEqual(3);
    await child.kill9();
  }
  expect(starts).toBeGreaterThanOrEqual(2);
  expect(await queue.getJob(job.id)).toMatchObject({ failedReason: 'job stalled more than allowable limit' });
}, 60_000);

test('other jobs survive beside a poisonous one', async () => {
  const queue = openQueue();
  const poison = await queue.add('poison', 1);
  await addNumbered(queue, 3);
  const child = await workerProcess({ queue: queue.name, handler: 'poison', opts: { concurrency: 4, lockDuration: 500 } });
  await child.exited;
  const rescuer = openWorker(queue, (job) => job.name, { lockDuration: 500, concurrency: 4 });
  const done = tallyOf('completed', rescuer);
  await done.reached(4);
  expect(done.seen.map((job) => job.id)).toContain(poison.id);
  for (const job of done.seen) expect(job.attemptsMade).toBe(1);
});
