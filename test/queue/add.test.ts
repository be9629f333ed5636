import { describe, expect, test } from 'vitest';
import { addNumbered, openQueue, openRedis, redisUrl, refusal, uniqueName } from '../support/behaviour.js';
import { startRedis } from '../support/servers/start-redis.js';
import { onTestFinished } from 'vitest';

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('add', () => {
  test('answers a handle on what Redis holds', async () => {
    const queue = openQueue();
    const job = await queue.add('send', { to: 'ann' }, { attempts: 3, priority: 7 });
    const stored = await queue.getJob(job.id);
    expect(stored?.toJSON()).toMatchObject({ id: job.id, name: 'send', data: { to: 'ann' }, priority: 7, attemptsMade: 0, attemptsStarted: 0 });
    expect(stored?.opts).toMatchObject({ attempts: 3, priority: 7 });
    expect(await job.getState()).toBe('prioritized');
  });

  test('dates the job by the clock of Redis', async () => {
    const queue = openQueue();
    const redis = openRedis();
    await queue.waitUntilReady();
    const before = await clock(redis);
    const job = await queue.add('a', null);
    expect(job.timestamp).toBeGreaterThanOrEqual(before - 50);
    expect(job.timestamp).toBeLessThanOrEqual((await clock(redis)) + 1);
    expect((await queue.getJob(job.id))?.timestamp).toBe(job.timestamp);
  });

  test('takes a creation time that the caller names', async () => {
    const queue = openQueue();
    const job = await queue.add('a', null, { timestamp: 1_000 });
    expect([job.timestamp, (await queue.getJob(job.id))?.timestamp]).toEqual([1_000, 1_000]);
  });

  test('makes ids that differ', async () => {
    const queue = openQueue();
    const jobs = await addNumbered(queue, 3_000);
    expect(new Set(jobs.map((job) => job.id)).size).toBe(3_000);
  });

  test('keeps FIFO among jobs of one priority and runs lower priorities first', async () => {
    const queue = openQueue();
    await queue.add('c1', null, { priority: 2 });
    await queue.add('b1', null, { priority: 1 });
    await queue.add('a1', null);
    await queue.add('c2', null, { priority: 2 });
    await queue.add('b2', null, { priority: 1 });
    await queue.add('a2', null);
    expect((await queue.getJobs(['waiting', 'prioritized'], 0, -1, true)).map((job) => job.name)).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
  });

  test('keeps the order in which jobs of any kind were asked for in one tick', async () => {
    const queue = openQueue();
    const named = (i: number): object => (i % 3 === 0 ? { jobId: `own-${i}` } : {});
    await Promise.all(range(60).map((i) => queue.add(`n${i}`, i, named(i))));
    expect((await queue.getWaiting()).map((job) => job.data as number)).toEqual(range(60));
  });

  test('puts a lifo job in front of its priority only', async () => {
    const queue = openQueue();
    await queue.addBulk([
      { name: 'a', data: 0 }, { name: 'p', data: 0, opts: { priority: 5 } },
      { name: 'b', data: 0, opts: { lifo: true } }, { name: 'q', data: 0, opts: { priority: 5, lifo: true } },
    ]);
    expect((await queue.getJobs(['waiting', 'prioritized'], 0, -1, true)).map((job) => job.name)).toEqual(['b', 'a', 'q', 'p']);
  });

  test('gives each job the defaults of its queue, which its own options override', async () => {
    const queue = openQueue({ defaultJobOptions: { attempts: 4, priority: 3, backoff: 100 } });
    const plain = await queue.add('a', null);
    const own = await queue.add('b', null, { attempts: 2, priority: undefined as unknown as number });
    expect((await queue.getJob(plain.id))?.opts).toMatchObject({ attempts: 4, backoff: { type: 'fixed', delay: 100 } });
    expect((await queue.getJob(own.id))?.opts).toMatchObject({ attempts: 2 });
    expect(await own.getState()).toBe('prioritized');
  });

  test('coalesces 500 calls of one tick into a few script calls', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const queue = openQueue({ connection: { host: server.host, port: server.port } });
    const redis = await server.control();
    await queue.add('warm', null);
    await redis.config('RESETSTAT');
    await Promise.all(range(500).map((i) => queue.add('a', i)));
    const calls = /cmdstat_evalsha:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1];
    expect(Number(calls)).toBeGreaterThan(0);
    expect(Number(calls)).toBeLessThanOrEqual(5);
    expect(await queue.getWaitingCount()).toBe(501);
  });

  test('refuses at once what the buffer cannot hold', async () => {
    const queue = openQueue({ maxBuffered: 10 });
    const adding = range(20).map((i) => queue.add('a', i).then(() => 'added', (error: Error) => ('code' in error ? error.code : error)));
    const outcomes = await Promise.all(adding);
    expect(outcomes.slice(0, 10)).toEqual(Array(10).fill('added'));
    expect(outcomes.slice(10)).toEqual(Array(10).fill('REDIS_UNAVAILABLE'));
  });

  test('is refused after close', async () => {
    const queue = openQueue();
    await queue.close();
    expect(await refusal(() => queue.add('a', 1))).toMatchObject({ code: 'CLOSED' });
    expect(await refusal(() => queue.addBulk([{ name: 'a', data: 1 }]))).toMatchObject({ code: 'CLOSED' });
  });

  test('close waits for the jobs that are on their way', async () => {
    const name = uniqueName();
    const queue = openQueue({}, name);
    const adding = Promise.all(range(50).map((i) => queue.add('a', i)));
    await queue.close();
    await expect(adding).resolves.toHaveLength(50);
    expect(await openQueue({ connection: redisUrl }, name).getWaitingCount()).toBe(50);
  });
});

