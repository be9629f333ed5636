import { describe, expect, it } from 'vitest';
import { unpackAll } from '../../src/core/codec.js';
import { unpackFactsOf } from '../../src/core/job-record.js';
import { pause } from '../../src/redis/scripts/pause.js';
import { end, minute, openQueue, records, type TestQueue } from './open-queue.js';

describe('taking', () => {
  it('hands out the first jobs under one lease', async () => {
    const queue = openQueue();
    await queue.add('b', 'a', 'c');
    const reply = await queue.take(2, 'tok');
    expect(reply).toMatchObject({
      refused: [], now: expect.any(Number), lease: `tok|${reply.now}`, ids: ['b', 'a'], records: expect.any(Buffer), states: [], waitMs: 0, missing: [], dueAt: 0, expiresAt: 0,
    });
    expect(unpackAll(reply.records as Buffer)).toEqual([['job', 'b', 1], ['job', 'a', 1]]);
    expect(await queue.state()).toEqual({
      job: records('a', 'b', 'c'), wait: [['c', 0, 3]], active: [['a', minute, false], ['b', minute, false]], run: { a: 'tok|0', b: 'tok|0' }, marker: true,
    });
  });

  it('names the lease after session and call when no token is given', async () => {
    const queue = openQueue();
    await queue.add('a');
    const { lease, now } = await queue.take(1, '', { session: 's', seq: 12 });
    expect(lease).toBe(`s:12|${now}`);
  });

  it('answers when the next delayed job, schedule or expiry is due once nothing is left', async () => {
    const queue = openQueue();
    const { now } = await queue.addSpecial({ id: 'later', delayMs: 5 * minute }, { id: 'a' });
    expect(await queue.take(2)).toMatchObject({ ids: [expect.any(String)], dueAt: now + 5 * minute, expiresAt: 0 });
    const idle = await queue.take(1);
    expect(idle.expiresAt).toBeGreaterThan(now);
    await queue.on('meta', 'hset', 'nextSlot', now + minute);
    expect(await queue.take(1)).toMatchObject({ ids: [], dueAt: now + minute });
    await queue.on('meta', 'hdel', 'nextSlot');
  });

  it('leaves out ids without a record, and says so', async () => {
    const queue = openQueue();
    await queue.add('a', 'ghost', 'b', 'phantom');
    await queue.on('job', 'hdel', 'ghost', 'phantom');
    expect(await queue.take(3)).toMatchObject({ ids: ['a', 'b'], missing: ['ghost'] });
    expect(await queue.state()).toMatchObject({ active: [['a', minute, false], ['b', minute, false]], run: { a: 'w|0', b: 'w|0' } });
    expect(await queue.take(3)).toMatchObject({ ids: [], missing: ['phantom'] });
    await expect(queue.state()).resolves.not.toHaveProperty('wait');
  });

  it('wakes a worker when ghosts stood in front of jobs that wait', async () => {
    const queue = openQueue();
    await queue.add('ghost', 'a');
    await queue.on('job', 'hdel', 'ghost');
    await queue.on('marker', 'del');
    expect(await queue.take(1)).toMatchObject({ ids: [], missing: ['ghost'] });
    expect(await queue.state()).toMatchObject({ wait: [['a', 0, 2]], marker: true });
  });

  it('names facts of mixed jobs, also beside ghosts', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'p', priority: 9 }, { id: 'ghost', priority: 2 }, { id: 'q', priority: 5 });
    await queue.add('a');
    await queue.on('job', 'hdel', 'ghost');
    const reply = await queue.take(9);
    expect(reply).toMatchObject({ ids: ['a', 'q', 'p'], missing: ['ghost'] });
    expect(reply.states.map((state) => unpackFactsOf(state).priority)).toEqual([undefined, 5, 9]);
    await queue.on('state', 'hdel', 'ghost');
  });

  it('wakes the next worker when it was woken itself and more may be waiting', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    await queue.on('marker', 'del');
    await queue.take(1);
    expect((await queue.state()).marker).toBeUndefined();
    await queue.take(1, 'w', { woken: true });
    expect((await queue.state()).marker).toBe(true);
    await queue.on('marker', 'del');
    await queue.take(2, 'w', { woken: true });
    expect((await queue.state()).marker).toBeUndefined();
  });

  it('wakes another when it was woken and a limit of its own keeps it back', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    const limited = { woken: true, max: 1, durationMs: minute };
    await queue.on('marker', 'del');
    expect((await queue.take(2, 'w', limited)).ids).toEqual(['a']);
    expect((await queue.state()).marker).toBe(true);
    await queue.on('marker', 'del');
    expect(await queue.take(2, 'w', limited)).toMatchObject({ ids: [], waitMs: expect.any(Number) });
    expect((await queue.state()).marker).toBe(true);
  });

  it('wakes nobody when more are active than may be, for nobody could take anything', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    await queue.take(2);
    await queue.on('meta', 'hset', 'concurrency', 1);
    await queue.on('marker', 'del');
    expect((await queue.take(1, 'w', { woken: true })).waitMs).toBe(-1);
    expect((await queue.state()).marker).toBeUndefined();
  });

  it('wakes nobody when the limit is the queue’s', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    await queue.on('meta', 'hset', 'max', 1, 'duration', minute);
    await queue.take(1);
    await queue.on('marker', 'del');
    expect((await queue.take(1, 'w', { woken: true })).waitMs).toBeGreaterThan(0);
    expect((await queue.state()).marker).toBeUndefined();
  });
});

