import { describe, expect, it } from 'vitest';
import { pack, unpack } from '../../src/core/codec.js';
import { Queue } from '../../src/queue/queue.js';
import { counts } from '../../src/redis/scripts/counts.js';
import { fetch } from '../../src/redis/scripts/fetch.js';
import { pause } from '../../src/redis/scripts/pause.js';
import { recover } from '../../src/redis/scripts/recover.js';
import { reportProgress } from '../../src/redis/scripts/report-progress.js';
import { end, ids, minute, openQueue, packedRecord, type TestQueue } from './open-queue.js';

/** A queue with a job in each state. */
async function full(): Promise<{ queue: TestQueue; lease: string }> {
  const queue = openQueue();
  await queue.add('c', 'f', 'a', 'w');
  await queue.addSpecial({ id: 'p', priority: 1 }, { id: 'q', priority: 9 }, { id: 'd', delayMs: minute });
  const { lease } = await queue.take(3);
  await queue.settle([end.kept('c', lease), end.failed('f', lease)]);
  await queue.run(reportProgress, { id: 'a', progress: pack(50, 'p') });
  return { queue, lease };
}

describe('counts', () => {
  it('tells how many jobs are in each state', async () => {
    const { queue } = await full();
    const before = await queue.exactly();
    expect(await queue.run(counts, {})).toEqual({
      waiting: 1, prioritized: 2, delayed: 1, active: 1, 'waiting-children': 0, completed: 1, failed: 1, isPaused: false,
    });
    expect(await queue.exactly()).toEqual(before);
    await queue.run(pause, { paused: true });
    expect(await queue.run(counts, {})).toMatchObject({ isPaused: true });
  });

  it('are all nought for an empty queue', async () => {
    const queue = openQueue();
    expect(Object.values(await queue.run(counts, {})).every((count) => count === 0 || count === false)).toBe(true);
  });
});

describe('fetch', () => {
  it('tells everything of known jobs, in the order that was asked for', async () => {
    const { queue, lease } = await full();
    const before = await queue.exactly();
    const found = await queue.run(fetch, { ids: ['f', 'unknown', 'a', 'd', 'p', 'c'] });
    expect(found.map(({ id, place }) => [id, place])).toEqual([
      ['f', 'failed'], ['unknown', undefined], ['a', 'active'], ['d', 'delayed'], ['p', 'wait'], ['c', 'completed'],
    ]);
    expect(found[0]).toMatchObject({ record: packedRecord('f'), outcome: expect.any(Buffer), history: expect.any(Buffer), state: expect.any(Buffer) });
    expect(found[1]).toMatchObject({ score: 0, record: undefined, lease: undefined });
    expect(found[2]).toMatchObject({ lease, progress: pack(50, 'p'), state: undefined });
    expect(found[5]?.outcome && unpack(found[5].outcome)).toEqual(['ok', 5, 'w']);
    expect(await queue.exactly()).toEqual(before);
  });

  it('reads 1,000 jobs in one call', async () => {
    const queue = openQueue();
    await queue.add(...ids(1000));
    expect((await queue.run(fetch, { ids: ids(1000) })).every(({ place }) => place === 'wait')).toBe(true);
    expect(await queue.run(fetch, { ids: [] })).toEqual([]);
  });
});

describe('what a queue reads', () => {
  it('has times as plain numbers, also those that scripts wrote', async () => {
    const queue = openQueue();
    await queue.add('a');
    await queue.take(1);
    await queue.on('active', 'zadd', 1.5, 'a');
    await queue.run(recover, { maxStalledCount: 0, limit: 1, keepFailed: -1 });
    const producer = new Queue(queue.keys.queue, { connection: String(process.env.REDIS_URL), prefix: queue.keys.prefix });
    const job = await producer.getJob('a');
    expect([typeof job?.processedOn, typeof job?.finishedOn]).toEqual(['number', 'number']);
    expect(() => JSON.stringify(job)).not.toThrow();
    await producer.close();
  });

  it('has its settings', async () => {
    const queue = openQueue();
    await queue.run(pause, { paused: true });
    const producer = new Queue(queue.keys.queue, { connection: String(process.env.REDIS_URL), prefix: queue.keys.prefix });
    expect(await producer.getMeta()).toEqual({ paused: true });
    await producer.close();
  });
});
