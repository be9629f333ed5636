import type { Redis } from 'ioredis';
import { DroverError, FlowProducer, QueueEvents, type Job, type Queue, type Worker } from 'drover';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyNames, type KeyName } from '../../src/redis/keys.js';
import { openQueue, openRedis, openWorker, redisUrl, Tally } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';
import { damages, isPolluted, type Damage } from './damages.js';

/** Someone writes to the keys of a queue: whatever that is, it concerns what it was written over, and nothing else. */

/** A queue in which every column holds something, and what is heard of it. */
interface Scene {
  queue: Queue;
  redis: Redis;
  errors: Error[];
  /** The job whose columns are damaged; it waits. */
  victim: Job;
  /** A job that has ended, with log, progress and history. */
  ended: Job;
  /** The jobs beside them, which wait. */
  neighbours: Job[];
  listen: (worker: Worker) => Tally<string>;
}

const slow = 20_000;

async function openScene(): Promise<Scene> {
  const queue = openQueue();
  const redis = openRedis();
  const errors: Error[] = [];
  queue.on('error', (error) => errors.push(error));
  const ended = await endedJob(queue);
  const victim = await queue.add('job', { secret: 1 }, { priority: 3, attempts: 2, deduplication: { id: 'same' }, removeOnComplete: { age: 3_600 } });
  const neighbours = await queue.addBulk([65, 66, 100, 127].map((data) => ({ name: 'job', data, opts: { attempts: 3 } })));
  return {
    queue, redis, errors, victim, ended, neighbours,
    listen: (worker) => {
      const done = new Tally<string>();
      worker.on('error', (error) => errors.push(error));
      worker.on('completed', (job: Job) => done.add(job.id));
      return done;
    },
  };
}

/** A job that failed once and then went well, and left a log and progress. */
async function endedJob(queue: Queue): Promise<Job> {
  const job = await queue.add('ended', 1, { attempts: 2 });
  const worker = openWorker(queue, async (running) => {
    await running.log('a row');
    await running.updateProgress({ at: 50 });
    if (running.attemptsMade === 0) throw new Error('first');
    return 'result';
  });
  await until('the first job is done', async () => (await job.getState()) === 'completed');
  await worker.close();
  return job;
}

/** Each answers, or rejects with a typed error. */
async function lookEverywhere({ queue, victim, ended }: Scene): Promise<unknown[]> {
  const calls: (() => Promise<unknown>)[] = [
    () => queue.getJobs(), () => queue.getJobCounts(), () => queue.getMetrics('completed'), () => queue.getJobSchedulers(),
    () => queue.getJobScheduler('tick'), () => queue.getDeduplicationJobId('same'), () => queue.getMeta(), () => queue.getGlobalConcurrency(),
    ...[victim, ended].flatMap(({ id }) => [
      () => queue.getJob(id), () => queue.getJobState(id), () => queue.getJobLogs(id), () => queue.getDependencies(id, 'processed', 0, -1),
    ]),
  ];
  const outcomes = await Promise.allSettled(calls.map((call) => call()));
  const refusals = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  for (const refusal of refusals) expectTyped(refusal);
  return refusals;
}

function expectTyped(error: unknown): void {
  expect(error, String((error as Error).stack)).toBeInstanceOf(DroverError);
  expect((error as DroverError).message).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  expect((error as DroverError).message.length).toBeLessThan(1_000);
}

async function expectLife(scene: Scene): Promise<void> {
  await lookEverywhere(scene);
  const worker = openWorker(scene.queue, (job) => job.data as unknown, { concurrency: 3, runRetryDelay: 20, closeTimeout: 0 });
  const done = scene.listen(worker);
  await until('the neighbours are done', () => scene.neighbours.every(({ id }) => done.seen.includes(id)), { timeoutMs: 10_000 });
  const late = await scene.queue.add('late', 1);
  await until('a job that comes later is done', () => done.seen.includes(late.id), { timeoutMs: 10_000 });
  for (const { id, data } of scene.neighbours) expect((await scene.queue.getJob(id))?.returnvalue).toBe(data);
  await lookEverywhere(scene);
  await worker.close();
  for (const error of scene.errors) expectTyped(error);
  expect(isPolluted()).toBe(false);
}

async function overwrite({ redis, queue }: Scene, column: KeyName, id: string, { of }: Damage): Promise<void> {
  const key = queue.toKey(column);
  const written = await redis.hgetBuffer(key, id);
  await redis.hset(key, id, of(written ?? Buffer.alloc(0)));
}

