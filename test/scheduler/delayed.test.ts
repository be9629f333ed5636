import { expect, test } from 'vitest';
import { finished, gate, idleWorkers, openQueue, openWorker, tallyOf } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

test('a delayed job never runs early by the clock of Redis', async () => {
  const queue = openQueue();
  const delays = [1, 7, 20, 50, 51, 90, 150];
  const worker = openWorker(queue, () => undefined, { concurrency: 10 });
  const done = tallyOf('completed', worker);
  const jobs = await queue.addBulk(delays.map((delay) => ({ name: 'a', data: delay, opts: { delay } })));
  const due = new Map<string, number>();
  for (const job of await queue.getDelayed()) {
    due.set(job.id, Number(await queue.connection.command('zscore', [queue.toKey('delayed'), job.id], 'look')));
  }
  await done.reached(jobs.length);
  for (const job of done.seen) {
    expect(job.processedOn).toBeGreaterThanOrEqual(job.timestamp + (job.data as number));
    if (due.get(job.id)) expect(job.processedOn).toBeGreaterThanOrEqual(due.get(job.id) ?? 0);
  }
});

test('jobs that fall due run in the order of their times', async () => {
  const queue = openQueue();
  await queue.addBulk([90, 30, 60].map((delay) => ({ name: 'a', data: delay, opts: { delay } })));
  const worker = openWorker(queue, () => undefined);
  const done = tallyOf('completed', worker);
  await done.reached(3);
  expect(done.seen.map((job) => job.data as number)).toEqual([30, 60, 90]);
});

test('an idle, blocked worker learns of a delayed job and runs it', async () => {
  const queue = openQueue();
  const worker = openWorker(queue, () => 'ran', { drainDelay: 3_600 });
  await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
  const job = await queue.add('a', 1, { delay: 100 });
  expect((await finished(worker, job.id)).returnvalue).toBe('ran');
});

test('an earlier job overtakes one that was waited for', async () => {
  const queue = openQueue();
  const worker = openWorker(queue, () => 'ran', { drainDelay: 3_600 });
  await queue.add('far', 1, { delay: 3_600_000 });
  await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
  const near = await queue.add('near', 1, { delay: 60 });
  expect((await finished(worker, near.id)).returnvalue).toBe('ran');
  expect(await queue.getDelayedCount()).toBe(1);
});

test('a worker that is fully busy leaves due jobs to others', async () => {
  const queue = openQueue();
  await queue.add('long', 1);
  const busy = openWorker(queue, () => gate().promise, { closeTimeout: 0 });
  await tallyOf('active', busy).reached(1);
  const other = openWorker(queue, () => 'ran');
  const job = await queue.add('a', 1, { delay: 80 });
  expect((await finished(other, job.id)).returnvalue).toBe('ran');
});

test('more than one step of jobs falls due at once', async () => {
  const queue = openQueue();
  await queue.addBulk(Array.from({ length: 2_200 }, (_, i) => ({ name: 'a', data: i, opts: { delay: 5 } })));
  const worker = openWorker(queue, () => undefined, { concurrency: 100 });
  await tallyOf('completed', worker).reached(2_200);
});

test('nothing is promoted while nobody works, and nothing is lost', async () => {
  const queue = openQueue();
  const job = await queue.add('a', 1, { delay: 1 });
  await until('it is due', async () => (await queue.getDelayedCount(Date.now() - 50)) === 1);
  expect(await job.getState()).toBe('delayed');
  const worker = openWorker(queue, () => 'ran');
  expect((await finished(worker, job.id)).returnvalue).toBe('ran');
});

test('a delay keeps its priority', async () => {
  const queue = openQueue();
  await queue.pause();
  await queue.addBulk([
    { name: 'low', data: 0, opts: { delay: 1, priority: 9 } }, { name: 'high', data: 0, opts: { delay: 5, priority: 1 } },
  ]);
  const worker = openWorker(queue, () => undefined);
  await until('both are due', async () => (await queue.getPrioritizedCount()) === 2);
  const done = tallyOf('completed', worker);
  await queue.resume();
  await done.reached(2);
  expect(done.seen.map((job) => job.name)).toEqual(['high', 'low']);
});
