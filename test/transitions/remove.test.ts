import { describe, expect, it } from 'vitest';
import { pack } from '../../src/core/codec.js';
import { appendLog } from '../../src/redis/scripts/append-log.js';
import { remove } from '../../src/redis/scripts/remove.js';
import { reportProgress } from '../../src/redis/scripts/report-progress.js';
import { end, ids, minute, openQueue, records, type TestQueue } from './open-queue.js';

/** A queue with a job in each state, with every column filled. */
async function full(): Promise<TestQueue> {
  const queue = openQueue();
  await queue.add('completed', 'failed', 'active');
  await queue.addSpecial({ id: 'retried' });
  const { lease } = await queue.take(4);
  await queue.settle([end.keptFor('completed', lease, minute), end.failed('failed', lease, 1, -1), end.retried('retried', lease, { delayMs: minute })]);
  await queue.addSpecial({ id: 'waiting', priority: 1 }, { id: 'delayed', delayMs: minute });
  for (const id of ['completed', 'failed', 'active', 'retried', 'waiting', 'delayed']) {
    await queue.run(reportProgress, { id, progress: pack(1, 'p') });
    await queue.run(appendLog, { id, row: pack('row', 'r'), keep: -1 });
  }
  await queue.on('marker', 'del');
  return queue;
}

describe('remove', () => {
  it('removes jobs of every state with all that belongs to them, but not what a worker holds', async () => {
    const queue = await full();
    const { removals } = await queue.run(remove, { ids: ['waiting', 'active', 'delayed', 'completed', 'unknown', 'failed', 'retried'], only: '' });
    expect(removals).toEqual(['removed', 'held', 'removed', 'removed', 'missing', 'removed', 'removed']);
    expect(await queue.state()).toEqual({
      job: records('active'), active: [['active', minute, false]], run: { active: 'w|0' }, progress: { active: 1 }, logs: { active: ['row'] },
    });
  });

  it('changes nothing when it is repeated', async () => {
    const queue = await full();
    await queue.run(remove, { ids: ['waiting', 'failed', 'active'], only: '' });
    const before = await queue.snapshot({ exact: true, events: true, sessions: false });
    expect(await queue.run(remove, { ids: ['waiting', 'failed', 'active'], only: '' })).toMatchObject({ removals: ['missing', 'missing', 'held'] });
    expect(await queue.snapshot({ exact: true, events: true, sessions: false })).toEqual(before);
  });

  it('keeps the order of the jobs that stay', async () => {
    const queue = openQueue();
    await queue.add('c', 'b', 'a');
    await queue.run(remove, { ids: ['b'], only: '' });
    await queue.add('0');
    expect(await queue.order()).toEqual(['c', 'a', '0']);
  });

  it('removes 1,000 jobs in one call', async () => {
    const queue = openQueue();
    await queue.add(...ids(1000), 'z');
    const { removals } = await queue.run(remove, { ids: ids(1000), only: '' });
    expect(new Set(removals)).toEqual(new Set(['removed']));
    expect(await queue.state()).toEqual({ job: records('z'), wait: [['z', 0, 1001]], marker: true });
  });
});