describe('a record that is replaced by', () => {
  test.each(damages)('$name', async (damage) => {
    const scene = await openScene();
    await overwrite(scene, 'job', scene.victim.id, damage);
    await expectLife(scene);
    const counts = await scene.queue.getJobCounts('failed');
    const told = scene.errors.filter((error) => error instanceof DroverError && error.code === 'CORRUPT_DATA' && error.message.includes(scene.victim.id));
    expect([counts['failed'], told.length > 0]).toEqual([1, true]);
  }, slow);
});

/** One of each kind, for what is read in the same way as something that is tested with all. */
const some = damages.filter((_, i) => i % 5 === 1);

describe.each<[KeyName, Damage[]]>([['state', damages], ['run', some], ['outcome', some], ['history', some], ['progress', some], ['logs', some]])('%s of a job that waits, replaced by', (column, these) => {
  test.each(these)('$name', async (damage) => {
    const scene = await openScene();
    await overwrite(scene, column, scene.victim.id, damage);
    await expectLife(scene);
  }, slow);
});

describe.each<[KeyName, Damage[]]>([['job', some], ['outcome', damages], ['history', damages], ['progress', some], ['logs', damages]])('%s of a job that has ended, replaced by', (column, these) => {
  test.each(these)('$name', async (damage) => {
    const scene = await openScene();
    await overwrite(scene, column, scene.ended.id, damage);
    await lookEverywhere(scene);
    await scene.queue.addJobLog(scene.ended.id, 'one more', 1).catch(expectTyped);
    await scene.queue.retryJobs({ state: 'completed' }).catch(expectTyped);
    await expectLife(scene);
    await scene.queue.remove(scene.ended.id);
  }, slow);
});

describe.each<KeyName>(['sessions', 'dedup'])('entries of %s, replaced by', (column) => {
  test.each(damages)('$name', async (damage) => {
    const scene = await openScene();
    for (const field of await scene.redis.hkeys(scene.queue.toKey(column))) await overwrite(scene, column, field, damage);
    await scene.queue.add('again', 1, { deduplication: { id: 'same' } });
    await expectLife(scene);
  }, slow);
});

describe('a lease that is replaced by', () => {
  test.each(some)('$name', async (damage) => {
    const scene = await openScene();
    const holder = openWorker(scene.queue, null, { lockDuration: 100 });
    const held = await holder.getNextJob('token');
    await overwrite(scene, 'run', held?.id ?? '', damage);
    await held?.moveToCompleted('late', 'token').catch(expectTyped);
    scene.neighbours = scene.neighbours.filter(({ id }) => id !== held?.id);
    await expectLife(scene);
    await holder.close();
  }, slow);
});

describe.each<KeyName>(['schedule', 'scheduleRuns'])('%s, replaced by', (column) => {
  test.each(damages)('$name', async (damage) => {
    const scene = await openScene();
    await scene.queue.upsertJobScheduler('tick', { every: 3_600_000 });
    await overwrite(scene, column, 'tick', damage);
    await scene.queue.upsertJobScheduler('other', { every: 3_600_000 });
    await expectLife(scene);
    await until('the other schedule has fired', async () => (await scene.queue.getJobs('completed')).some(({ name }) => name === 'other'));
    await scene.queue.upsertJobScheduler('tick', { every: 3_600_000 });
  }, slow);
});

describe.each<KeyName>(['outbox', 'pending'])('%s of a flow, replaced by', (column) => {
  test.each(damages)('$name', async (damage) => {
    const scene = await openScene();
    const flows = new FlowProducer({ connection: redisUrl });
    onTestFinished(() => flows.close());
    const { queue } = scene;
    const tree = await flows.add({ name: 'parent', queueName: queue.name, children: [{ name: 'child', queueName: queue.name }] });
    await overwrite(scene, column, column === 'pending' ? tree.job.id : tree.children?.[0]?.job.id ?? '', damage);
    await tree.job.getDependencies().catch(expectTyped);
    await tree.job.getDependenciesCount().catch(expectTyped);
    await expectLife(scene);
  }, slow);
});

describe('settings, replaced by', () => {
  test.each(['', 'x', '-1', 'nan', 'inf', '1e400', '0x', '9'.repeat(400)])('%j', async (value) => {
    const scene = await openScene();
    const fields = ['limitedTill', 'max', 'duration', 'maxEvents', 'nextSlot', 'rateCount', 'sweptCompleted', 'sessionsCursor', 'dedupCursor'];
    await scene.redis.hset(scene.queue.toKey('meta'), Object.fromEntries(fields.map((field) => [field, value])));
    if (value === 'inf' || value === '1e400' || value.length === 400) await scene.redis.hdel(scene.queue.toKey('meta'), 'limitedTill');
    await scene.redis.rpush(scene.queue.toKey('rate'), value, 'x y');
    await scene.redis.hset(scene.queue.toKey('metrics'), { [`c${Math.floor(Date.now() / 60_000)}`]: value, since: value, max: value });
    await expectLife(scene);
  }, slow);
});

