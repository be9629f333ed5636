import { describe, expect, it } from 'vitest';
import { pack } from '../../src/core/codec.js';
import { recover } from '../../src/redis/scripts/recover.js';
import { attempt, end, ids, minute, openQueue, records, written, type Settled } from './open-queue.js';

const { result, reason, attempt: failedAttempt } = written;

describe('an ending', () => {
  it('completed and forgotten leaves nothing of the job', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', priority: 2 });
    const { lease } = await queue.take(1);
    const reply = await queue.settle([end.forgotten('a', lease)]);
    expect(reply).toMatchObject({ refused: [], ids: [] });
    expect(await queue.state()).toEqual({ marker: true });
  });

  it('completed and kept leaves the record and the outcome', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    const { lease } = await queue.take(2);
    await queue.settle([end.kept('a', lease), end.kept('b', lease, null)]);
    expect(await queue.state()).toEqual({
      job: records('a', 'b'), completed: [['a', 0], ['b', 0]], outcome: { a: result, b: { ...result, value: null } }, marker: true,
    });
  });

  it('completed and kept for a time notes when it is to be forgotten', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    const { lease } = await queue.take(2);
    await queue.settle([end.keptFor('a', lease, 5 * minute), end.keptFor('b', lease, -1)]);
    expect(await queue.state()).toEqual({
      job: records('a', 'b'), completed: [['a', 0], ['b', 0]], outcome: { a: result, b: result },
      expire: [['a', 5 * minute], ['b', Infinity]], marker: true,
    });
  });

  it('failed leaves a dead letter with its outcome, attempts and history', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    const { lease } = await queue.take(3);
    await queue.settle([end.failed('a', lease), end.failed('b', lease, 1, 5 * minute), end.failed('c', lease, 1, -1)]);
    expect(await queue.state()).toEqual({
      job: records('a', 'b', 'c'), failed: [['a', 0], ['b', 0], ['c', 0]], outcome: { a: reason, b: reason, c: reason },
      state: { a: { am: 1, as: 1 }, b: { am: 1, as: 1 }, c: { am: 1, as: 1 } },
      history: { a: [failedAttempt], b: [failedAttempt], c: [failedAttempt] },
      expire: [['b', 5 * minute], ['c', Infinity]], marker: true,
    });
  });

  it('failed and forgotten leaves nothing of the job', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', priority: 1 });
    const { lease } = await queue.take(1);
    await queue.settle([end.failed('a', lease, 1, 0)]);
    expect(await queue.state()).toEqual({ marker: true });
  });

  it('retried later delays the job, and counts the attempt', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', priority: 3 });
    const { lease } = await queue.take(1);
    await queue.settle([end.retried('a', lease, { delayMs: 5 * minute })]);
    expect(await queue.state()).toEqual({
      job: records('a'), delayed: [['a', 5 * minute]], state: { a: { pr: 3, am: 1, as: 1 } }, history: { a: [failedAttempt] }, marker: true,
    });
  });

  it('retried at once puts the job behind its priority, or in front for lifo', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', priority: 3 }, { id: 'b', priority: 3 }, { id: 'c', priority: 3 });
    const { lease } = await queue.take(2);
    await queue.settle([end.retried('a', lease), end.retried('b', lease, { lifo: true })]);
    expect((await queue.state()).wait).toEqual([['b', 3, 2], ['c', 3, 3], ['a', 3, 4]]);
  });

  it('given back puts jobs in front of their priority in the order they had, and counts nothing', async () => {
    const queue = openQueue();
    await queue.add('z', 'y', 'x');
    await queue.addSpecial({ id: 'q', priority: 1 }, { id: 'p', priority: 1 }, { id: 'o', priority: 1 });
    const before = await queue.state();
    const { lease } = await queue.take(5);
    await queue.settle(['z', 'y', 'x', 'q', 'p'].map((id) => end.givenBack(id, lease)));
    expect(await queue.order()).toEqual(['z', 'y', 'x', 'q', 'p', 'o']);
    expect(await queue.state()).toEqual({ ...before, wait: expect.any(Array) });
  });

  it('delayed by the handler counts a start but no attempt', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    const { lease, now } = await queue.take(2);
    await queue.settle([end.delayed('a', lease, now + 5 * minute), end.delayed('b', lease, -1)]);
    expect(await queue.state()).toEqual({
      job: records('a', 'b', 'c'), wait: [['b', 0, 2], ['c', 0, 3]], delayed: [['a', 5 * minute]], state: { a: { as: 1, mv: 0 }, b: { as: 1 } }, marker: true,
    });
  });

  it('of each kind fits into one call, and the next jobs come with the reply', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    const { lease } = await queue.take(7);
    const reply = await queue.settle([
      end.retried('a', lease), end.givenBack('b', lease), end.kept('c', lease), end.failed('d', lease), end.forgotten('e', lease),
      end.retried('f', lease, { delayMs: minute }), end.givenBack('g', lease),
    ], { wanted: 3, token: 'x' });
    expect(reply).toMatchObject({ refused: [], ids: ['b', 'g', 'h'], dueAt: reply.now + minute });
    expect(await queue.state()).toEqual({
      job: records('a', 'b', 'c', 'd', 'f', 'g', 'h'),
      wait: [['a', 0, 9]], delayed: [['f', minute]], completed: [['c', 0]], failed: [['d', 0]],
      active: [['b', minute, false], ['g', minute, false], ['h', minute, false]], run: { b: 'x|0', g: 'x|0', h: 'x|0' },
      outcome: { c: result, d: reason },
      state: { a: { am: 1, as: 1 }, d: { am: 1, as: 1 }, f: { am: 1, as: 1 } },
      history: { a: [failedAttempt], d: [failedAttempt], f: [failedAttempt] }, marker: true,
    });
  });

  it('keeps the facts of earlier attempts', async () => {
    const queue = openQueue();
    await queue.add('a');
    const first = await queue.take(1);
    await queue.settle([end.retried('a', first.lease)]);
    const second = await queue.take(1);
    expect(second.states.map((state) => state !== undefined)).toEqual([true]);
    await queue.settle([end.failed('a', second.lease, 2)]);
    expect(await queue.state()).toMatchObject({ state: { a: { am: 2, as: 2 } }, history: { a: [failedAttempt, failedAttempt] } });
  });

  it('of 1,000 jobs fits into one call, with 1,000 jobs taken', async () => {
    const queue = openQueue();
    const [all, next] = [ids(1000), ids(1000, 'next')];
    await queue.add(...all);
    const { lease } = await queue.take(1000);
    await queue.add(...next);
    const reply = await queue.settle(all.map((id) => end.kept(id, lease)), { wanted: 1000 });
    expect(reply).toMatchObject({ refused: [], ids: next });
    expect((await queue.state()).completed).toHaveLength(1000);
  });

  it('announces that the queue is drained', async () => {
    const queue = openQueue();
    await queue.add('a');
    const { lease } = await queue.take(1);
    await queue.on('events', 'del');
    await queue.settle([end.kept('a', lease)], { wanted: 1 });
    expect((await queue.snapshot({ events: true })).events).toEqual([{ done: 'a', results: [['ok', 5, 'w']], moved: [['drained']] }]);
  });
});

