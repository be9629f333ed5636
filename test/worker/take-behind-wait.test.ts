// A job that another process adds comes to a worker that waits in the moment its wait ends: the take lies behind the wait.
import { expect, onTestFinished, test } from 'vitest';
import { Queue, Worker, type Job, type WorkerOptions } from 'drover';
import { endsPromptly, idleWorkers, openRedis, redisUrl, tallyOf, uniqueName, type Tally } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

interface Apart {
  queue: Queue;
  worker: Worker;
  completed: Tally<Job>;
  rests: () => Promise<unknown>;
}

/** A queue and a worker that share no connection, as those of two processes. */
function openApart(processor: (job: Job) => unknown, opts: Partial<WorkerOptions> = {}): Apart {
  const queue = new Queue(uniqueName(), { connection: redisUrl });
  const worker = new Worker(queue.name, async (job) => processor(job), { connection: { url: redisUrl, connectionName: 'elsewhere' }, ...opts });
  onTestFinished(async () => {
    await worker.close(true);
    await queue.close();
  });
  return { queue, worker, completed: tallyOf('completed', worker), rests: () => until('the worker rests', async () => (await idleWorkers(queue)) >= 1) };
}

test('a job with all that is known of it is started, and is the only one', async () => {
  const apart = openApart(({ data }) => data as unknown);
  const { queue, worker, completed, rests } = apart;
  await rests();
  await endsPromptly(() => queue.add('one', { of: 1 }, { priority: 2, attempts: 3 }), apart.completed, 1);
  expect(completed.seen[0]).toMatchObject({
    name: 'one', data: { of: 1 }, returnvalue: { of: 1 }, priority: 2, opts: { attempts: 3 }, attemptsMade: 1, attemptsStarted: 1, processedBy: worker.id,
  });
  await rests();
  await endsPromptly(() => queue.add('two', { of: 2 }), apart.completed, 2);
  expect(completed.seen.map(({ name }) => name)).toEqual(['one', 'two']);
});

test('jobs that come one by one start in their order, also where some of them come from near', async () => {
  const order: unknown[] = [];
  const apart = openApart(({ data }) => void order.push(data));
  const near = new Queue(apart.queue.name, { connection: { url: redisUrl, connectionName: 'elsewhere' } });
  onTestFinished(() => near.close());
  for (const i of range(300)) await (i % 7 < 3 ? near : apart.queue).add('n', i);
  await apart.completed.reached(300);
  expect(order).toEqual(range(300));
});

test('a worker with slots left goes on to take what waits', async () => {
  let running = 0;
  let most = 0;
  const apart = openApart(async () => {
    most = Math.max(most, ++running);
    await until('all run', () => most === 3);
    running--;
  }, { concurrency: 3 });
  await apart.rests();
  await endsPromptly(() => apart.queue.addBulk(range(3).map((data) => ({ name: 'n', data }))), apart.completed, 3);
});

test('a worker with slots left waits on, and is woken again', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const apart = openApart(({ name }) => (name === 'long' ? held : undefined), { concurrency: 2 });
  await apart.rests();
  await apart.queue.add('long', 0);
  await until('it runs', async () => (await apart.queue.getActiveCount()) === 1);
  await apart.rests();
  await endsPromptly(() => apart.queue.add('short', 1), apart.completed, 1);
  release();
  await apart.completed.reached(2);
});

test('a worker that pauses or stops while jobs come leaves them all to others', async () => {
  const apart = openApart(() => undefined);
  const { queue, worker, completed, rests } = apart;
  for (const i of range(20)) {
    await rests();
    const added = queue.add('n', i);
    await worker.pause();
    await added;
    expect(await queue.getActiveCount()).toBe(0);
    await worker.resume();
    await completed.reached(i + 1);
  }
  await rests();
  const added = queue.add('last', 1);
  await Promise.all([added, worker.close()]);
  expect((await queue.getJobCounts('waiting', 'active', 'completed'))).toMatchObject({ active: 0 });
  expect(completed.seen.length + (await queue.getWaitingCount())).toBe(21);
});

test('a job comes promptly though Redis has forgotten its scripts, or cut the connection that waits', async () => {
  const apart = openApart(() => undefined);
  const { queue, rests } = apart;
  const redis = openRedis();
  await rests();
  await redis.script('FLUSH');
  await endsPromptly(() => queue.add('n', 1), apart.completed, 1);
  await rests();
  for (const { cmd, id } of await queue.getWorkers()) if (cmd === 'bzpopmin') await redis.client('KILL', 'ID', Number(id));
  await endsPromptly(() => queue.add('n', 2), apart.completed, 2);
});

test('while the queue is paused or limited, the whole take decides', async () => {
  const apart = openApart(() => undefined);
  const { queue, rests } = apart;
  await rests();
  await queue.pause();
  await queue.add('n', 1);
  await endsPromptly(() => queue.resume(), apart.completed, 1);
  await queue.setGlobalConcurrency(1);
  await rests();
  await endsPromptly(() => queue.addBulk(range(3).map((data) => ({ name: 'n', data }))), apart.completed, 4);
});
