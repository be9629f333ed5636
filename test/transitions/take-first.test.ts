import { describe, expect, it } from 'vitest';
import { takeFirst, type FirstTaken } from '../../src/redis/scripts/take-first.js';
import { end, holds, minute, openQueue, records, type TestQueue } from './open-queue.js';

const take = (queue: TestQueue, { seq = 1, asked = false, session = 'f' } = {}): Promise<FirstTaken | undefined> =>
  queue.run(takeFirst, { session, seq, leaseMs: minute, asked });

describe('takeFirst', () => {
  it('hands out the first job under a lease of its own', async () => {
    const queue = openQueue();
    await queue.add('a');
    await queue.on('marker', 'del');
    const taken = await take(queue);
    expect(taken).toMatchObject({ id: 'a', lease: expect.stringMatching(/^f:1\|\d+$/), facts: undefined });
    expect(await queue.snapshot({ events: true })).toMatchObject({
      job: records('a'), active: [['a', minute, false]], run: { a: 'f:1|0' }, events: [{ added: 'a' }, { active: 'a' }],
    });
    expect(await queue.state()).not.toHaveProperty('marker');
    expect((await queue.settle([end.forgotten('a', taken?.lease ?? '')])).refused).toEqual([]);
  });

  it('wakes the next worker when more waits', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    await queue.on('marker', 'del');
    expect(await take(queue)).toMatchObject({ id: 'a' });
    expect(await queue.state()).toMatchObject({ wait: [['b', 0, expect.any(Number)]], marker: true });
  });

  it('tells the facts of the job', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', priority: 3 });
    expect((await take(queue))?.facts).toBeInstanceOf(Buffer);
  });

  it('writes nothing when nothing waits', async () => {
    const queue = openQueue();
    expect(await take(queue)).toBeUndefined();
    expect(await queue.exactly()).toEqual({});
  });

  it.each(holds)('leaves it to the whole take to look at %s', async (_, hold) => {
    const queue = openQueue();
    await queue.add('a');
    await hold(queue);
    const before = await queue.exactly();
    expect(await take(queue)).toBeUndefined();
    expect(await queue.exactly()).toEqual(before);
  });

  it('leaves it to the whole take to tell of a job without a record', async () => {
    const queue = openQueue({ damaged: true });
    await queue.add('a');
    await queue.on('job', 'hdel', 'a');
    const before = await queue.exactly();
    expect(await take(queue)).toBeUndefined();
    expect(await queue.exactly()).toEqual(before);
  });
});

describe('a takeFirst call that is asked after', () => {
  it('tells its job as long as that is held under its lease', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    const taken = await take(queue);
    const before = await queue.exactly();
    expect(await take(queue, { asked: true })).toEqual({ ...taken, now: expect.any(Number) });
    expect(await queue.exactly()).toEqual(before);
    await queue.settle([end.givenBack('a', taken?.lease ?? '')]);
    await queue.take(1, 'other');
    expect(await take(queue, { asked: true })).toBeUndefined();
  });

  it('tells nothing if it never came, and then it changes nothing when it comes', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    expect(await take(queue, { asked: true })).toBeUndefined();
    const before = await queue.exactly();
    expect(await take(queue)).toBeUndefined();
    expect(await take(queue, { asked: true })).toBeUndefined();
    expect(await queue.exactly()).toEqual(before);
  });

  it('is refused once a later one of its session has come', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    await take(queue, { seq: 2 });
    const before = await queue.exactly();
    await expect(take(queue, { seq: 1 })).rejects.toThrow('STALE');
    expect(await queue.exactly()).toEqual(before);
  });
});
