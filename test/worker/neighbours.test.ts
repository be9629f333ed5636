// A worker looks for the jobs that its own process adds right behind their call, and no marker wakes anybody else for them.
import { expect, onTestFinished, test } from 'vitest';
import { Queue, Worker, type Job, type WorkerOptions } from 'drover';
import { enqueue } from '../../src/redis/scripts/enqueue.js';
import { settle } from '../../src/redis/scripts/settle.js';
import { gate, idleWorkers, openRedis, openWorker, redisUrl, tallyOf, uniqueName, type Tally } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

/** Far less than the 8 s after which a worker glances by itself. */
const promptlyMs = 4_000;

/** A queue that has added before, and a worker beside it on the same connection that rests. */
async function openNeighbours(processor: (job: Job) => unknown, opts: Partial<WorkerOptions> = {}): Promise<{ queue: Queue; worker: Worker }> {
  const queue = new Queue(uniqueName(), { connection: redisUrl });
  const worker = new Worker(queue.name, async (job) => processor(job), { connection: redisUrl, ...opts });
  onTestFinished(async () => {
    await worker.close(true);
    await queue.close();
  });
  const completed = tallyOf('completed', worker);
  await queue.add('first', 0);
  await completed.reached(1);
  await until('the worker rests', async () => (await idleWorkers(queue)) >= 1);
  return { queue, worker };
}

/** Another worker, elsewhere, that rests too. */
async function openElsewhere(queue: Queue): Promise<Tally<Job>> {
  const completed = tallyOf('completed', openWorker(queue.name, () => undefined));
  await until('both rest', async () => (await idleWorkers(queue)) >= 2);
  return completed;
}

/** The jobs that are added end long before any worker would find them by itself. */
async function endsPromptly(add: () => Promise<unknown>, completed: Tally<Job>, count: number): Promise<void> {
  const askedAt = performance.now();
  await add();
  await completed.reached(count);
  expect(performance.now() - askedAt).toBeLessThan(promptlyMs);
}

test('a job for a worker beside it sets no marker', async () => {
  const held = gate();
  const started = gate();
  const { queue } = await openNeighbours(({ name }) => (name === 'second' ? (started.open(), held.promise) : undefined));
  await queue.add('second', 1);
  await started.promise;
  expect(await openRedis().exists(queue.toKey('marker'))).toBe(0);
  held.open();
});

test('a job that reaches Redis after the look, because its call had to be repeated, is started at once', async () => {
  const { queue, worker } = await openNeighbours(() => undefined);
  const completed = tallyOf('completed', worker);
  const redis = openRedis();
  // Redis forgets the script that adds and knows the one that takes: so the look comes first.
  await redis.script('FLUSH');
  await redis.script('LOAD', settle.source);
  await endsPromptly(() => queue.add('second', 1), completed, 1);
  expect(await redis.script('EXISTS', enqueue.sha)).toEqual([1]);
});

test('what a busy worker leaves wakes one elsewhere, though the busy one still waits for the marker', async () => {
  const held = gate();
  const started = gate();
  const { queue } = await openNeighbours(({ name }) => (name === 'long' ? (started.open(), held.promise) : undefined));
  await queue.add('long', 1);
  await started.promise;
  const completed = await openElsewhere(queue);
  await endsPromptly(() => queue.addBulk([2, 3, 4].map((data) => ({ name: 'short', data }))), completed, 3);
  held.open();
});

test('a worker with a limit of its own does not keep from others what it may not take', async () => {
  const { queue } = await openNeighbours(() => undefined, { concurrency: 5, limiter: { max: 2, duration: 60_000 } });
  const completed = await openElsewhere(queue);
  await endsPromptly(() => queue.addBulk([1, 2, 3].map((data) => ({ name: 'more', data }))), completed, 2);
});