describe('taking from a paused queue', () => {
  it('hands out nothing, but settles', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    const { lease } = await queue.take(1);
    await queue.run(pause, { paused: true });
    expect(await queue.settle([end.forgotten('a', lease)], { wanted: 5 })).toMatchObject({ refused: [], ids: [], waitMs: -1 });
    expect(await queue.order()).toEqual(['b']);
  });
});

describe('taking while the rate is limited by hand', () => {
  it('hands out nothing until then', async () => {
    const queue = openQueue();
    await queue.add('a');
    await queue.on('meta', 'hset', 'limitedTill', (await queue.now()) + minute);
    const reply = await queue.take(1);
    expect(reply.ids).toEqual([]);
    expect(reply.waitMs).toBeGreaterThan(minute - 10_000);
    expect(reply.waitMs).toBeLessThanOrEqual(minute);
    await queue.on('meta', 'hset', 'limitedTill', await queue.now());
    expect(await queue.take(1)).toMatchObject({ ids: [expect.any(String)], waitMs: 0 });
  });
});

describe('a rate limit', () => {
  const limit = { max: 3, durationMs: 5 * minute };

  it('counts the starts of all workers', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c', 'd');
    expect(await queue.take(2, 'v', limit)).toMatchObject({ ids: [expect.any(String), expect.any(String)] });
    expect(await queue.take(2, 'w', limit)).toMatchObject({ ids: ['c'], waitMs: 0 });
    const reply = await queue.take(2, 'v', limit);
    expect(reply.ids).toEqual([]);
    expect(reply.waitMs).toBeGreaterThan(5 * minute - 10_000);
    expect(reply.waitMs).toBeLessThanOrEqual(5 * minute);
    expect(await queue.state()).toMatchObject({ rate: [[0, 2], [0, 1]], meta: { rateCount: 3 }, wait: [['d', 0, 4]] });
  });

  it('still counts what has ended', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c', 'd');
    const { lease } = await queue.take(3, 'w', limit);
    expect(await queue.settle(['a', 'b', 'c'].map((id) => end.forgotten(id, lease)), { wanted: 3, ...limit })).toMatchObject({ ids: [] });
  });

  it('frees each start exactly when the window has passed over it', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c', 'd', 'e');
    const now = await queue.now();
    await seedStarts(queue, [now - limit.durationMs, 1], [now - limit.durationMs + minute, 2]);
    const first = await queue.take(5, 'w', limit);
    expect(first).toMatchObject({ ids: ['a'] });
    expect(await queue.state()).toMatchObject({ rate: [[-4 * minute, 2], [0, 1]], meta: { rateCount: 3 } });
    const second = await queue.take(5, 'w', limit);
    expect(second).toMatchObject({ ids: [], waitMs: now + minute - second.now });
  });

  it('frees everything when no start is left in the window', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c', 'd');
    await seedStarts(queue, [1, 2], [2, 1]);
    expect(await queue.take(9, 'w', limit)).toMatchObject({ ids: ['a', 'b', 'c'] });
    expect(await queue.state()).toMatchObject({ rate: [[0, 3]], meta: { rateCount: 3 } });
  });

  it('does not keep jobs back for starts from a time to come', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    // Entered while the clock was an hour ahead, before it was set back.
    await seedStarts(queue, [(await queue.now()) + 60 * minute, 3]);
    expect(await queue.take(9, 'w', limit)).toMatchObject({ ids: ['a', 'b'] });
    expect(await queue.state()).toMatchObject({ rate: [[0, 2]], meta: { rateCount: 2 } });
  });

  it('notes nothing when nothing was taken', async () => {
    const queue = openQueue();
    expect(await queue.take(9, 'w', limit)).toMatchObject({ ids: [], waitMs: 0 });
    expect(await queue.state()).toEqual({});
  });

  it('of the queue goes before that of a worker', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    await queue.on('meta', 'hset', 'max', 1, 'duration', minute);
    expect(await queue.take(3, 'w', limit)).toMatchObject({ ids: [expect.any(String)] });
    expect(await queue.take(3)).toMatchObject({ ids: [], waitMs: expect.any(Number) });
  });

  it('hands out no jobs ahead of their start', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    expect(await queue.take(3, 'w', { ...limit, prefetch: 2 })).toMatchObject({ ids: ['a'] });
  });
});

