import { describe, expect, it } from 'vitest';
import { pause } from '../../src/redis/scripts/pause.js';
import { recover } from '../../src/redis/scripts/recover.js';
import { remove } from '../../src/redis/scripts/remove.js';
import { Queue } from '../../src/queue/queue.js';
import { ascendingIds, end, holds, ids, minute, openQueue, record, records, type TestQueue } from './open-queue.js';

const band = 2 ** 32;

describe('enqueue', () => {
  it('puts new jobs at the end of wait, and wakes a worker', async () => {
    const queue = openQueue();
    const reply = await queue.enqueue(['a', 'b'], [], { session: 'p', seq: 1 });
    expect(reply).toEqual({ now: expect.any(Number), standing: [] });
    expect(await queue.snapshot({ events: true })).toEqual({
      job: records('a', 'b'),
      wait: [['a', 0, 1], ['b', 0, 1]],
      sessions: { p: { seq: 1, at: 0, reply: [0] } },
      marker: true,
      events: [{ added: 'a\nb', names: 'job', moved: [] }],
    });
  });

  it('puts delayed jobs into delayed, by their due time, and wakes a worker that it may wait for the soonest', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'late', delayMs: 2 * minute }, { id: 'soon', delayMs: minute });
    expect(await queue.state()).toEqual({
      job: records('late', 'soon'), delayed: [['soon', minute], ['late', 2 * minute]], marker: true,
    });
    await queue.on('marker', 'del');
    await queue.addSpecial({ id: 'later', delayMs: 3 * minute });
    expect((await queue.state()).marker).toBeUndefined();
  });

  it('wakes nobody while the queue is paused', async () => {
    const queue = openQueue();
    await queue.run(pause, { paused: true });
    await queue.add('a');
    await queue.addSpecial({ id: 'b', delayMs: minute });
    expect(await queue.state()).toEqual({ job: records('a', 'b'), wait: [['a', 0, 1]], delayed: [['b', minute]], meta: { paused: 1 } });
  });

  it('adds 1,000 plain jobs in one call', async () => {
    const queue = openQueue();
    const all = ascendingIds(1000);
    await queue.enqueue(all, []);
    expect(await queue.order()).toEqual(all);
  });

  it('adds 1,000 special jobs in one call, with an outcome each', async () => {
    const queue = openQueue();
    const all = ids(1000);
    const { standing } = await queue.addSpecial(...all.map((id) => ({ id })));
    expect(standing).toEqual(all.map(() => ''));
    expect(await queue.order()).toEqual(all);
  });

  it('puts new ids where their delays and priorities say, in one call', async () => {
    const queue = openQueue();
    await queue.add('0');
    const { now } = await queue.addFresh([
      { id: 'a', priority: 2 }, { id: 'b', delayMs: 5 * minute }, { id: 'c' }, { id: 'd', priority: 2 }, { id: 'e', priority: 2, lifo: true },
      { id: 'f', delayMs: 5 * minute, priority: 1 }, { id: 'g' }, { id: 'h', lifo: true }, { id: 'i', delayMs: minute },
    ]);
    expect(await queue.order()).toEqual(['h', '0', 'c', 'g', 'e', 'a', 'd']);
    const { delayed, state, job, events } = await queue.snapshot({ events: true });
    expect(delayed).toEqual([['i', minute], ['b', 5 * minute], ['f', 5 * minute]]);
    expect(state).toEqual({ a: { pr: 2 }, d: { pr: 2 }, e: { pr: 2 }, f: { pr: 1 } });
    expect(job).toEqual(records('0', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'));
    expect(events?.at(-1)).toEqual({
      added: 'a\nc\nd\ne\ng\nh', names: 'job', moved: [['delayed', 'b', now + 5 * minute], ['delayed', 'f', now + 5 * minute], ['delayed', 'i', now + minute]],
    });
  });

  it('wakes a worker for new ids that wait or are due before all others', async () => {
    const queue = openQueue();
    await queue.addFresh([{ id: 'a', delayMs: 5 * minute }]);
    expect((await queue.state()).marker).toBe(true);
    await queue.on('marker', 'del');
    await queue.addFresh([{ id: 'b', delayMs: 6 * minute }]);
    expect((await queue.state()).marker).toBeUndefined();
    await queue.addFresh([{ id: 'c', delayMs: minute }, { id: 'd', delayMs: 7 * minute }]);
    expect((await queue.state()).marker).toBe(true);
  });

  it('adds nothing when nothing is asked for', async () => {
    const queue = openQueue();
    await queue.enqueue([], [], { session: 'p', seq: 1 });
    expect(await queue.state()).toEqual({});
  });
});

