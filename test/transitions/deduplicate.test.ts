import { describe, expect, it } from 'vitest';
import { appendLog } from '../../src/redis/scripts/append-log.js';
import { remove } from '../../src/redis/scripts/remove.js';
import { recover } from '../../src/redis/scripts/recover.js';
import { reportProgress } from '../../src/redis/scripts/report-progress.js';
import { pack } from '../../src/core/codec.js';
import { end, minute, openQueue, record, records, type TestQueue } from './open-queue.js';

const facts = { de: 'd' };

describe('simple deduplication', () => {
  const dedup = { id: 'd' };

  it('lets the first job stand in the place of a second until it ends', async () => {
    const queue = openQueue();
    expect((await queue.addSpecial({ id: 'a', dedup }, { id: 'b', dedup })).standing).toEqual(['', 'a']);
    expect(await queue.state()).toEqual({
      job: records('a'), wait: [['a', 0, 1]], state: { a: facts }, dedup: { d: { id: 'a', till: 0 } }, marker: true,
    });
    const { lease } = await queue.take(1);
    expect((await queue.addSpecial({ id: 'c', dedup })).standing).toEqual(['a']);
    await queue.settle([end.kept('a', lease)]);
    expect((await queue.state()).dedup).toBeUndefined();
    expect((await queue.addSpecial({ id: 'd', dedup })).standing).toEqual(['']);
  });

  it('goes on over a retry', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    const { lease } = await queue.take(1);
    await queue.settle([end.retried('a', lease, { delayMs: minute })]);
    expect((await queue.addSpecial({ id: 'b', dedup })).standing).toEqual(['a']);
  });

  it.each(['failed and kept', 'failed and forgotten', 'completed and forgotten', 'removed', 'stalled to death'])('ends with a job that is %s', async (ending) => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    if (ending === 'removed') {
      await queue.run(remove, { ids: ['a'], only: '' });
    } else {
      const { lease } = await queue.take(1);
      if (ending === 'failed and kept') await queue.settle([end.failed('a', lease)]);
      else if (ending === 'failed and forgotten') await queue.settle([end.failed('a', lease, 1, 0)]);
      else if (ending === 'completed and forgotten') await queue.settle([end.forgotten('a', lease)]);
      else {
        await queue.on('active', 'zadd', 1.5, 'a');
        await queue.run(recover, { maxStalledCount: 0, limit: 10, keepFailed: -1 });
      }
    }
    expect((await queue.state()).dedup).toBeUndefined();
  });

  it('does not hold an id for a job that was lost', async () => {
    const queue = openQueue({ damaged: true });
    await queue.addSpecial({ id: 'a', dedup });
    await queue.on('job', 'hdel', 'a');
    expect((await queue.addSpecial({ id: 'b', dedup })).standing).toEqual(['']);
  });

  it('leaves a custom id to its job, and the deduplication id as it is', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a' }, { id: 'b', dedup });
    const before = await queue.state();
    expect((await queue.addSpecial({ id: 'a', dedup }, { id: 'b', dedup })).standing).toEqual(['a', 'b']);
    expect(await queue.state()).toEqual(before);
  });
});

describe('deduplication for a time', () => {
  const dedup = { id: 'd', ttlMs: 5 * minute };

  it('outlives the job', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    const { lease } = await queue.take(1);
    await queue.settle([end.forgotten('a', lease)]);
    expect((await queue.addSpecial({ id: 'b', dedup })).standing).toEqual(['a']);
    expect(await queue.state()).toEqual({ dedup: { d: { id: 'a', till: 5 * minute } }, marker: true });
  });

  it('ends with its time, also while the job is there', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    await rewrite(queue, 'd', { id: 'a', till: 1 });
    expect((await queue.addSpecial({ id: 'b', dedup })).standing).toEqual(['']);
    expect((await queue.state()).dedup).toEqual({ d: { id: 'b', till: 5 * minute } });
  });

  it('begins anew with each duplicate under extend, and not without', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    await rewrite(queue, 'd', { id: 'a', till: (await queue.now()) + minute });
    await queue.addSpecial({ id: 'b', dedup });
    expect((await queue.state()).dedup).toEqual({ d: { id: 'a', till: minute } });
    expect((await queue.addSpecial({ id: 'c', dedup: { ...dedup, extend: true } })).standing).toEqual(['a']);
    expect((await queue.state()).dedup).toEqual({ d: { id: 'a', till: 5 * minute } });
  });
});

