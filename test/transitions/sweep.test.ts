import { describe, expect, it } from 'vitest';
import { pack } from '../../src/core/codec.js';
import { sweep } from '../../src/redis/scripts/sweep.js';
import { end, minute, openQueue, records, type Settled, type TestQueue } from './open-queue.js';

const terms = { completedAgeMs: 60 * minute, failedAgeMs: 120 * minute, limit: 1000, sessionAgeMs: 24 * 60 * minute };

/** Ends jobs this long ago. */
async function endAgo(queue: TestQueue, set: 'completed' | 'failed', agoMs: number, ending: (id: string, lease: string) => Settled, ...names: string[]): Promise<void> {
  await queue.add(...names);
  const { lease } = await queue.take(names.length);
  await queue.settle(names.map((id) => ending(id, lease)));
  for (const id of names) await queue.on(set, 'zincrby', -agoMs, id);
}

describe('sweep', () => {
  it('forgets finished jobs past the age of their set, with all that belongs to them', async () => {
    const queue = openQueue();
    await endAgo(queue, 'completed', 61 * minute, end.kept, 'old');
    await endAgo(queue, 'completed', 58 * minute, end.kept, 'new');
    await endAgo(queue, 'failed', 121 * minute, end.failed, 'dead');
    await endAgo(queue, 'failed', 61 * minute, end.failed, 'ill');
    expect(await queue.run(sweep, terms)).toEqual({ forgotten: 2, more: false });
    const state = await queue.state();
    expect(state).toMatchObject({ job: records('ill', 'new'), completed: [['new', -58 * minute]], failed: [['ill', -61 * minute]] });
    expect([Object.keys(state.state ?? {}), Object.keys(state.history ?? {}), Object.keys(state.outcome ?? {})]).toEqual([['ill'], ['ill'], ['ill', 'new']]);
  });

  it('forgets nothing of a set without an age', async () => {
    const queue = openQueue();
    await endAgo(queue, 'completed', 999 * minute, end.kept, 'a');
    const before = await queue.exactly();
    expect(await queue.run(sweep, { ...terms, completedAgeMs: -1, failedAgeMs: -1 })).toEqual({ forgotten: 0, more: false });
    expect(await queue.exactly()).toEqual(before);
  });

  it('goes by the rule of a job that has its own', async () => {
    const queue = openQueue();
    await endAgo(queue, 'completed', 61 * minute, (id, lease) => end.keptFor(id, lease, 5 * minute), 'short', 'shorter');
    await endAgo(queue, 'completed', 61 * minute, (id, lease) => end.keptFor(id, lease, -1), 'for ever');
    await endAgo(queue, 'failed', 121 * minute, (id, lease) => end.failed(id, lease, 1, -1), 'dead for ever');
    await queue.on('expire', 'zadd', await queue.now(), 'short');
    expect(await queue.run(sweep, terms)).toEqual({ forgotten: 1, more: false });
    expect(await queue.state()).toMatchObject({
      job: records('dead for ever', 'for ever', 'shorter'), expire: [['shorter', 5 * minute], ['dead for ever', Infinity], ['for ever', Infinity]],
    });
  });

  it('goes on in steps, past jobs that have rules of their own', async () => {
    const queue = openQueue();
    for (const [i, id] of ['p1', 'p2', 'p3', 'p4', 'p5'].entries()) {
      await endAgo(queue, 'completed', (100 - i) * minute, (name, lease) => end.keptFor(name, lease, -1), id);
    }
    await endAgo(queue, 'completed', 70 * minute, end.kept, 'old1', 'old2');
    await endAgo(queue, 'completed', 10 * minute, end.kept, 'new');
    let calls = 0;
    while ((await queue.run(sweep, { ...terms, limit: 2 })).more) expect(++calls).toBeLessThan(20);
    expect(Object.keys((await queue.state()).job ?? {})).toEqual(['new', 'p1', 'p2', 'p3', 'p4', 'p5']);
  });

  it('still sweeps jobs that end after it has passed', async () => {
    const queue = openQueue();
    await endAgo(queue, 'completed', 100 * minute, (id, lease) => end.keptFor(id, lease, -1), 'p');
    await queue.run(sweep, terms);
    await endAgo(queue, 'completed', 61 * minute, end.kept, 'old');
    expect(await queue.run(sweep, terms)).toEqual({ forgotten: 1, more: false });
  });

  it('changes nothing when it is repeated', async () => {
    const queue = openQueue();
    await endAgo(queue, 'completed', 61 * minute, end.kept, 'a');
    await endAgo(queue, 'completed', 61 * minute, (id, lease) => end.keptFor(id, lease, -1), 'b');
    await queue.run(sweep, terms);
    const before = await queue.exactly();
    expect(await queue.run(sweep, terms)).toEqual({ forgotten: 0, more: false });
    expect(await queue.exactly()).toEqual(before);
  });

  it('ends sessions that nobody has used for their age', async () => {
    const queue = openQueue();
    await queue.enqueue(['a'], [], { session: 'old', seq: 1 });
    await queue.enqueue(['b'], [], { session: 'new', seq: 1 });
    await queue.on('sessions', 'hset', 'old', pack([1, 5, 'reply'], 'session'));
    await queue.run(sweep, terms);
    expect(Object.keys((await queue.snapshot()).sessions ?? {})).toEqual(['new']);
  });

  it('frees deduplication ids whose time has passed or whose job is gone', async () => {
    const queue = openQueue();
    await queue.addSpecial({ id: 'a', dedup: { id: 'held' } }, { id: 'b', dedup: { id: 'timed', ttlMs: minute } });
    await queue.on('dedup', 'hset', 'past', pack({ id: 'b', till: 5 }, 'entry'), 'orphaned', pack({ id: 'gone', till: 0 }, 'entry'));
    await queue.run(sweep, terms);
    expect(Object.keys((await queue.state()).dedup ?? {})).toEqual(['held', 'timed']);
  });

  it('goes on after the clock has been set back', async () => {
    const queue = openQueue();
    await endAgo(queue, 'completed', 61 * minute, end.kept, 'old');
    // Where a sweeper had come to while the clock was ahead.
    await queue.on('meta', 'hset', 'sweptCompleted', (await queue.now()) + 60 * minute);
    expect(await queue.run(sweep, terms)).toEqual({ forgotten: 1, more: false });
  });
});
