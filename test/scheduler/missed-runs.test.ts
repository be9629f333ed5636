import { describe, expect, test } from 'vitest';
import { type Job, type Queue, type ScheduleOptions } from 'drover';
import { openQueue, openWorker } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

const slotOf = (job: Job): number => Number(job.id.split(':').at(-1));
const hour = 3_600_000;

/** A schedule whose next slot lies in the past, as after an outage of all workers. */
async function afterOutage(repeat: ScheduleOptions, agoMs: number): Promise<{ queue: Queue; slot: number; now: number }> {
  const queue = openQueue();
  await queue.waitUntilReady();
  const now = Math.round(queue.connection.now);
  const every = repeat.every ?? 1;
  const slot = now - agoMs - ((now - agoMs) % every);
  await queue.upsertJobScheduler('s', { ...repeat, offset: 0 });
  await queue.connection.command('zadd', [queue.toKey('schedules'), slot, 's'], 'seed');
  await queue.connection.command('hset', [queue.toKey('meta'), 'nextSlot', slot], 'seed');
  return { queue, slot, now };
}

/** Lets a worker catch up, until the next slot lies ahead. */
async function caughtUp(queue: Queue, now: number): Promise<number[]> {
  const worker = openWorker(queue, () => undefined, { concurrency: 20 });
  await until('the next slot lies ahead', async () => ((await queue.getJobScheduler('s'))?.next ?? 0) > now);
  await until('all runs are done', async () => (await queue.count()) === 0 && (await queue.getActiveCount()) === 0);
  await worker.close();
  return (await queue.getJobs()).map(slotOf).sort((a, b) => a - b);
}

describe('runs missed in an outage', () => {
  test('are made up for by one, the latest, by default', async () => {
    const { queue, now } = await afterOutage({ every: hour }, 10 * hour + 1_000);
    const slots = await caughtUp(queue, now);
    expect(slots).toEqual([now - (now % hour)]);
  });

  test('are all made up for with `all`, each once, in order', async () => {
    const { queue, slot, now } = await afterOutage({ every: hour, missed: 'all' }, 10 * hour + 1_000);
    const slots = await caughtUp(queue, now);
    expect(slots[0]).toBe(slot);
    expect(slots.at(-1)).toBe(now - (now % hour));
    expect(slots).toEqual(slots.map((_, i) => slot + i * hour));
  });

  test('are all made up for also when they are more than one step', async () => {
    const { queue, slot, now } = await afterOutage({ every: hour, missed: 'all' }, 1_500 * hour);
    const slots = await caughtUp(queue, now);
    expect(slots.length).toBeGreaterThanOrEqual(1_500);
    expect(slots).toEqual(slots.map((_, i) => slot + i * hour));
  });

  test('are dropped with `skip`', async () => {
    const { queue, now } = await afterOutage({ every: 24 * hour, missed: 'skip', offset: 0 }, 240 * hour);
    const inSlot = now % (24 * hour) < 10_000;
    const slots = await caughtUp(queue, now);
    expect(slots).toHaveLength(inSlot ? 1 : 0);
  });

  test('count against the limit', async () => {
    const { queue } = await afterOutage({ every: hour, missed: 'all', limit: 4 }, 10 * hour);
    openWorker(queue, () => undefined);
    await until('the schedule has ended', async () => (await queue.getJobSchedulersCount()) === 0);
    await until('all runs are done', async () => (await queue.getCompletedCount()) === 4);
  });

  test('do not overlap when the schedule forbids it', async () => {
    const { queue, now } = await afterOutage({ every: hour, missed: 'all', overlap: 'skip' }, 5 * hour);
    let running = 0;
    let most = 0;
    const worker = openWorker(queue, async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
    }, { concurrency: 20 });
    await until('the next slot lies ahead', async () => ((await queue.getJobScheduler('s'))?.next ?? 0) > now);
    await until('all runs are done', async () => (await queue.count()) === 0 && (await queue.getActiveCount()) === 0);
    await worker.close();
    expect(most).toBe(1);
  });

  test('after a very long outage do not hold up other schedules', async () => {
    const { queue, now } = await afterOutage({ every: 1_000 }, 30 * 24 * hour);
    await queue.upsertJobScheduler('other', { every: 3_600_000 });
    const worker = openWorker(queue, () => undefined);
    await until('both have run', async () => {
      const keys = (await queue.getCompleted()).map((job) => job.repeatJobKey);
      return keys.includes('s') && keys.includes('other');
    });
    expect(((await queue.getJobScheduler('s'))?.next ?? 0)).toBeGreaterThan(now);
    const made = (await queue.getJobs()).filter((job) => job.repeatJobKey === 's').map(slotOf);
    expect(Math.min(...made)).toBeGreaterThan(now - 60_000);
    await worker.close();
  });
});
