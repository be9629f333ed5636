import { describe, expect, it } from 'vitest';
import { pause } from '../../src/redis/scripts/pause.js';
import { end, openQueue } from './open-queue.js';

describe('pause', () => {
  it('keeps the jobs where they are, and says once that something changed', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    const { lease } = await queue.take(1);
    const before = await queue.state();
    expect(await queue.run(pause, { paused: true })).toBe(true);
    expect(await queue.state()).toEqual({ ...before, meta: { paused: 1 } });
    const paused = await queue.exactly();
    expect(await queue.run(pause, { paused: true })).toBe(false);
    expect(await queue.exactly()).toEqual(paused);
    expect(await queue.settle([end.forgotten('a', lease)])).toMatchObject({ refused: [] });
  });

  it('ends with a resume, which wakes a worker', async () => {
    const queue = openQueue();
    await queue.add('a');
    await queue.run(pause, { paused: true });
    await queue.on('marker', 'del');
    expect(await queue.run(pause, { paused: false })).toBe(true);
    const before = await queue.exactly();
    expect(before).toMatchObject({ marker: true, events: [{ added: 'a' }, { moved: [['paused']] }, { moved: [['resumed']] }] });
    expect(before.meta).toBeUndefined();
    expect(await queue.run(pause, { paused: false })).toBe(false);
    expect(await queue.exactly()).toEqual(before);
    expect(await queue.take(1)).toMatchObject({ ids: [expect.any(String)] });
  });
});
