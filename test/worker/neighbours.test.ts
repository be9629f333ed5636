// A worker is given the jobs that its own process adds with the call that adds them, or looks for them right behind it; no marker
// wakes anybody else for them.
import { expect, onTestFinished, test } from 'vitest';
import { Queue, Worker, type Job, type WorkerOptions } from 'drover';
import { decodeEntry } from '../../src/events/decode.js';
import { enqueue } from '../../src/redis/scripts/enqueue.js';
import { settle } from '../../src/redis/scripts/settle.js';
import { endsPromptly, gate, idleWorkers, openRedis, openWorker, promptlyMs, redisUrl, refusal, tallyOf, uniqueName, type Tally } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

/** A queue that has added before, and a worker beside it on the same connection that rests, and knows by now that jobs come from near. */
async function openNeighbours(processor: (job: Job) => unknown, opts: Partial<WorkerOptions> = {}): Promise<{ queue: Queue; worker: Worker }> {
  const queue = new Queue(uniqueName(), { connection: redisUrl });
  const worker = new Worker(queue.name, async (job) => processor(job), { connection: redisUrl, ...opts });
  onTestFinished(async () => {
    await worker.close(true);
    await queue.close();
  });
  const completed = tallyOf('completed', worker);
  for (const name of ['first', 'next']) {
    await until('the worker rests', async () => (await idleWorkers(queue)) >= 1);
    await queue.add(name, 0);
  }
  await completed.reached(2);
  await until('the worker rests', async () => (await idleWorkers(queue)) >= 1);
  return { queue, worker };
}

/** Another worker, elsewhere, that rests too. */
async function openElsewhere(queue: Queue): Promise<Tally<Job>> {
  const completed = tallyOf('completed', openWorker(queue.name, () => undefined));
  await until('both rest', async () => (await idleWorkers(queue)) >= 2);
  return completed;
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

/** What happened to jobs, by the calls that did it; the oldest first. */
async function eventsOf(queue: Queue): Promise<string[][]> {
  const entries = await openRedis().xrangeBuffer(queue.toKey('events'), '-', '+');
  return entries.map(([id, fields]) => decodeEntry({ id: id.toString(), fields }).map(({ event }) => event));
}

test('jobs for its free slots are handed over by the call that adds them', async () => {
  const { queue, worker } = await openNeighbours(() => 'done', { concurrency: 2 });
  const completed = tallyOf('completed', worker);
  const before = (await eventsOf(queue)).length;
  await Promise.all([queue.add('second', { of: 2 }), queue.add('third', { of: 3 })]);
  await completed.reached(2);
  expect((await eventsOf(queue))[before]).toEqual(['added', 'waiting', 'added', 'waiting', 'active', 'active']);
  expect(completed.seen).toMatchObject([
    { name: 'second', data: { of: 2 }, returnvalue: 'done', attemptsMade: 1, attemptsStarted: 1, processedBy: worker.id },
    { name: 'third', data: { of: 3 }, returnvalue: 'done' },
  ]);
  expect(completed.seen[0]?.processedOn).toBeGreaterThanOrEqual(completed.seen[0]?.timestamp ?? Infinity);
});

test('more jobs than it has free slots are taken, in their order', async () => {
  const order: unknown[] = [];
  const { queue, worker } = await openNeighbours(({ data }) => void order.push(data), { concurrency: 2 });
  const completed = tallyOf('completed', worker);
  order.length = 0;
  await endsPromptly(() => queue.addBulk([1, 2, 3, 4, 5].map((data) => ({ name: 'n', data }))), completed, 5);
  expect(order).toEqual([1, 2, 3, 4, 5]);
});

test('what a handler changes in the data of a job that was handed over is seen by nobody else', async () => {
  const { queue, worker } = await openNeighbours(({ data }) => {
    (data as { list?: string[] }).list?.push('more');
    return data as unknown;
  });
  const completed = tallyOf('completed', worker);
  const data = { list: ['one'] };
  await queue.add('second', data);
  await completed.reached(1);
  expect(data).toEqual({ list: ['one'] });
  expect(completed.seen[0]?.returnvalue).toEqual({ list: ['one', 'more'] });
});

test('while the queue is paused a job waits, and runs when it goes on', async () => {
  const { queue, worker } = await openNeighbours(() => undefined);
  const completed = tallyOf('completed', worker);
  await queue.pause();
  await queue.add('second', 1);
  expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 1, active: 0 });
  await endsPromptly(() => queue.resume(), completed, 1);
});

test('a worker that stops while its job is added hands it back', async () => {
  const { queue, worker } = await openNeighbours(() => undefined);
  const added = queue.add('second', 1);
  await Promise.resolve();
  await worker.close();
  await added;
  expect((await queue.getWaiting()).map(({ name }) => name)).toEqual(['second']);
  expect(await queue.getActiveCount()).toBe(0);
});

test('a slot that was kept for a job is free again when its call fails', async () => {
  const { queue, worker } = await openNeighbours(() => undefined);
  const completed = tallyOf('completed', worker);
  await openRedis().set(queue.toKey('job'), 'of another type');
  expect(await refusal(() => queue.add('second', 1))).toMatchObject({ code: 'CORRUPT_DATA' });
  await openRedis().del(queue.toKey('job'));
  await endsPromptly(() => queue.add('third', 1), completed, 1);
});

test('a worker from which jobs are taken by hand is woken', async () => {
  const queue = new Queue(uniqueName(), { connection: redisUrl });
  const worker = new Worker(queue.name, null, { connection: redisUrl });
  onTestFinished(async () => {
    await worker.close(true);
    await queue.close();
  });
  await queue.add('first', 0);
  await (await worker.getNextJob('hand'))?.moveToCompleted('', 'hand');
  const next = worker.getNextJob('hand');
  await until('it waits', async () => (await idleWorkers(queue)) >= 1);
  const askedAt = performance.now();
  await queue.add('second', 1);
  expect((await next)?.name).toBe('second');
  expect(performance.now() - askedAt).toBeLessThan(promptlyMs);
});

test('a job that reaches Redis after the look, because its call had to be repeated, is started at once', async () => {
  const { queue, worker } = await openNeighbours(() => undefined);
  const completed = tallyOf('completed', worker);
  const redis = openRedis();
  // Redis forgets the script that adds and knows the one that takes: so the look comes first.
  await redis.script('FLUSH');
  await redis.script('LOAD', settle.source);
  // One that is not handed over: its priority is looked at.
  await endsPromptly(() => queue.add('second', 1, { priority: 1 }), completed, 1);
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
