import { describe, expect, it } from 'vitest';
import { packStrings } from '../../src/core/script-packer.js';
import { pause } from '../../src/redis/scripts/pause.js';
import { promote } from '../../src/redis/scripts/promote.js';
import { end, ids, minute, openQueue, records } from './open-queue.js';

const due = { limit: 1000, everything: false };

describe('promote', () => {
  it('moves jobs whose time has come behind those that wait, by their due time', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', delayMs: minute }, { id: 'b', delayMs: minute }, { id: 'c', delayMs: minute }, { id: 'w' });
    await queue.on('delayed', 'zadd', 2, 'a', 1, 'b');
    await queue.on('marker', 'del');
    const reply = await queue.run(promote, due);
    expect(reply).toEqual({ count: 2, dueAt: expect.any(Number) });
    expect(reply.dueAt).toBeGreaterThan(await queue.now());
    expect(await queue.state()).toEqual({
      job: records('a', 'b', 'c', 'w'), wait: [['w', 0, 1], ['b', 0, 2], ['a', 0, 3]], delayed: [['c', minute]], marker: true,
    });
  });

  it('takes a job that is due at this very time', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', delayMs: minute });
    await queue.on('delayed', 'zadd', await queue.now(), 'a');
    expect(await queue.run(promote, due)).toEqual({ count: 1, dueAt: 0 });
  });

  it('puts each job into its priority', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'p', delayMs: 1, priority: 2 }, { id: 'q', delayMs: 2, priority: 1 }, { id: 'r', delayMs: 3 }, { id: 'w', priority: 1 });
    await queue.on('delayed', 'zadd', 1, 'p', 2, 'q', 3, 'r');
    await queue.run(promote, due);
    expect((await queue.state()).wait).toEqual([['r', 0, 1], ['w', 1, 1], ['q', 1, 2], ['p', 2, 1]]);
  });

  it('keeps the order of retries by their due time, and their facts', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    const { lease } = await queue.take(2);
    await queue.settle([end.retried('a', lease, { delayMs: 2 * minute }), end.retried('b', lease, { delayMs: minute })]);
    const { state } = await queue.state();
    expect(await queue.run(promote, { ...due, everything: true })).toEqual({ count: 2, dueAt: 0 });
    expect(await queue.state()).toMatchObject({ wait: [['b', 0, 1], ['a', 0, 2]], state });
  });

  it('moves the soonest up to its limit', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', delayMs: 3 * minute }, { id: 'b', delayMs: minute }, { id: 'c', delayMs: 2 * minute });
    expect(await queue.run(promote, { limit: 2, everything: true })).toMatchObject({ count: 2 });
    expect(await queue.state()).toMatchObject({ wait: [['b', 0, 1], ['c', 0, 2]], delayed: [['a', 3 * minute]] });
  });

  it('moves named jobs that are delayed, and no others', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', delayMs: minute }, { id: 'b', delayMs: minute }, { id: 'w' });
    expect(await queue.run(promote, { ...due, ids: packStrings(['w', 'b', 'unknown']) })).toMatchObject({ count: 1 });
    expect(await queue.state()).toMatchObject({ wait: [['w', 0, 1], ['b', 0, 2]], delayed: [['a', minute]] });
  });

  it('moves 1,000 jobs in one call', async () => {
    const queue = openQueue();
    const all = ids(1000);
    await queue.addSpecial(...all.map((id) => ({ id, delayMs: minute })));
    await queue.on('delayed', 'zadd', ...all.flatMap((id, i) => [i, id]));
    expect(await queue.run(promote, due)).toEqual({ count: 1000, dueAt: 0 });
    expect(await queue.order()).toEqual(all);
  });

  it('changes nothing when nothing is due, also when repeated', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', delayMs: minute });
    const before = await queue.exactly();
    const reply = await queue.run(promote, due);
    expect(await queue.run(promote, due)).toEqual(reply);
    expect(await queue.exactly()).toEqual(before);
  });

  it('wakes nobody while the queue is paused', async () => {
    const queue = openQueue();
    await queue.run(pause, { paused: true });
    await queue.addSpecial({ id: 'a', delayMs: minute });
    await queue.run(promote, { ...due, everything: true });
    expect(await queue.state()).toEqual({ job: records('a'), wait: [['a', 0, 1]], meta: { paused: 1 } });
  });

  it('is not held up by a job whose facts are damaged', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', delayMs: minute }, { id: 'b', delayMs: 2 * minute, priority: 1 });
    await queue.on('state', 'hset', 'a', Buffer.from([0xc1]));
    expect(await queue.run(promote, { ...due, everything: true })).toMatchObject({ count: 2 });
    await queue.on('state', 'hdel', 'a');
    expect((await queue.state()).wait).toEqual([['a', 0, 1], ['b', 1, 1]]);
  });
});
