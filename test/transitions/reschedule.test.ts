import { describe, expect, it } from 'vitest';
import { reschedule } from '../../src/redis/scripts/reschedule.js';
import { minute, openQueue } from './open-queue.js';

describe('reschedule', () => {
  it('gives a delayed job another due time, and wakes a worker when it is the soonest', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', delayMs: minute }, { id: 'b', delayMs: 2 * minute });
    await queue.on('marker', 'del');
    const before = await queue.state();
    const due = await queue.run(reschedule, { id: 'a', delayMs: 3 * minute });
    expect(Math.abs(due - (await queue.now()) - 3 * minute)).toBeLessThan(10_000);
    expect(await queue.state()).toEqual({ ...before, delayed: [['b', 2 * minute], ['a', 3 * minute]], state: { a: { mv: 0 } } });
    await queue.run(reschedule, { id: 'a', delayMs: minute });
    expect(await queue.state()).toEqual({ ...before, delayed: [['a', minute], ['b', 2 * minute]], state: { a: { mv: 0 } }, marker: true });
  });

  it('lets a job be due at once', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', delayMs: minute });
    expect(await queue.run(reschedule, { id: 'a', delayMs: 0 })).toBeLessThanOrEqual(await queue.now());
    expect((await queue.state()).delayed).toEqual([['a', 0]]);
  });

  it('leaves jobs alone that are not delayed, and unknown ones', async () => {
    const queue = openQueue();
    await queue.add('a');
    const before = await queue.exactly();
    expect(await queue.run(reschedule, { id: 'a', delayMs: minute })).toBe(0);
    expect(await queue.run(reschedule, { id: 'unknown', delayMs: minute })).toBe(-1);
    expect(await queue.exactly()).toEqual(before);
  });
});