describe('deduplication with replace', () => {
  const dedup = { id: 'd', replace: true };

  it('replaces a job that is still delayed, with all that belonged to it', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    const { lease } = await queue.take(1);
    await queue.settle([end.retried('a', lease, { delayMs: minute })]);
    await queue.run(reportProgress, { id: 'a', progress: pack(50, 'p') });
    await queue.run(appendLog, { id: 'a', row: pack('row', 'r'), keep: -1 });
    expect((await queue.addSpecial({ id: 'b', delayMs: 2 * minute, dedup })).standing).toEqual(['']);
    expect(await queue.state()).toEqual({
      job: records('b'), delayed: [['b', 2 * minute]], state: { b: facts }, dedup: { d: { id: 'b', till: 0 } }, marker: true,
    });
  });

  it('replaces no job that waits or runs', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    expect((await queue.addSpecial({ id: 'b', dedup })).standing).toEqual(['a']);
    await queue.take(1);
    expect((await queue.addSpecial({ id: 'c', dedup })).standing).toEqual(['a']);
    expect((await queue.state()).job).toEqual(records('a'));
  });

  it('keeps the time of the first, unless it is extended', async () => {
    const queue = openQueue();
    const timed = { ...dedup, ttlMs: 5 * minute };
    await queue.addSpecial({ id: 'a', delayMs: minute, dedup: timed });
    await rewrite(queue, 'd', { id: 'a', till: (await queue.now()) + minute });
    await queue.addSpecial({ id: 'b', delayMs: minute, dedup: timed });
    expect((await queue.state()).dedup).toEqual({ d: { id: 'b', till: minute } });
    await queue.addSpecial({ id: 'c', delayMs: minute, dedup: { ...timed, extend: true } });
    expect((await queue.state()).dedup).toEqual({ d: { id: 'c', till: 5 * minute } });
    expect((await queue.state()).job).toEqual(records('c'));
  });

  it('removes nothing when the new job cannot be added because its own id is taken', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'taken' }, { id: 'a', delayMs: minute, dedup });
    const before = await queue.state();
    expect((await queue.addSpecial({ id: 'taken', delayMs: minute, dedup })).standing).toEqual(['taken']);
    expect(await queue.state()).toEqual(before);
  });
});

describe('deduplication with reschedule', () => {
  it('gives the delayed job a new due time, and wakes a worker when that is the soonest', async () => {
    const queue = openQueue();
    const dedup = { id: 'd', reschedule: true };
    await queue.addSpecial({ id: 'a', delayMs: 5 * minute, dedup });
    await queue.on('marker', 'del');
    expect((await queue.addSpecial({ id: 'b', delayMs: minute, dedup })).standing).toEqual(['a']);
    expect(await queue.state()).toEqual({
      job: records('a'), delayed: [['a', minute]], state: { a: { ...facts, mv: 0 } }, dedup: { d: { id: 'a', till: 0 } }, marker: true,
    });
  });
});

describe('deduplication that keeps the last while active', () => {
  const dedup = { id: 'd', keepLast: true };

  it('adds the last duplicate when the job ends, with its delay, priority and place', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    const { lease } = await queue.take(1);
    const { standing } = await queue.addSpecial({ id: 'b', dedup }, { id: 'c', data: 'last', priority: 4, dedup });
    expect(standing).toEqual(['a', 'a']);
    expect((await queue.state()).job).toEqual(records('a'));
    await queue.settle([end.forgotten('a', lease)]);
    expect(await queue.state()).toEqual({
      job: { c: record('last') }, wait: [['c', 4, 1]], state: { c: { ...facts, pr: 4 } }, dedup: { d: { id: 'c', till: 0 } }, marker: true,
    });
  });

  it('keeps the delay of the last duplicate', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    const { lease } = await queue.take(1);
    await queue.addSpecial({ id: 'b', delayMs: minute, dedup });
    await queue.settle([end.kept('a', lease)]);
    expect((await queue.state()).delayed).toEqual([['b', minute]]);
  });

  it('keeps nothing while the job waits', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup }, { id: 'b', dedup });
    expect((await queue.state()).dedup).toEqual({ d: { id: 'a', till: 0 } });
  });

  it('loses nothing when a time would run out before the job ends', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup: { id: 'd', ttlMs: minute } });
    const { lease } = await queue.take(1);
    await queue.addSpecial({ id: 'b', dedup: { ...dedup, ttlMs: minute } });
    expect((await queue.state()).dedup?.d).toMatchObject({ id: 'a', till: 0 });
    await queue.settle([end.forgotten('a', lease)]);
    expect((await queue.state()).job).toEqual(records('b'));
  });

  it('adds the last duplicate also when its job is stalled to death', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    await queue.take(1);
    await queue.addSpecial({ id: 'b', dedup });
    await queue.on('active', 'zadd', 1.5, 'a');
    await queue.run(recover, { maxStalledCount: 0, limit: 10, keepFailed: -1 });
    expect(await queue.order()).toEqual(['b']);
  });

  it('adds the last duplicate over a retry only at the end', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    const first = await queue.take(1);
    await queue.addSpecial({ id: 'b', dedup });
    await queue.settle([end.retried('a', first.lease)]);
    expect(await queue.order()).toEqual(['a']);
    const second = await queue.take(1);
    await queue.settle([end.kept('a', second.lease)]);
    expect(await queue.order()).toEqual(['b']);
  });

  it('drops the kept one when a job of its id was added meanwhile', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    const { lease } = await queue.take(1);
    await queue.addSpecial({ id: 'b', data: 'kept', dedup });
    await queue.addSpecial({ id: 'b', data: 'added', delayMs: minute });
    await queue.settle([end.forgotten('a', lease)]);
    expect(await queue.state()).toEqual({ job: { b: record('added') }, delayed: [['b', minute]], marker: true });
  });

  it('adds no second job of the same custom id', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup });
    const { lease } = await queue.take(1);
    expect((await queue.addSpecial({ id: 'a', data: 'other', dedup })).standing).toEqual(['a']);
    await queue.settle([end.kept('a', lease)]);
    expect(await queue.state()).toMatchObject({ job: records('a'), completed: [['a', 0]] });
    expect((await queue.state()).wait).toBeUndefined();
  });
});

/** Writes a deduplication entry as the script does. */
async function rewrite(queue: TestQueue, id: string, entry: { id: string; till: number }): Promise<void> {
  await queue.on('dedup', 'hset', id, pack(entry, 'entry'));
}
