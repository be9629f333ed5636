import { describe, expect, it, onTestFinished } from 'vitest';
import { pack } from '../../src/core/codec.js';
import { ScriptPacker } from '../../src/core/script-packer.js';
import { Queue } from '../../src/queue/queue.js';
import { fireDueSchedules } from '../../src/scheduler/fire.js';
import { fireSchedule, type FireCall } from '../../src/redis/scripts/fire-schedule.js';
import { pause } from '../../src/redis/scripts/pause.js';
import { removeSchedule } from '../../src/redis/scripts/remove-schedule.js';
import { upsertSchedule } from '../../src/redis/scripts/upsert-schedule.js';
import { end, ids, openQueue, packedRecord, records, type TestQueue } from './open-queue.js';

const definition = pack({ every: 10 }, 'definition');
const changed = pack({ every: 20 }, 'definition');

/** Packs runs as the scheduler does; the data of a run is its id. */
function runs(...created: [id: string, priority?: number][]): Buffer {
  const packer = new ScriptPacker().array(created.length);
  for (const [id, priority = 0] of created) {
    packer.array(4).string(id).bytes(packedRecord(id)).number(priority);
    if (priority > 0) packer.bytes(pack({ pr: priority }, 'facts'));
    else packer.string('');
  }
  return packer.take();
}

const fire = (queue: TestQueue, call: Partial<FireCall> = {}) =>
  queue.run(fireSchedule, { id: 's', definition, slot: 10, nextSlot: 20, runs: runs(['r10']), overlap: 'allow', name: 'job', ...call });

describe('upsert-schedule', () => {
  it('stores a schedule and its next slot, and wakes a worker', async () => {
    const queue = openQueue();
    expect(await queue.run(upsertSchedule, { id: 's', definition, slot: 10 })).toEqual({ slot: 10, changed: true, runs: 0 });
    expect(await queue.exactly()).toEqual({ meta: { nextSlot: 10 }, schedules: [['s', 10]], schedule: { s: { every: 10 } }, marker: true });
  });

  it('keeps the slot of an unchanged one', async () => {
    const queue = openQueue();
    await queue.run(upsertSchedule, { id: 's', definition, slot: 10 });
    const before = await queue.exactly();
    expect(await queue.run(upsertSchedule, { id: 's', definition, slot: 15 })).toEqual({ slot: 10, changed: false, runs: 0 });
    expect(await queue.exactly()).toEqual(before);
  });

  it('gives a changed one its new slot', async () => {
    const queue = openQueue();
    await queue.run(upsertSchedule, { id: 's', definition, slot: 10 });
    await queue.run(upsertSchedule, { id: 't', definition, slot: 12 });
    expect(await queue.run(upsertSchedule, { id: 's', definition: changed, slot: 15 })).toEqual({ slot: 15, changed: true, runs: 0 });
    expect(await queue.exactly()).toMatchObject({ meta: { nextSlot: 12 }, schedules: [['t', 12], ['s', 15]], schedule: { s: { every: 20 } } });
  });

  it('keeps the trace that it was given last, beside the definition, and counts runs on', async () => {
    const queue = openQueue();
    const upsert = (trace?: string, as = definition) => queue.run(upsertSchedule, { id: 's', definition: as, slot: 15, trace });
    await queue.run(upsertSchedule, { id: 's', definition, slot: 10, trace: 'one' });
    expect(await upsert('two')).toEqual({ slot: 10, changed: false, runs: 0 });
    expect(await queue.exactly()).toMatchObject({ schedules: [['s', 10]], scheduleRuns: { s: { count: 0, trace: 'two' } } });
    await fire(queue);
    expect(await upsert()).toEqual({ slot: 20, changed: false, runs: 1 });
    expect(await queue.exactly()).toMatchObject({ scheduleRuns: { s: { count: 1, last: 'r10', trace: 'two' } } });
    expect(await upsert(undefined, changed)).toEqual({ slot: 15, changed: true, runs: 1 });
    expect(await queue.exactly()).toMatchObject({ scheduleRuns: { s: { count: 1, last: 'r10' } } });
    expect((await queue.exactly()).scheduleRuns).toEqual({ s: { count: 1, last: 'r10' } });
  });
});

