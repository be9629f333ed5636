import { describe, expect, it } from 'vitest';
import { packStrings } from '../../src/core/script-packer.js';
import { recover } from '../../src/redis/scripts/recover.js';
import { renew } from '../../src/redis/scripts/renew.js';
import { end, ids, minute, openQueue, records, type TestQueue } from './open-queue.js';

const terms = { maxStalledCount: 1, limit: 1000, keepFailed: -1 };
const stalledAttempt = { at: 0, worker: 'w', message: 'job stalled: its worker stopped renewing the lease' };
const stalledOutcome = { value: 'job stalled more than allowable limit', startedAt: 0, worker: 'w' };

/** Takes a job and lets its lease run out; `started` as if it had been confirmed before. */
async function stall(queue: TestQueue, id: string, { started }: { started: boolean }): Promise<void> {
  const { lease, ids: taken } = await queue.take(1);
  expect(taken).toEqual([id]);
  if (started) await queue.run(renew, { leaseMs: minute, leases: packStrings([id, lease]) });
  await queue.expire(id);
}

describe('recover', () => {
  it('leaves leases alone that still run', async () => {
    const queue = openQueue();
    await queue.add('a');
    await queue.take(1);
    const before = await queue.exactly();
    const { jobs, expiresAt } = await queue.run(recover, terms);
    expect(jobs).toEqual([]);
    expect(expiresAt).toBe(before.active?.[0]?.[1]);
    expect(await queue.exactly()).toEqual(before);
  });

  it('gives back a job that never started, uncounted and marked, however often', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    for (let i = 0; i < 5; i++) {
      await stall(queue, 'a', { started: false });
      expect(await queue.run(recover, terms)).toMatchObject({ jobs: [{ id: 'a', stalls: 0, worker: 'w', dead: false, started: false }], expiresAt: 0 });
    }
    expect(await queue.state()).toEqual({ job: records('a', 'b'), wait: [['a', 0, 1], ['b', 0, 2]], state: { a: { su: 1 } }, marker: true });
  });

  it('counts a job that had started, and tells its history', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', priority: 2 });
    await stall(queue, 'a', { started: true });
    expect(await queue.run(recover, terms)).toMatchObject({ jobs: [{ id: 'a', stalls: 1, worker: 'w', dead: false, started: true }], expiresAt: 0 });
    expect(await queue.state()).toEqual({
      job: records('a'), wait: [['a', 2, 0]], state: { a: { pr: 2, sc: 1, as: 1, su: 1 } }, history: { a: [stalledAttempt] }, marker: true,
    });
  });

  it('buries a job past its stalls, with the reason and the whole history', async () => {
    const queue = openQueue();
    await queue.add('a');
    await stall(queue, 'a', { started: true });
    await queue.run(recover, terms);
    await queue.on('marker', 'del');
    await stall(queue, 'a', { started: true });
    expect(await queue.run(recover, terms)).toMatchObject({ jobs: [{ id: 'a', stalls: 2, dead: true, started: true }] });
    expect(await queue.state()).toEqual({
      job: records('a'), failed: [['a', 0]], outcome: { a: stalledOutcome }, state: { a: { sc: 2, as: 2 } }, history: { a: [stalledAttempt, stalledAttempt] },
    });
  });

  it('buries at the first stall when none is allowed', async () => {
    const queue = openQueue();
    await queue.add('a');
    await stall(queue, 'a', { started: true });
    expect(await queue.run(recover, { ...terms, maxStalledCount: 0 })).toMatchObject({ jobs: [{ id: 'a', stalls: 1, dead: true }] });
  });

  it('counts a start that was confirmed after an unconfirmed one', async () => {
    const queue = openQueue();
    await queue.add('a');
    await stall(queue, 'a', { started: false });
    await queue.run(recover, terms);
    await stall(queue, 'a', { started: true });
    await queue.run(recover, terms);
    expect((await queue.state()).state).toEqual({ a: { sc: 1, as: 1, su: 1 } });
  });

  it('takes the mark away once the job has run, but not when it is given back unstarted', async () => {
    const queue = openQueue();
    await queue.add('a');
    await stall(queue, 'a', { started: false });
    await queue.run(recover, terms);
    const first = await queue.take(1);
    await queue.settle([end.givenBack('a', first.lease)]);
    expect((await queue.state()).state).toEqual({ a: { su: 1 } });
    const second = await queue.take(1);
    await queue.settle([end.retried('a', second.lease)]);
    expect((await queue.state()).state).toEqual({ a: { am: 1, as: 1 } });
  });

  it('keeps the stalls over retries, and the attempts over stalls', async () => {
    const queue = openQueue();
    await queue.add('a');
    await stall(queue, 'a', { started: true });
    await queue.run(recover, terms);
    const { lease } = await queue.take(1);
    await queue.settle([end.retried('a', lease)]);
    await stall(queue, 'a', { started: true });
    expect(await queue.run(recover, terms)).toMatchObject({ jobs: [{ stalls: 2, dead: true }] });
    expect((await queue.state()).state).toEqual({ a: { am: 1, as: 3, sc: 2 } });
  });

  it('puts jobs in front of their priority, in the order of their deadlines', async () => {
    const queue = openQueue();
    await queue.add('c', 'b', 'a', 'rest');
    await queue.addSpecial({ id: 'q', priority: 1 }, { id: 'p', priority: 1 });
    for (let i = 0; i < 3; i++) await queue.take(1);
    await queue.on('active', 'zadd', 1, 'c', 2.5, 'b', 3, 'a');
    const { jobs } = await queue.run(recover, terms);
    expect(jobs.map((job) => job.id).sort()).toEqual(['a', 'b', 'c']);
    expect(await queue.order()).toEqual(['c', 'b', 'a', 'rest', 'q', 'p']);
  });

  it('recovers up to its limit, and 1,000 in one call', async () => {
    const queue = openQueue();
    const all = ids(1000);
    await queue.add(...all, 'z');
    await queue.take(1000);
    await queue.take(1);
    await queue.on('active', 'zadd', ...all.flatMap((id, i) => [i, id]), 1000, 'z');
    expect((await queue.run(recover, terms)).jobs).toHaveLength(1000);
    expect(await queue.state()).toMatchObject({ active: [['z', expect.any(Number), false]] });
    expect(await queue.order()).toEqual(all);
    expect((await queue.run(recover, { ...terms, limit: 1 })).jobs).toHaveLength(1);
    expect((await queue.run(recover, terms)).jobs).toEqual([]);
  });

  it('changes nothing when it is repeated', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    await stall(queue, 'a', { started: true });
    await stall(queue, 'b', { started: false });
    await queue.run(recover, terms);
    const before = await queue.exactly();
    expect(await queue.run(recover, terms)).toMatchObject({ jobs: [], expiresAt: 0 });
    expect(await queue.exactly()).toEqual(before);
  });

  it('trims the dead letters', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    for (const id of ['a', 'b']) {
      await stall(queue, id, { started: true });
      await queue.run(recover, { maxStalledCount: 0, limit: 10, keepFailed: 1 });
      await queue.on('failed', 'zincrby', -minute, id);
    }
    expect(await queue.state()).toMatchObject({ job: records('b'), failed: [['b', -minute]] });
  });

  it('brings back leases that were given while the clock was far ahead, and no others', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    const { lease } = await queue.take(2);
    await queue.take(1, 'late');
    // As if an hour ago the clock had been an hour ahead when a and b were handed out; b has been renewed since.
    const ahead = Number(lease.split('|')[1]) + 60 * minute;
    for (const id of ['a', 'b']) {
      await queue.on('run', 'hset', id, `w|${ahead}`);
      await queue.on('active', 'zadd', 'XX', ahead + minute, id);
    }
    await queue.run(renew, { leaseMs: 3 * minute, leases: packStrings(['b', `w|${ahead}`]) });
    const expected = [['c', minute, false], ['a', minute, false], ['b', 3 * minute, true]];
    // Once is enough, and again changes nothing.
    for (const _ of [1, 2]) {
      await queue.run(recover, { ...terms, leaseMs: minute });
      expect((await queue.state()).active).toEqual(expected);
    }
    await queue.expire('a');
    expect(await queue.run(recover, terms)).toMatchObject({ jobs: [{ id: 'a', started: false }] });
  });
});