describe('the order of jobs that are added', () => {
  it('is first in, first out within and over batches', async () => {
    const queue = openQueue();
    const all = ids(30);
    for (let from = 0; from < all.length; from += 10) await queue.add(...all.slice(from, from + 10));
    expect(await queue.order()).toEqual(all);
  });

  it('stays when wait has run empty in between', async () => {
    const queue = openQueue();
    await queue.add('b');
    await queue.take(1);
    await queue.add('a', '0');
    expect(await queue.order()).toEqual(['a', '0']);
  });

  it('is that of the calls also for custom ids between others', async () => {
    const queue = openQueue();
    const producer = new Queue(queue.keys.queue, { connection: String(process.env.REDIS_URL), prefix: queue.keys.prefix });
    await producer.addBulk([
      { name: 'job', data: 1 }, { name: 'job', data: 2, opts: { jobId: 'own' } }, { name: 'job', data: 3 },
      { name: 'job', data: 4, opts: { priority: 1 } }, { name: 'job', data: 5 },
    ]);
    expect((await producer.getJobs(['waiting', 'prioritized'], 0, -1, true)).map((job) => job.data as number)).toEqual([1, 2, 3, 5, 4]);
    await producer.close();
  });

  it('goes by priority first: 0, then 1 to 2,097,151', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'last', priority: 2_097_151 }, { id: 'two', priority: 2 }, { id: 'one', priority: 1 }, { id: 'none', priority: 0 });
    await queue.addSpecial({ id: 'also last', priority: 2_097_151 }, { id: 'also one', priority: 1 });
    await queue.add('also none');
    expect(await queue.state()).toEqual({
      job: records('none', 'also none', 'one', 'also one', 'two', 'last', 'also last'),
      wait: [
        ['none', 0, 1], ['also none', 0, 2], ['one', 1, 1], ['also one', 1, 2], ['two', 2, 1], ['last', 2_097_151, 1], ['also last', 2_097_151, 2],
      ],
      state: { one: { pr: 1 }, 'also one': { pr: 1 }, two: { pr: 2 }, last: { pr: 2_097_151 }, 'also last': { pr: 2_097_151 } },
      marker: true,
    });
    const taken = await queue.take(10);
    expect(taken.ids).toEqual(['none', 'also none', 'one', 'also one', 'two', 'last', 'also last']);
  });

  it('is last in, first out for lifo, within its priority', async () => {
    const queue = openQueue();
    await queue.add('first');
    await queue.addSpecial({ id: 'x', lifo: true }, { id: 'y', lifo: true }, { id: 'p', priority: 3 });
    await queue.addSpecial({ id: 'q', priority: 3, lifo: true }, { id: 'z', lifo: true }, { id: 'r', priority: 3 });
    expect((await queue.state()).wait).toEqual([
      ['z', 0, -2], ['y', 0, -1], ['x', 0, 0], ['first', 0, 1], ['q', 3, 0], ['p', 3, 1], ['r', 3, 2],
    ]);
  });

  it('lets lifo and fifo alternate in one call on an empty queue', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', lifo: true }, { id: 'b' }, { id: 'c', lifo: true }, { id: 'd' });
    expect(await queue.order()).toEqual(['c', 'a', 'b', 'd']);
  });
});

