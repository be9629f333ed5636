import { describe, expect, it } from 'vitest';
import { pack } from '../../src/core/codec.js';
import { Queue } from '../../src/queue/queue.js';
import { clean } from '../../src/redis/scripts/clean.js';
import { reportProgress } from '../../src/redis/scripts/report-progress.js';
import { upsertSchedule } from '../../src/redis/scripts/upsert-schedule.js';
import { end, ids, minute, openQueue, records, type TestQueue } from './open-queue.js';

const all = { limit: 1000, till: '+inf', event: '' };

function producerOf(queue: TestQueue): Queue {
  return new Queue(queue.keys.queue, { connection: String(process.env.REDIS_URL), prefix: queue.keys.prefix });
}

/** Completes jobs, the first of them `minutes` minutes ago, the next one minute later. */
async function completeAgo(queue: TestQueue, minutes: number, ...names: string[]): Promise<void> {
  await queue.add(...names);
  const { lease } = await queue.take(names.length);
  await queue.settle(names.map((id) => end.kept(id, lease)));
  for (const [i, id] of names.entries()) await queue.on('completed', 'zincrby', (i - minutes) * minute, id);
}

describe('clean', () => {
  it('removes the oldest of a state by age, up to a limit', async () => {
    const queue = openQueue();
    await completeAgo(queue, 30, 'c', 'b', 'a');
    expect(await queue.run(clean, { ...all, set: 'completed', till: `ago:${29 * minute}`, event: 'cleaned' })).toMatchObject({ ids: ['c', 'b'] });
    expect(Object.keys((await queue.state()).job ?? {})).toEqual(['a']);
    await completeAgo(queue, 20, 'd', 'e');
    expect(await queue.run(clean, { ...all, set: 'completed', limit: 2 })).toMatchObject({ ids: ['a', 'd'] });
  });

  it('announces each job, if asked to', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    await queue.on('events', 'del');
    await queue.run(clean, { ...all, set: 'wait', limit: 1, event: 'removed' });
    await queue.run(clean, { ...all, set: 'wait' });
    expect((await queue.snapshot({ events: true })).events).toEqual([{ moved: [['removed', 'a']] }]);
  });

  it('removes everything that belongs to the jobs, whatever their state', async () => {
    const queue = openQueue();
    await queue.add('c', 'f', 'a', 'd');
    const { lease } = await queue.take(4);
    await queue.settle([end.keptFor('c', lease, minute), end.failed('f', lease), end.retried('d', lease, { delayMs: minute })]);
    await queue.addSpecial({ id: 'w', priority: 1 });
    for (const id of ['c', 'f', 'a', 'd', 'w']) await queue.run(reportProgress, { id, progress: pack(1, 'p') });
    for (const set of ['wait', 'delayed', 'completed', 'failed', 'active'] as const) await queue.run(clean, { ...all, set });
    expect(await queue.state()).toEqual({ marker: true });
  });

  it('takes the lease of an active job: its worker is refused', async () => {
    const queue = openQueue();
    await queue.add('a');
    const { lease } = await queue.take(1);
    await queue.run(clean, { ...all, set: 'active' });
    expect(await queue.settle([end.kept('a', lease)])).toMatchObject({ refused: [0] });
    expect((await queue.state()).completed).toBeUndefined();
  });

  it('removes 1,000 jobs in one call, and nothing more when repeated', async () => {
    const queue = openQueue();
    await queue.add(...ids(1000), 'z');
    expect(await queue.run(clean, { ...all, set: 'wait' })).toMatchObject({ ids: ids(1000) });
    await queue.run(clean, { ...all, set: 'wait' });
    const before = await queue.exactly();
    expect(await queue.run(clean, { ...all, set: 'wait' })).toMatchObject({ ids: [] });
    expect(await queue.exactly()).toEqual(before);
  });

  it('adds the duplicate that was kept back when its job is drained after a give-back', async () => {
    const queue = openQueue();
    const dedup = { id: 'd', keepLast: true };
    await queue.addSpecial({ id: 'a', dedup });
    const { lease } = await queue.take(1);
    await queue.addSpecial({ id: 'b', delayMs: minute, dedup });
    await queue.settle([end.givenBack('a', lease)]);
    await queue.run(clean, { ...all, set: 'wait' });
    expect(await queue.state()).toMatchObject({ job: records('b'), delayed: [['b', minute]], dedup: { d: { id: 'b', till: 0 } } });
  });
});

describe('drain', () => {
  it('removes waiting jobs in steps, and delayed ones only if asked to', async () => {
    const queue = openQueue();
    await queue.add(...ids(1000), 'more');
    await queue.addSpecial({ id: 'p', priority: 1 }, { id: 'd', delayMs: minute });
    const producer = producerOf(queue);
    await producer.drain();
    expect(await queue.state()).toEqual({ job: records('d'), delayed: [['d', minute]], marker: true });
    await producer.drain(true);
    expect(await queue.state()).toEqual({ marker: true });
    await producer.close();
  });
});

describe('obliterate', () => {
  it('leaves no key', async () => {
    const queue = openQueue();
    await queue.add('a', 'b', 'c', 'd');
    await queue.addSpecial({ id: 'e', delayMs: minute, dedup: { id: 'x', ttlMs: minute } }, { id: 'f', priority: 1 });
    const { lease } = await queue.take(3, 'w', { max: 9, durationMs: minute });
    await queue.settle([end.keptFor('a', lease, -1), end.failed('b', lease)]);
    await queue.run(upsertSchedule, { id: 's', definition: pack({}, 'd'), slot: 5 });
    const producer = producerOf(queue);
    await expect(producer.obliterate()).rejects.toMatchObject({ code: 'QUEUE_HAS_ACTIVE_JOBS' });
    await producer.obliterate({ force: true });
    expect(await queue.exactly()).toEqual({});
    await producer.close();
  });
});
