import { describe, expect, test } from 'vitest';
import type { RepeatStrategy } from 'drover';
import { once, openQueue, openWorker, refusal, tallyOf } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

/** Every 20 ms, whatever the pattern says. */
const often: RepeatStrategy = (millis) => millis + 20;
const slotOf = (id: string): number => Number(id.split(':').at(-1));

describe('a repeatStrategy', () => {
  test('says the first time for the queue and the next ones for the worker, with what BullMQ gives it', async () => {
    const asked: [who: string, millis: number, opts: unknown, name: string | undefined][] = [];
    const strategy = (who: string): RepeatStrategy => (millis, opts, name) => {
      asked.push([who, millis, opts, name]);
      return millis + 20;
    };
    const queue = openQueue({ settings: { repeatStrategy: strategy('queue') } });
    const worker = openWorker(queue, () => undefined, { settings: { repeatStrategy: strategy('worker') } });
    const done = tallyOf('completed', worker);
    const first = await queue.upsertJobScheduler('s', { pattern: 'now and then', limit: 3 }, { name: 'n' });
    await done.reached(3);
    expect(asked.map(([who, , opts, name]) => [who, opts, name])).toEqual([
      ['queue', { pattern: 'now and then', limit: 3 }, 'n'],
      ['worker', { pattern: 'now and then', limit: 3, count: 1 }, 'n'], ['worker', { pattern: 'now and then', limit: 3, count: 2 }, 'n'],
    ]);
    expect(done.seen.map(({ id }) => slotOf(id))).toEqual(asked.map(([, millis]) => millis + 20));
    expect(done.seen[0]?.id).toBe(first.id);
    await until('the schedule has ended', async () => (await queue.getJobSchedulersCount()) === 0);
  });

  test('may answer later', async () => {
    const settings = { repeatStrategy: async (millis: number) => Promise.resolve(millis + 20) };
    const queue = openQueue({ settings });
    const done = tallyOf('completed', openWorker(queue, () => undefined, { settings }));
    await queue.upsertJobScheduler('s', { pattern: 'x' });
    await done.reached(2);
  });

  test('is missed by a worker that lacks it: it says so and leaves the schedule to those that have it', async () => {
    const queue = openQueue({ settings: { repeatStrategy: often } });
    const without = openWorker(queue, () => undefined);
    const heard = once<[{ code: string; message: string }]>(without, 'error');
    await queue.upsertJobScheduler('s', { pattern: '* * * * * *', limit: 2 });
    expect((await heard)[0]).toMatchObject({ code: 'INVALID_SCHEDULE', message: expect.stringMatching(/schedule "?s"? .*repeatStrategy.*every worker/) });
    expect(await queue.getJobSchedulersCount()).toBe(1);
    openWorker(queue, () => undefined, { settings: { repeatStrategy: often } });
    await until('the schedule has ended', async () => (await queue.getJobSchedulersCount()) === 0);
    await until('both runs are done', async () => (await queue.getCompletedCount()) === 2);
  });

  test('of a worker alone is asked for patterns that the queue read as cron', async () => {
    const queue = openQueue();
    const asked: number[] = [];
    const worker = openWorker(queue, () => undefined, { settings: { repeatStrategy: (millis) => void asked.push(millis) } });
    const done = tallyOf('completed', worker);
    await queue.upsertJobScheduler('s', { pattern: '0 0 1 1 *', immediately: true });
    await done.reached(1);
    await until('the schedule has ended', async () => (await queue.getJobSchedulersCount()) === 0);
    expect(asked).toHaveLength(1);
  });

  test('heeds start and end, and is not asked for intervals', async () => {
    const asked: number[] = [];
    const settings = { repeatStrategy: (millis: number) => asked.push(millis) && millis + 200 };
    const queue = openQueue({ settings });
    const worker = openWorker(queue, () => undefined, { settings });
    await queue.waitUntilReady();
    const now = Math.round(queue.connection.now);
    const [startDate, endDate] = [now + 400, now + 1400];
    await queue.upsertJobScheduler('s', { pattern: 'x', startDate, endDate });
    await until('the schedule has ended', async () => (await queue.getJobSchedulersCount()) === 0);
    const slots = (await queue.getJobs()).map(({ id }) => slotOf(id)).sort();
    expect(slots.length).toBeGreaterThan(0);
    expect(slots.filter((slot) => slot < startDate || slot > endDate)).toEqual([]);
    const before = asked.length;
    const done = tallyOf('completed', worker);
    await queue.upsertJobScheduler('e', { every: 20, limit: 2 });
    await done.reached(2);
    expect(asked).toHaveLength(before);
  });

  test('that throws, or answers no time, fails the upsert and changes nothing', async () => {
    const answers: unknown[] = [undefined, null, NaN, Infinity, -1, '5'];
    for (const answer of answers) {
      const queue = openQueue({ settings: { repeatStrategy: () => answer as number } });
      expect(await refusal(() => queue.upsertJobScheduler('s', { pattern: 'x' }))).toMatchObject({ code: 'INVALID_SCHEDULE', field: 'settings.repeatStrategy' });
      expect(await queue.getJobSchedulersCount()).toBe(0);
    }
    const queue = openQueue({ settings: { repeatStrategy: () => { throw new RangeError('boom'); } } });
    await expect(queue.upsertJobScheduler('s', { pattern: 'x' })).rejects.toThrow(new RangeError('boom'));
  });

  test('that fails while it runs is reported, is asked again later, and holds up no other schedule', async () => {
    const wrong: Record<string, RepeatStrategy> = {
      throws: () => { throw new Error('boom'); },
      'answers the past': (millis) => millis,
    };
    for (const [how, repeatStrategy] of Object.entries(wrong)) {
      const queue = openQueue({ settings: { repeatStrategy: often } });
      const worker = openWorker(queue, () => undefined, { settings: { repeatStrategy } });
      const heard = once<[{ code: string; message: string }]>(worker, 'error');
      const done = tallyOf('completed', worker);
      await queue.upsertJobScheduler('s', { pattern: how });
      await queue.upsertJobScheduler('t', { every: 20, limit: 3 });
      expect((await heard)[0]).toMatchObject({ code: 'INVALID_SCHEDULE', message: expect.stringMatching(/boom|not after/) });
      await done.reached(3);
      expect(done.seen.map(({ name }) => name)).toEqual(['t', 't', 't']);
      expect((await queue.getJobSchedulers()).map(({ id }) => id)).toEqual(['s']);
    }
  });

  test('goes with neither an interval, an offset nor missed: all', async () => {
    const queue = openQueue({ settings: { repeatStrategy: often } });
    for (const repeat of [{ pattern: 'x', every: 5 }, { pattern: 'x', offset: 5 }, { pattern: 'x', missed: 'all' as const }, { pattern: '' }]) {
      expect(await refusal(() => queue.upsertJobScheduler('s', repeat))).toMatchObject({ code: 'INVALID_SCHEDULE' });
    }
    expect(await refusal(() => Promise.resolve(openQueue({ settings: { repeatStrategy: 5 as never } })))).toMatchObject({ code: 'INVALID_OPTION' });
  });
});