describe('the order at the edges of a priority', () => {
  /** A job of this priority at a place of its own choice. */
  async function seed(queue: TestQueue, id: string, priority: number, score: number): Promise<void> {
    await queue.addSpecial({ id, priority });
    await queue.on('wait', 'zadd', score, id);
  }

  it.each([1, 7, 2_097_151])('never passes from priority %i into the next, upwards or downwards', async (priority) => {
    const queue = openQueue();
    await seed(queue, 'top', priority, (priority + 1) * band - 2);
    await queue.addSpecial({ id: 'end1', priority }, { id: 'end2', priority }, { id: 'end3', priority });
    await seed(queue, 'bottom', priority, priority * band + 1);
    await queue.addSpecial({ id: 'front1', priority, lifo: true }, { id: 'front2', priority, lifo: true });
    await queue.addSpecial({ id: 'before', priority: priority - 1 });
    if (priority < 2_097_151) await queue.addSpecial({ id: 'after', priority: priority + 1 });
    const { wait = [] } = await queue.state();
    expect(wait.filter(([, owner]) => owner === priority).map(([id]) => id)).toEqual(['front1', 'front2', 'bottom', 'top', 'end1', 'end2', 'end3']);
    expect(wait[0]?.[0]).toBe('before');
  });

  it('is exact up to the last place but one of a priority', async () => {
    const queue = openQueue();
    await seed(queue, 'z', 1, 2 * band - 4);
    await queue.addSpecial({ id: 'y', priority: 1 }, { id: 'x', priority: 1 }, { id: 'w', priority: 1 });
    expect(await queue.order()).toEqual(['z', 'y', 'x', 'w']);
  });

  it('keeps plain jobs below the prioritized ones', async () => {
    const queue = openQueue();
    await queue.add('top');
    await queue.on('wait', 'zadd', -3, 'top');
    await queue.addSpecial({ id: 'first', priority: 1 });
    await queue.add('a', 'b', 'c', 'd');
    await queue.addSpecial({ id: 'e' });
    expect((await queue.state()).wait?.map(([id, priority]) => [id, priority]))
      .toEqual([['top', 0], ['a', 0], ['b', 0], ['c', 0], ['d', 0], ['e', 0], ['first', 1]]);
  });
});

describe('a custom id', () => {
  it('is added once, also in one batch; the first stays', async () => {
    const queue = openQueue();
    const { standing } = await queue.addSpecial({ id: 'a', data: 1 }, { id: 'b' }, { id: 'a', data: 2, delayMs: minute, priority: 5 });
    expect(standing).toEqual(['', '', 'a']);
    expect(await queue.state()).toEqual({ job: { a: record(1), b: record('b') }, wait: [['a', 0, 1], ['b', 0, 2]], marker: true });
  });

  it.each(['waiting', 'delayed', 'active', 'completed', 'failed'])('stands in the place of a second one while %s', async (state) => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', delayMs: state === 'delayed' ? minute : 0 });
    if (state !== 'waiting' && state !== 'delayed') {
      const { lease } = await queue.take(1);
      if (state === 'completed') await queue.settle([end.kept('a', lease)]);
      if (state === 'failed') await queue.settle([end.failed('a', lease)]);
    }
    const before = await queue.state();
    const { standing } = await queue.addSpecial({ id: 'a', data: 'other', priority: 3, lifo: true });
    expect(standing).toEqual(['a']);
    expect(await queue.state()).toEqual(before);
  });

  it('is free again once its job was removed', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a' });
    await queue.run(remove, { ids: ['a'], only: '' });
    expect(await queue.addSpecial({ id: 'a', data: 2 })).toMatchObject({ standing: [''] });
  });
});

