import { describe, expect, it } from 'vitest';
import { promote } from '../../src/redis/scripts/promote.js';
import { reprioritize } from '../../src/redis/scripts/reprioritize.js';
import { end, minute, openQueue } from './open-queue.js';

describe('reprioritize', () => {
  it('moves a waiting job to the end of its new priority', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    await queue.addSpecial({ id: 'p', priority: 5 });
    const before = await queue.state();
    expect(await queue.run(reprioritize, { id: 'a', priority: 5, lifo: false })).toBe(true);
    expect(await queue.state()).toEqual({ ...before, wait: [['b', 0, 2], ['p', 5, 1], ['a', 5, 2]], state: { a: { pr: 5 }, p: { pr: 5 } } });
  });

  it('moves it to the front for lifo', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'p', priority: 5 }, { id: 'q', priority: 5 });
    await queue.add('a');
    await queue.run(reprioritize, { id: 'a', priority: 5, lifo: true });
    expect((await queue.state()).wait).toEqual([['a', 5, 0], ['p', 5, 1], ['q', 5, 2]]);
  });

  it('moves it back among the jobs without a priority', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'p', priority: 2_097_151 });
    await queue.add('a');
    await queue.run(reprioritize, { id: 'p', priority: 0, lifo: false });
    expect((await queue.state()).wait).toEqual([['a', 0, 1], ['p', 0, 2]]);
  });

  it('holds for a job that waits only later', async () => {
    const queue = openQueue();
    await queue.add('a');
    await queue.addSpecial({ id: 'd', delayMs: minute });
    const { lease } = await queue.take(1);
    await queue.run(reprioritize, { id: 'a', priority: 4, lifo: false });
    await queue.run(reprioritize, { id: 'd', priority: 3, lifo: false });
    expect(await queue.state()).toMatchObject({ active: [['a', minute, false]], delayed: [['d', minute]] });
    await queue.settle([end.givenBack('a', lease)]);
    await queue.run(promote, { limit: 1, everything: true });
    expect((await queue.state()).wait).toEqual([['d', 3, 1], ['a', 4, 0]]);
  });

  it('knows no job of another id', async () => {
    const queue = openQueue();
    expect(await queue.run(reprioritize, { id: 'unknown', priority: 1, lifo: false })).toBe(false);
    expect(await queue.state()).toEqual({});
  });
});