describe('a key of another type', () => {
  test.each(keyNames.filter((name) => name !== 'marker'))('%s: errors are typed, and work goes on once it is gone', async (name) => {
    const scene = await openScene();
    await scene.redis.del(scene.queue.toKey(name));
    await (['rate', 'orphans'].includes(name) ? scene.redis.hset(scene.queue.toKey(name), 'a', 'b') : scene.redis.set(scene.queue.toKey(name), 'x'));
    await lookEverywhere(scene);
    const worker = openWorker(scene.queue, () => 'ran', { runRetryDelay: 20, closeTimeout: 0 });
    const done = scene.listen(worker);
    await scene.queue.add('during', 1).catch(expectTyped);
    await scene.redis.del(scene.queue.toKey(name));
    const after = await scene.queue.add('after', 1);
    await until('a job that comes later is done', () => done.seen.includes(after.id), { timeoutMs: 10_000 });
    for (const error of scene.errors) expectTyped(error);
  }, slow);
});

describe('what else can stand in the sets', () => {
  test('ids of nobody, in every set', async () => {
    const scene = await openScene();
    const { redis, queue } = scene;
    for (const set of ['wait', 'delayed', 'active', 'parents', 'completed', 'failed', 'expire', 'schedules'] as const) {
      for (const id of ['ghost', '__proto__', 'a\u001b[31m', '']) await redis.zadd(queue.toKey(set), 1, id);
    }
    await expectLife(scene);
  }, slow);

  test('one job in two sets', async () => {
    const scene = await openScene();
    for (const set of ['delayed', 'completed', 'failed', 'active'] as const) await scene.redis.zadd(scene.queue.toKey(set), 1, scene.victim.id);
    await expectLife(scene);
  }, slow);

  test('scores that are no times', async () => {
    const scene = await openScene();
    const { redis, queue, victim, neighbours } = scene;
    await redis.zadd(queue.toKey('wait'), '+inf', victim.id, '-inf', neighbours[0]?.id ?? '');
    for (const set of ['delayed', 'completed', 'schedules', 'expire'] as const) await redis.zadd(queue.toKey(set), '-inf', 'a', '+inf', 'b', '-1e300', 'c');
    await expectLife(scene);
  }, slow);

  test('a parent in a queue that does not exist', async () => {
    const scene = await openScene();
    const { pack } = await import('../../src/core/codec.js');
    await scene.redis.hset(scene.queue.toKey('state'), scene.victim.id, pack({ pk: ['drover', 'nowhere', 'nobody'], po: 'fail' }, ''));
    await expectLife(scene);
  }, slow);

  test('an order of a newer version', async () => {
    const scene = await openScene();
    const { pack } = await import('../../src/core/codec.js');
    await scene.redis.hset(scene.queue.toKey('job'), scene.victim.id, pack(['job', 1, 1, { teleport: true }, 'a fifth part'], ''));
    await expectLife(scene);
  }, slow);
});

describe('an entry of the event stream that is', () => {
  test.each<[string, (string | Buffer)[]]>([
    ['of someone else', ['event', 'completed', 'jobId', '1']],
    ...damages.flatMap(({ name, of }): [string, (string | Buffer)[]][] => [
      [`moved: ${name}`, ['moved', of(Buffer.from([0x91, 0x91, 0xa6, ...Buffer.from('paused')]))]],
      [`results: ${name}`, ['done', 'a', 'results', of(Buffer.from([0x93, 1, 2, 0xa1, 0x77]))]],
      [`custom: ${name}`, ['custom', of(Buffer.from([0x92, 0xa1, 0x65, 0x80]))]],
    ]),
  ])('%s: is passed over or told, and the next is read', async (_name, fields) => {
    const queue = openQueue();
    const redis = openRedis();
    const events = new QueueEvents(queue.name, { connection: redisUrl });
    onTestFinished(() => events.close());
    const [errors, added] = [new Tally<Error>(), new Tally<string>()];
    events.on('error', (error) => errors.add(error));
    events.on('added', ({ jobId }) => added.add(jobId));
    await events.waitUntilReady();
    await redis.xadd(queue.toKey('events'), '*', ...fields);
    const job = await queue.add('after', 1);
    await added.reached(1);
    expect(added.seen).toContain(job.id);
    for (const error of errors.seen) expectTyped(error);
    expect(isPolluted()).toBe(false);
  });
});