describe('an enqueue call that is repeated', () => {
  it('answers the same and changes nothing', async () => {
    const queue = openQueue();
    const send = () => queue.enqueue([], [{ id: 'a' }, { id: 'b', delayMs: minute, priority: 3 }, { id: 'a' }], { session: 'p', seq: 1 });
    const reply = await send();
    const before = await queue.exactly();
    expect(reply.standing).toEqual(['', '', 'a']);
    expect(await send()).toEqual(reply);
    expect(await queue.exactly()).toEqual(before);
  });

  it('adds no job anew that has meanwhile run and was removed', async () => {
    const queue = openQueue();
    const send = () => queue.enqueue(['a', 'b'], [], { session: 'p', seq: 1 });
    const reply = await send();
    const { lease } = await queue.take(2);
    await queue.settle([end.forgotten('a', lease), end.kept('b', lease)]);
    await queue.run(remove, { ids: ['b'], only: '' });
    const before = await queue.exactly();
    expect(await send()).toEqual(reply);
    expect(await queue.exactly()).toEqual(before);
    expect(before.job).toBeUndefined();
  });

  it('is refused once a later one of its session has come', async () => {
    const queue = openQueue();
    await queue.enqueue(['a'], [], { session: 'p', seq: 1 });
    await queue.enqueue(['b'], [], { session: 'p', seq: 2 });
    const before = await queue.exactly();
    await expect(queue.enqueue(['a'], [], { session: 'p', seq: 1 })).rejects.toThrow('STALE');
    expect(await queue.exactly()).toEqual(before);
  });

  it('is told apart from the same number of another session', async () => {
    const queue = openQueue();
    await queue.enqueue(['a'], [], { session: 'p', seq: 1 });
    await queue.enqueue(['b'], [], { session: 'q', seq: 1 });
    expect(await queue.order()).toEqual(['a', 'b']);
  });
});

describe('enqueue for a worker that can be given the jobs', () => {
  it('hands them over under one lease, and wakes nobody', async () => {
    const queue = openQueue();
    const { lease } = await queue.enqueue(['a', 'b'], [], { session: 'p', seq: 1, leaseMs: minute });
    expect(lease).toMatch(/^w~p:1\|\d+$/);
    expect(await queue.snapshot({ events: true })).toEqual({
      job: records('a', 'b'),
      active: [['a', minute, false], ['b', minute, false]],
      run: { a: 'w~p:1|0', b: 'w~p:1|0' },
      sessions: { p: { seq: 1, at: 0, reply: [0, 'w~p:1|0'] } },
      events: [{ added: 'a\nb', names: 'job', active: 'a\nb' }],
    });
    expect((await queue.settle([end.forgotten('a', lease ?? ''), end.forgotten('b', lease ?? '')])).refused).toEqual([]);
    expect(await queue.state()).toEqual({});
  });

  it('lets them wait behind a job that waits', async () => {
    const queue = openQueue();
    await queue.add('a');
    expect((await queue.handOver('b')).lease).toBeUndefined();
    expect(await queue.order()).toEqual(['a', 'b']);
  });

  it.each(holds)('lets them wait for the sake of %s', async (_, hold) => {
    const queue = openQueue();
    await hold(queue);
    expect((await queue.handOver('a')).lease).toBeUndefined();
    expect(await queue.state()).toMatchObject({ wait: [['a', 0, 1]] });
    expect(await queue.state()).not.toHaveProperty('marker');
  });

  it('does so again once the limiter’s pause is over', async () => {
    const queue = openQueue();
    await queue.on('meta', 'hset', 'limitedTill', (await queue.now()) - 1);
    expect((await queue.handOver('a')).lease).toBeDefined();
  });

  it('tells a repeat of the lease, as long as all of them are under it', async () => {
    const queue = openQueue();
    const send = () => queue.enqueue(['a', 'b'], [], { session: 'p', seq: 1, leaseMs: minute });
    const reply = await send();
    const before = await queue.exactly();
    expect(await send()).toEqual(reply);
    expect(await queue.exactly()).toEqual(before);
    await queue.settle([end.givenBack('b', reply.lease ?? '')]);
    await queue.take(1, 'other');
    expect(await send()).toEqual({ ...reply, lease: undefined });
    expect(await queue.state()).toMatchObject({ run: { a: 'w~p:1|0', b: 'other|0' } });
  });

  it('counts no stall when they never start before the lease runs out, and tells whose it was', async () => {
    const queue = openQueue();
    await queue.handOver('a');
    await queue.expire('a');
    expect(await queue.run(recover, { maxStalledCount: 0, limit: 10, keepFailed: -1 })).toMatchObject({ jobs: [{ id: 'a', stalls: 0, worker: 'w', started: false }] });
    expect(await queue.order()).toEqual(['a']);
  });
});