describe('a global concurrency', () => {
  async function open(concurrency: number, ...jobs: string[]): Promise<TestQueue> {
    const queue = openQueue();
    await queue.on('meta', 'hset', 'concurrency', concurrency);
    await queue.add(...jobs);
    return queue;
  }

  it('bounds the active jobs of all workers', async () => {
    const queue = await open(2, 'a', 'b', 'c', 'd');
    expect(await queue.take(1, 'v')).toMatchObject({ ids: ['a'] });
    expect(await queue.take(5, 'w')).toMatchObject({ ids: ['b'] });
    expect(await queue.take(5, 'v')).toMatchObject({ ids: [], waitMs: -1 });
  });

  it('counts what the same call settles as free', async () => {
    const queue = await open(2, 'a', 'b', 'c', 'd');
    const { lease } = await queue.take(2);
    expect(await queue.settle([end.forgotten('a', lease)], { wanted: 9 })).toMatchObject({ ids: ['c'] });
    expect((await queue.state()).active).toHaveLength(2);
  });

  it('wakes another worker for slots that the caller frees and does not fill', async () => {
    const queue = await open(2, 'a', 'b', 'c', 'd');
    const { lease } = await queue.take(2);
    await queue.on('marker', 'del');
    await queue.settle([end.forgotten('a', lease), end.forgotten('b', lease)], { wanted: 1 });
    expect((await queue.state()).marker).toBe(true);
  });

  it('hands out nothing when more are active than allowed now', async () => {
    const queue = await open(3, 'a', 'b', 'c', 'd');
    await queue.take(3);
    await queue.on('meta', 'hset', 'concurrency', 1);
    expect(await queue.take(5)).toMatchObject({ ids: [] });
  });

  it('hands out no jobs ahead of their start', async () => {
    const queue = await open(9, 'a', 'b', 'c');
    expect(await queue.take(3, 'w', { prefetch: 2 })).toMatchObject({ ids: ['a'] });
  });
});

describe('prefetch without limits', () => {
  it('hands out all that is wanted', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    expect(await queue.take(3, 'w', { prefetch: 2 })).toMatchObject({ ids: ['a', 'b', 'c'] });
  });
});

async function seedStarts(queue: TestQueue, ...starts: [at: number, count: number][]): Promise<void> {
  await queue.on('rate', 'rpush', ...starts.map(([at, count]) => `${at} ${count}`));
  await queue.on('meta', 'hset', 'rateCount', starts.reduce((sum, [, count]) => sum + count, 0));
}
