import { expect, onTestFinished, test } from 'vitest';
import { idleWorkers, openQueue, openWorker } from '../support/behaviour.js';
import { urlAs } from '../support/roles.js';
import { until } from '../support/servers/until.js';
import { spawnNode } from '../faults/infra/processes.js';

test('four workers in two processes run each slot once', async () => {
  const queue = openQueue();
  const workers = [1, 2].map(() => openWorker(queue, () => undefined));
  const others = await Promise.all([1, 2].map(() => spawnNode(new URL('../worker/fixtures/worker-process.ts', import.meta.url), {
    args: [JSON.stringify({ queue: queue.name, redis: urlAs('worker'), handler: 'quick' })],
  })));
  onTestFinished(() => Promise.all(others.map((child) => child.kill9())).then(() => undefined));
  await queue.upsertJobScheduler('tick', { every: 40, limit: 30 });
  await queue.upsertJobScheduler('tock', { every: 70, offset: 5, limit: 15 });
  await until('both schedules have ended', async () => (await queue.getJobSchedulersCount()) === 0);
  await until('all runs are done', async () => (await queue.getCompletedCount()) === 45);
  const runs = await queue.getCompleted();
  expect(new Set(runs.map((job) => job.id)).size).toBe(45);
  for (const job of runs) expect(job).toMatchObject({ attemptsMade: 1, attemptsStarted: 1 });
  expect(runs.filter((job) => job.repeatJobKey === 'tick')).toHaveLength(30);
  await Promise.all(workers.map((worker) => worker.close()));
});

test('a worker that is killed does not take a delayed job along that only it knew of', async () => {
  const queue = openQueue();
  const first = await spawnNode(new URL('../worker/fixtures/worker-process.ts', import.meta.url), {
    args: [JSON.stringify({ queue: queue.name, redis: urlAs('worker'), handler: 'quick' })],
  });
  onTestFinished(() => first.kill9());
  await until('the first worker waits', async () => (await idleWorkers(queue)) === 1);
  const survivor = openWorker(queue, () => undefined);
  await until('both wait', async () => (await idleWorkers(queue)) === 2);
  // The marker wakes the one that has waited longest: only it learns when the job is due.
  await queue.add('a', 1, { delay: 2_000 });
  await until('the marker is taken', async () => (await queue.connection.command('exists', [queue.toKey('marker')], 'look')) === 0);
  await first.kill9();
  await until('the job runs', async () => (await queue.getCompletedCount()) === 1, { timeoutMs: 12_000, everyMs: 50 });
  await survivor.close();
});