describe('the history of attempts', () => {
  it('drops the oldest beyond 64 KiB', async () => {
    const queue = openQueue();
    await queue.add('a');
    for (const letter of ['a', 'b', 'c', 'd', 'e']) {
      const { lease } = await queue.take(1);
      await queue.settle([end.retried('a', lease, { entry: attempt(letter.repeat(20_000)) })]);
    }
    expect((await queue.state()).history?.a?.map(({ message }) => message[0])).toEqual(['c', 'd', 'e']);
  });

  it('that cannot be read hinders nobody: it begins anew', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    await queue.on('history', 'hset', 'a', Buffer.alloc(65_536, 0xc7));
    const { lease } = await queue.take(2);
    expect(await queue.settle([end.retried('a', lease), end.kept('b', lease)])).toMatchObject({ refused: [] });
    expect(await queue.state()).toMatchObject({ wait: [['a', 0, 1]], completed: [['b', 0]], history: { a: [failedAttempt] } });
  });
});

describe('fencing', () => {
  it('refuses a wrong lease per item, while its neighbours succeed', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c', 'd');
    const { lease } = await queue.take(3);
    const { refused } = await queue.settle([
      end.kept('a', lease), end.kept('b', `${lease}0`), end.failed('d', lease), end.retried('unknown', lease), end.forgotten('c', lease),
    ]);
    expect(refused).toEqual([1, 2, 3]);
    expect(await queue.state()).toEqual({
      job: records('a', 'b', 'd'), wait: [['d', 0, 4]], active: [['b', minute, false]], run: { b: 'w|0' }, completed: [['a', 0]],
      outcome: { a: result }, marker: true,
    });
  });

  it.each([
    ['completed', (lease: string) => end.kept('a', lease)],
    ['forgotten', (lease: string) => end.forgotten('a', lease)],
    ['kept for a time', (lease: string) => end.keptFor('a', lease, minute)],
    ['failed', (lease: string) => end.failed('a', lease)],
    ['retried', (lease: string) => end.retried('a', lease)],
    ['given back', (lease: string) => end.givenBack('a', lease)],
    ['delayed', (lease: string) => end.delayed('a', lease, -1)],
  ] as [string, (lease: string) => Settled][])('refuses to have a job %s under a lease that was taken away', async (_, ending) => {
    const queue = openQueue();
    await queue.add('a');
    const stale = await queue.take(1, 'late');
    await queue.expire('a');
    await queue.run(recover, { maxStalledCount: 1, limit: 10, keepFailed: -1 });
    const whileWaiting = await queue.state();
    expect(await queue.settle([ending(stale.lease)])).toMatchObject({ refused: [0] });
    expect(await queue.state()).toEqual(whileWaiting);
    await queue.take(1, 'new');
    const whileTaken = await queue.state();
    expect(await queue.settle([ending(stale.lease)])).toMatchObject({ refused: [0] });
    expect(await queue.state()).toEqual(whileTaken);
  });

  it('accepts each job once a call, the first that is said of it', async () => {
    const queue = openQueue();
    await queue.add('a');
    const { lease } = await queue.take(1);
    const { refused } = await queue.settle([end.kept('a', lease), end.failed('a', lease), end.givenBack('a', lease)]);
    expect(refused).toEqual([1, 2]);
    expect(await queue.state()).toEqual({ job: records('a'), completed: [['a', 0]], outcome: { a: result }, marker: true });
  });

  it('refuses a job that has ended', async () => {
    const queue = openQueue();
    await queue.add('a');
    const { lease } = await queue.take(1);
    await queue.settle([end.kept('a', lease)]);
    expect(await queue.settle([end.failed('a', lease)])).toMatchObject({ refused: [0] });
    expect((await queue.state()).failed).toBeUndefined();
  });
});