describe('fire-schedule', () => {
  async function scheduled(): Promise<TestQueue> {
    const queue = openQueue();
    await queue.run(upsertSchedule, { id: 's', definition, slot: 10 });
    await queue.on('marker', 'del');
    return queue;
  }

  it('adds the run of a slot behind what waits, and moves on to the next', async () => {
    const queue = await scheduled();
    await queue.add('w');
    expect(await fire(queue, { runs: runs(['r10', 3]) })).toBe(1);
    expect(await queue.snapshot({ exact: true, sessions: false, events: true })).toEqual({
      meta: { nextSlot: 20 }, job: records('r10', 'w'), wait: [['w', 0, 1], ['r10', 3, 1]], state: { r10: { pr: 3 } }, marker: true,
      schedules: [['s', 20]], schedule: { s: { every: 10 } }, scheduleRuns: { s: { count: 1, last: 'r10' } },
      events: [{ added: 'w', names: 'job', moved: [] }, { added: 'r10', names: 'job', moved: [] }],
    });
  });

  it('fires a slot once, however many processes try', async () => {
    const queue = await scheduled();
    expect(await Promise.all([fire(queue), fire(queue), fire(queue)])).toEqual([1, -1, -1]);
    const before = await queue.exactly();
    expect(await fire(queue)).toBe(-1);
    expect(await queue.exactly()).toEqual(before);
  });

  it('fires no slot of a schedule that was changed or removed meanwhile', async () => {
    const queue = await scheduled();
    await queue.run(upsertSchedule, { id: 's', definition: changed, slot: 10 });
    const before = await queue.exactly();
    expect(await fire(queue)).toBe(-1);
    expect(await queue.exactly()).toEqual(before);
    await queue.run(removeSchedule, { id: 's' });
    expect(await fire(queue)).toBe(-1);
    expect((await queue.state()).job).toBeUndefined();
  });

  it('adds no run a second time', async () => {
    const queue = await scheduled();
    await queue.addSpecial({ id: 'r10' });
    expect(await fire(queue)).toBe(0);
    expect(await queue.state()).toMatchObject({ job: records('r10'), wait: [['r10', 0, 1]], schedules: [['s', expect.any(Number)]] });
  });

  it('skips a run while the one before has not ended, if overlap is to be skipped', async () => {
    const queue = await scheduled();
    await fire(queue);
    expect(await fire(queue, { slot: 20, nextSlot: 30, runs: runs(['r20']), overlap: 'skip' })).toBe(0);
    const { lease } = await queue.take(1);
    expect(await fire(queue, { slot: 30, nextSlot: 40, runs: runs(['r30']), overlap: 'skip' })).toBe(0);
    await queue.settle([end.kept('r10', lease)]);
    expect(await fire(queue, { slot: 40, nextSlot: 50, runs: runs(['r40']), overlap: 'skip' })).toBe(1);
    expect(await queue.snapshot({ exact: true })).toMatchObject({ meta: { nextSlot: 50 }, scheduleRuns: { s: { count: 2, last: 'r40' } } });
  });

  it('makes up for missed runs one after the other, none overlapping if that is to be skipped', async () => {
    const queue = await scheduled();
    expect(await fire(queue, { runs: runs(['r10'], ['r11'], ['r12']) })).toBe(3);
    expect(await queue.order()).toEqual(['r10', 'r11', 'r12']);
    const other = await scheduled();
    expect(await fire(other, { runs: runs(['r10'], ['r11'], ['r12']), overlap: 'skip' })).toBe(1);
  });

  it('ends a schedule after its last slot; the run stays', async () => {
    const queue = await scheduled();
    expect(await fire(queue, { nextSlot: undefined })).toBe(1);
    expect(await queue.state()).toEqual({ job: records('r10'), wait: [['r10', 0, 1]], marker: true });
  });

  it('wakes nobody while the queue is paused', async () => {
    const queue = await scheduled();
    await queue.run(pause, { paused: true });
    await fire(queue);
    expect((await queue.state()).marker).toBeUndefined();
  });

  it('adds 1,000 runs in one call', async () => {
    const queue = await scheduled();
    const all = ids(1000);
    expect(await fire(queue, { runs: runs(...all.map((id): [string] => [id])) })).toBe(1000);
    expect(await queue.order()).toEqual(all);
  });
});

describe('a schedule with a limit that skips overlapping runs', () => {
  it('counts only the runs that were made', async () => {
    const queue = openQueue();
    const producer = new Queue(queue.keys.queue, { connection: String(process.env.REDIS_URL), prefix: queue.keys.prefix });
    onTestFinished(() => producer.close());
    await producer.upsertJobScheduler('s', { every: 10_000, limit: 2, overlap: 'skip' });
    const slotComes = async (): Promise<number> => {
      // Well past: what this process takes for Redis's clock lags by as long as a reply was on its way.
      const slot = (await queue.now()) - 5_000;
      await queue.on('schedules', 'zadd', 'XX', slot, 's');
      await queue.on('meta', 'hset', 'nextSlot', slot);
      await fireDueSchedules(producer.jobs, { failed: (error) => expect.fail(error.message), misread: new Map() });
      return (await producer.getJobScheduler('s'))?.iterationCount ?? -1;
    };
    expect([await slotComes(), await slotComes()]).toEqual([1, 1]);
    const { lease, ids: [first = ''] } = await queue.take(1);
    await queue.settle([end.forgotten(first, lease)]);
    expect([await slotComes(), await slotComes()]).toEqual([2, -1]);
    await queue.on('meta', 'hdel', 'nextSlot');
  });
});

describe('remove-schedule', () => {
  it('ends a schedule; its runs stay', async () => {
    const queue = openQueue();
    await queue.run(upsertSchedule, { id: 's', definition, slot: 10 });
    await queue.run(upsertSchedule, { id: 't', definition, slot: 12 });
    await fire(queue);
    expect(await queue.run(removeSchedule, { id: 's' })).toBe(true);
    const before = await queue.snapshot({ exact: true, sessions: false });
    expect(before).toEqual({
      meta: { nextSlot: 12 }, job: records('r10'), wait: [['r10', 0, 1]], schedules: [['t', 12]], schedule: { t: { every: 10 } }, marker: true,
    });
    expect(await queue.run(removeSchedule, { id: 's' })).toBe(false);
    expect(await queue.snapshot({ exact: true, sessions: false })).toEqual(before);
  });
});
