import { describe, expect, test } from 'vitest';
import { rejection } from '../../support/behaviour.js';
import { next, openBull } from './support.js';

describe('jobs that repeat', () => {
  test('are listed as Bull lists them', async () => {
    const queue = openBull();
    const endDate = Date.now() + 86_400_000;
    await queue.add({ a: 1 }, { repeat: { cron: '15 3 * * *', tz: 'Europe/Berlin', endDate } });
    await queue.add('mail:odd', {}, { repeat: { every: 60_000 }, jobId: 'mine' });
    await queue.add('plain', {}, { repeat: { cron: '0 0 1 1 *' } });
    const next = expect.any(Number);
    const [every, daily, yearly] = [
      { key: 'mail:odd:mine::60000', name: 'mail:odd', id: 'mine', endDate: null, tz: null, cron: null, every: 60_000, next },
      { key: `__default__::${endDate}:Europe/Berlin:15 3 * * *`, name: '__default__', id: null, endDate, tz: 'Europe/Berlin', cron: '15 3 * * *', every: null, next },
      { key: 'plain::::0 0 1 1 *', name: 'plain', id: null, endDate: null, tz: null, cron: '0 0 1 1 *', every: null, next },
    ];
    expect(await queue.getRepeatableJobs(0, -1, true)).toEqual([every, daily, yearly]);
    expect(await queue.getRepeatableJobs()).toEqual([yearly, daily, every]);
    expect(await queue.getRepeatableJobs(1, 1)).toEqual([daily]);
    expect(await queue.getRepeatableJobs(0, 0)).toEqual([yearly]);
    expect(await queue.getRepeatableCount()).toBe(3);
  });

  test('run at multiples of every', async () => {
    const queue = openBull();
    const completed = next(queue, 'completed');
    const first = await queue.add('tick', { a: 1 }, { repeat: { every: 300 }, attempts: 2, removeOnFail: true });
    const { next: slot = 1 } = (await queue.getRepeatableJobs())[0] ?? {};
    expect(slot % 300).toBe(0);
    void queue.process('tick', async (job) => job.data);
    const [job, result] = await completed;
    expect(result).toEqual({ a: 1 });
    expect(job).toMatchObject({ name: 'tick', opts: { attempts: 2, repeat: { every: 300, key: 'tick:::300' } } });
    expect(first.id).toBe(`repeat:tick:::300:${slot}`);
  });

  test('are one however often they are added', async () => {
    const queue = openBull();
    for (let i = 0; i < 3; i++) await queue.add({}, { repeat: { cron: '* * * * *' } });
    await queue.add({}, { repeat: { cron: '* * * * *' }, jobId: 'other' });
    expect(await queue.getRepeatableCount()).toBe(2);
  });

  test('are removed by what they were added with, or by key', async () => {
    const queue = openBull();
    await queue.add({}, { repeat: { cron: '* * * * *', tz: 'UTC' } });
    await queue.add('mail', {}, { repeat: { every: 60_000 }, jobId: 'mine' });
    await queue.add('mail', {}, { repeat: { every: 70_000 } });
    await queue.removeRepeatable({ cron: '* * * * *', tz: 'UTC' });
    await queue.removeRepeatable('mail', { every: 60_000, jobId: 'mine' });
    expect((await queue.getRepeatableJobs()).map(({ every }) => every)).toEqual([70_000]);
    await queue.removeRepeatableByKey('mail:::70000');
    expect(await queue.getRepeatableCount()).toBe(0);
  });

  test('end with their limit', async () => {
    const queue = openBull();
    let ran = 0;
    void queue.process(async () => void ran++);
    const completed = next(queue, 'completed');
    await queue.add({}, { repeat: { every: 50, limit: 1 } });
    await completed;
    expect(ran).toBe(1);
    expect(await queue.getRepeatableCount()).toBe(0);
  });

  test('that have ended before they began resolve with nothing, as in Bull', async () => {
    const queue = openBull();
    expect(await queue.add({}, { repeat: { every: 50, endDate: Date.now() - 1 } })).toBe(undefined);
    expect(await queue.add({}, { repeat: { every: 50, limit: 1, count: 1 } })).toBe(undefined);
    expect(await queue.getRepeatableCount()).toBe(0);
  });

  test('need either cron or every', async () => {
    const queue = openBull();
    expect(await rejection(queue.add({}, { repeat: { cron: '* * * * *', every: 5 } as never })))
      .toEqual(new Error('Both .cron and .every options are defined for this repeatable job'));
    expect(await rejection(queue.add({}, { repeat: { cron: 'odd' } }))).toMatchObject({ code: 'INVALID_SCHEDULE' });
  });

  test('nextRepeatableJob goes on only with what still repeats', async () => {
    const queue = openBull();
    const opts = { repeat: { every: 60_000 } };
    expect(await queue.nextRepeatableJob('a', {}, opts)).toBe(undefined);
    const added = await queue.nextRepeatableJob('a', {}, opts, true);
    expect((await queue.nextRepeatableJob('a', {}, opts))?.id).toBe(added?.id);
  });
});