describe('addBulk', () => {
  test('knows no parent but the one that options name', async () => {
    const queue = openQueue();
    const [job] = await queue.addBulk([{ name: 'a', data: 1, opts: { priority: 1 }, parent: { prefix: 'm', queue: queue.name, id: 'nobody' } } as never]);
    expect((await queue.getJob(job?.id ?? ''))?.parent).toBeUndefined();
  });

  test.each([0, 1, 999, 1_000, 1_001, 2_500])('adds %i jobs in order', async (count) => {
    const queue = openQueue();
    const jobs = await addNumbered(queue, count);
    expect(jobs.map((job) => job.data as number)).toEqual(range(count));
    expect((await queue.getWaiting()).map((job) => job.id)).toEqual(jobs.map((job) => job.id));
  });

  test('writes nothing when one of many is wrong, and says which', async () => {
    const queue = openQueue();
    const redis = openRedis();
    const jobs = range(1_500).map((i) => ({ name: 'a', data: i, opts: i === 1_234 ? { delay: -1 } : {} }));
    expect(await refusal(() => queue.addBulk(jobs))).toMatchObject({ code: 'INVALID_OPTION', field: 'jobs[1234].opts.delay' });
    expect(await redis.keys(`${queue.toKey('')}*`.replaceAll(/[{}]/g, '?'))).toEqual([]);
  });

  test('keeps the order of plain jobs and jobs with ids of their own', async () => {
    const queue = openQueue();
    await queue.addBulk(range(40).map((i) => ({ name: 'a', data: i, opts: i % 2 ? { jobId: `own-${i}` } : {} })));
    expect((await queue.getWaiting()).map((job) => job.data as number)).toEqual(range(40));
  });

  test('carries jobs whose records together exceed what one call takes', async () => {
    const queue = openQueue();
    const text = 'x'.repeat(300_000);
    await queue.addBulk(range(10).map((i) => ({ name: 'a', data: { i, text } })));
    expect((await queue.getWaiting()).map((job) => (job.data as { i: number }).i)).toEqual(range(10));
  });
});

describe('an id of one’s own', () => {
  test('makes a second job of that id a handle on the first', async () => {
    const queue = openQueue();
    await queue.add('first', { n: 1 }, { jobId: 'order-1' });
    const second = await queue.add('second', { n: 2 }, { jobId: 'order-1' });
    expect(second).toMatchObject({ id: 'order-1', name: 'first', data: { n: 1 }, deduplicated: true });
    expect(await queue.getWaitingCount()).toBe(1);
  });

  test('stands for one job also within a bulk', async () => {
    const queue = openQueue();
    const jobs = await queue.addBulk([1, 2, 1].map((n, i) => ({ name: 'a', data: i, opts: { jobId: `id-${n}` } })));
    expect(jobs.map((job) => job.deduplicated)).toEqual([false, false, true]);
    expect(jobs.map((job) => job.data as number)).toEqual([0, 1, 0]);
  });

  test('is free again once the job has been removed', async () => {
    const queue = openQueue();
    await queue.add('first', 1, { jobId: 'a' });
    await queue.remove('a');
    expect(await queue.add('second', 2, { jobId: 'a' })).toMatchObject({ name: 'second', deduplicated: false });
  });

  test.each(['__proto__', 'constructor', '0', '-1', '1e3', '../x', 'x:lock', 'a b', '日本', 'e\u0301', '\u00e9', 'a'.repeat(512), '"><img onerror=x>'])(
    'may be %j', async (id) => {
      const queue = openQueue();
      await queue.add('a', { id }, { jobId: id, delay: 100_000 });
      expect(await queue.getJob(id)).toMatchObject({ id, data: { id } });
      expect((await queue.getDelayed()).map((job) => job.id)).toEqual([id]);
      expect(await queue.remove(id)).toBe(1);
      expect(await queue.getJob(id)).toBeUndefined();
    },
  );

  test('tells composed from decomposed letters', async () => {
    const queue = openQueue();
    await queue.addBulk(['é', 'e\u0301'].map((jobId) => ({ name: 'a', data: jobId, opts: { jobId } })));
    expect(await queue.getWaitingCount()).toBe(2);
  });
});

describe('names', () => {
  test.each(['toString', '__proto__', 'hasOwnProperty', 'then', 'a:b', '*', '日本 🐑', ' '])('may be %j', async (name) => {
    const queue = openQueue();
    const job = await queue.add(name, null);
    expect((await queue.getJob(job.id))?.name).toBe(name);
  });

  test.each(['a:b', '*', 'a b', '"><img onerror>', '日本', '__proto__', 'x'.repeat(256)])('a queue may be called %j', async (label) => {
    const queue = openQueue({}, label === 'x'.repeat(256) ? uniqueName().padEnd(256, 'x') : `${label}${uniqueName()}`);
    await queue.add('a', 1);
    expect(await queue.getWaitingCount()).toBe(1);
  });

  test('two queues whose prefix and name join to the same text are two queues', async () => {
    const part = uniqueName();
    const left = openQueue({ prefix: part }, 'b:c');
    const right = openQueue({ prefix: `${part}:b` }, 'c');
    await left.add('a', 1);
    expect(await right.getWaitingCount()).toBe(0);
  });
});

async function clock(redis: ReturnType<typeof openRedis>): Promise<number> {
  const [seconds, micros] = await redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}