describe('retention', () => {
  it('keeps the newest of a set by count', async () => {
    const queue = openQueue();
    for (const id of ['c', 'b', 'a']) {
      await queue.add(id);
      const { lease } = await queue.take(1);
      await queue.settle([end.kept(id, lease)], { keepCompleted: 2 });
      await queue.on('completed', 'zadd', `${999 - id.charCodeAt(0)}`, id);
    }
    expect(await queue.state()).toMatchObject({ job: records('a', 'b'), outcome: { a: result, b: result } });
  });

  it('trims failed jobs with all that belongs to them', async () => {
    const queue = openQueue();
    for (const id of ['b', 'a']) {
      await queue.add(id);
      const { lease } = await queue.take(1);
      await queue.settle([end.failed(id, lease, 1, -1)], { keepFailed: 1 });
      await queue.on('failed', 'zincrby', -minute, id);
    }
    expect(await queue.state()).toEqual({
      job: records('a'), failed: [['a', -minute]], outcome: { a: reason }, state: { a: { am: 1, as: 1 } }, history: { a: [failedAttempt] },
      expire: [['a', Infinity]], marker: true,
    });
  });

  it('trims at most 1,000 jobs a call', async () => {
    const queue = openQueue();
    const all = ids(1000);
    await queue.add(...all);
    const { lease } = await queue.take(1000);
    await queue.settle(all.map((id) => end.kept(id, lease)));
    await queue.add('x', 'y');
    const last = await queue.take(2);
    await queue.settle([end.kept('x', last.lease), end.kept('y', last.lease)], { keepCompleted: 0 });
    expect((await queue.state()).completed).toHaveLength(2);
  });
});

describe('a settle call that is repeated', () => {
  it('answers the same and changes nothing', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c', 'd');
    await queue.addSpecial({ id: 'p', priority: 3 });
    const { lease } = await queue.take(3);
    const send = () => queue.settle([end.kept('a', lease), end.retried('b', lease), end.failed('c', lease), end.kept('d', lease)],
      { session: 's', seq: 4, wanted: 9, token: '' });
    const reply = await send();
    expect(reply).toMatchObject({ refused: [3], ids: ['d', 'b', 'p'] });
    const before = await queue.exactly();
    const again = await send();
    const { now: _now, dueAt: _dueAt, expiresAt: _expiresAt, hasFlows: _hasFlows, records: row, ...same } = reply;
    expect(again).toMatchObject(same);
    expect(Buffer.concat(again.records as Buffer[])).toEqual(row);
    expect(await queue.exactly()).toEqual(before);
  });

  it('hands out again only what its caller still holds', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    const send = () => queue.take(3, 'w', { session: 's', seq: 1 });
    const { lease } = await send();
    await queue.settle([end.forgotten('a', lease)]);
    await queue.expire('b');
    await queue.run(recover, { maxStalledCount: 1, limit: 10, keepFailed: -1 });
    await queue.take(1, 'other');
    const before = await queue.exactly();
    expect(await send()).toMatchObject({ lease, ids: ['c'] });
    expect(await queue.exactly()).toEqual(before);
  });

  it('is refused once a later one of its session has come', async () => {
    const queue = openQueue();
    await queue.add('a');
    await queue.take(1, 'w', { session: 's', seq: 2 });
    const before = await queue.exactly();
    await expect(queue.take(1, 'w', { session: 's', seq: 1 })).rejects.toThrow('STALE');
    expect(await queue.exactly()).toEqual(before);
  });
});

describe('a damaged job', () => {
  it('hinders neither its own end nor that of its neighbours', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c');
    const { lease } = await queue.take(3);
    await queue.on('state', 'hset', 'a', Buffer.from([0xc1]), 'b', pack(7, 'facts'));
    const { refused } = await queue.settle([end.failed('a', lease), end.retried('b', lease), end.kept('c', lease)]);
    expect(refused).toEqual([]);
    expect(await queue.state()).toMatchObject({ failed: [['a', 0]], wait: [['b', 0, 1]], completed: [['c', 0]] });
  });
});
