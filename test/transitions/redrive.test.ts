import { describe, expect, it } from 'vitest';
import { pack } from '../../src/core/codec.js';
import { redrive, type RedriveCall } from '../../src/redis/scripts/redrive.js';
import { reportProgress } from '../../src/redis/scripts/report-progress.js';
import { end, ids, minute, openQueue, records, written, type TestQueue } from './open-queue.js';

const oldest: RedriveCall = { set: 'failed', limit: 1000, till: '+inf', resetAttempts: false, resetStarted: false };
const { attempt: failedAttempt } = written;

/** Fails jobs, each a minute after the one before. */
async function failAll(queue: TestQueue, ...names: string[]): Promise<void> {
  await queue.add(...names);
  const { lease } = await queue.take(names.length);
  await queue.settle(names.map((id) => end.failed(id, lease, 1, 5 * minute)));
  for (const [i, id] of names.entries()) await queue.on('failed', 'zadd', (i + 1) * 1000, id);
  await queue.on('marker', 'del');
}

describe('redrive', () => {
  it('puts dead letters back behind what waits, the oldest first, with their history', async () => {
    const queue = openQueue();
    await failAll(queue, 'c', 'b', 'a');
    await queue.run(reportProgress, { id: 'c', progress: pack(1, 'p') });
    await queue.add('w');
    expect(await queue.run(redrive, { ...oldest, limit: 2 })).toEqual({ outcomes: [], moved: 2 });
    expect(await queue.state()).toMatchObject({
      job: records('a', 'b', 'c', 'w'), wait: [['w', 0, 1], ['c', 0, 2], ['b', 0, 3]], failed: [['a', expect.any(Number)]], outcome: { a: expect.anything() },
      state: { b: { am: 1, as: 1, rd: 0 }, c: { am: 1, as: 1, rd: 0 } }, history: { b: [failedAttempt], c: [failedAttempt] }, expire: [['a', 5 * minute]], marker: true,
    });
    expect((await queue.state()).progress).toBeUndefined();
  });

  it('goes by the time of the end', async () => {
    const queue = openQueue();
    await failAll(queue, 'c', 'b', 'a');
    expect(await queue.run(redrive, { ...oldest, till: '2000' })).toMatchObject({ moved: 2 });
    expect(await queue.order()).toEqual(['c', 'b']);
  });

  it('lets attempts and starts begin anew, if asked to', async () => {
    const queue = openQueue();
    await failAll(queue, 'a', 'b');
    await queue.run(redrive, { ...oldest, ids: ['a'], resetAttempts: true });
    await queue.run(redrive, { ...oldest, ids: ['b'], resetAttempts: true, resetStarted: true });
    expect((await queue.state()).state).toEqual({ a: { as: 1, rd: 0 }, b: { rd: 0 } });
  });

  it('answers per id, and moves those that are in that state', async () => {
    const queue = openQueue();
    await failAll(queue, 'a', 'b');
    await queue.add('w');
    expect(await queue.run(redrive, { ...oldest, ids: ['b', 'w', 'unknown', 'b'] })).toEqual({ outcomes: ['moved', 'elsewhere', 'missing', 'elsewhere'], moved: 0 });
    expect(await queue.order()).toEqual(['w', 'b']);
  });

  it('takes completed jobs too, into their priority, without their outcome and rule', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', priority: 7 });
    const { lease } = await queue.take(1);
    await queue.settle([end.keptFor('a', lease, minute)]);
    await queue.run(redrive, { ...oldest, set: 'completed' });
    expect(await queue.state()).toEqual({ job: records('a'), wait: [['a', 7, 1]], state: { a: { pr: 7 } }, marker: true });
  });

  it('forgets stalls', async () => {
    const queue = openQueue();
    await failAll(queue, 'a');
    await queue.on('state', 'hset', 'a', pack({ am: 1, as: 3, sc: 2, su: 1 }, 'facts'));
    await queue.run(redrive, oldest);
    expect((await queue.state()).state).toEqual({ a: { am: 1, as: 3, rd: 0 } });
  });

  it('changes nothing when it is repeated', async () => {
    const queue = openQueue();
    await failAll(queue, 'a');
    await queue.run(redrive, { ...oldest, ids: ['a'] });
    const before = await queue.snapshot({ exact: true, events: true, sessions: false });
    expect(await queue.run(redrive, { ...oldest, ids: ['a'] })).toMatchObject({ outcomes: ['elsewhere'] });
    expect(await queue.run(redrive, oldest)).toMatchObject({ moved: 0 });
    expect(await queue.snapshot({ exact: true, events: true, sessions: false })).toEqual(before);
  });

  it('moves 1,000 jobs in one call', async () => {
    const queue = openQueue();
    const all = ids(1000);
    await queue.add(...all);
    const { lease } = await queue.take(1000);
    await queue.settle(all.map((id) => end.failed(id, lease)));
    await queue.on('failed', 'zadd', ...all.flatMap((id, i) => [i, id]));
    expect(await queue.run(redrive, oldest)).toMatchObject({ moved: 1000 });
    expect(await queue.order()).toEqual(all);
  });
});
