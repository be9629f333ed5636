import { describe, expect, test } from 'vitest';
import { JobScheduler } from 'drover';
import { openQueue, openWorker, redisUrl, refusal } from '../support/behaviour.js';

const hourly = { every: 3_600_000 };

describe('queue.jobScheduler and worker.jobScheduler', () => {
  test('are one each, work on the queue’s schedules, and are closed with who has them', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, null);
    const [ofQueue, ofWorker] = [await queue.jobScheduler, await worker.jobScheduler];
    expect(await queue.jobScheduler).toBe(ofQueue);
    expect(await worker.jobScheduler).toBe(ofWorker);
    await queue.upsertJobScheduler('s', hourly);
    expect(await ofWorker.getScheduler('s')).toEqual(await queue.getJobScheduler('s'));
    await Promise.all([queue.close(), worker.close()]);
    expect([ofQueue, ofWorker].map((each) => each.isClosing())).toEqual([true, true]);
  });

  test('are in the prefix of the queue, and leave its defaults aside, as BullMQ’s do', async () => {
    const queue = openQueue({ prefix: 'shop', defaultJobOptions: { attempts: 7 } });
    const scheduler = await queue.jobScheduler;
    const job = await scheduler.upsertJobScheduler('s', hourly, 'tick', { n: 1 }, { priority: 3 }, { override: true });
    expect(job).toMatchObject({ name: 'tick', data: { n: 1 }, opts: { attempts: 0, priority: 3 }, repeatJobKey: 's' });
    expect((await queue.getJobScheduler('s'))?.template).toEqual({ data: { n: 1 }, opts: { priority: 3 } });
  });
});

describe('a JobScheduler of one’s own', () => {
  test('creates, changes, lists and ends schedules', async () => {
    const queue = openQueue();
    const scheduler = new JobScheduler(queue.name, { connection: redisUrl });
    try {
      for (const id of ['a', 'b']) await scheduler.upsertJobScheduler(id, hourly, id, undefined, {}, { override: true });
      expect([await scheduler.getSchedulersCount(), await scheduler.isJobScheduler('a'), await scheduler.isJobScheduler('c')]).toEqual([2, true, false]);
      expect((await scheduler.getJobSchedulers()).map(({ id }) => id).sort()).toEqual(['a', 'b']);
      expect([await scheduler.removeJobScheduler('a'), await scheduler.removeJobScheduler('a')]).toEqual([0, 1]);
      expect(await scheduler.getScheduler('a')).toBeUndefined();
    } finally {
      await scheduler.close();
    }
  });

  test('without override changes nothing', async () => {
    const queue = openQueue();
    const scheduler = await queue.jobScheduler;
    expect(await scheduler.upsertJobScheduler('s', hourly, 'tick', 1, {}, { override: false })).toBeUndefined();
    expect(await queue.getJobSchedulersCount()).toBe(0);
  });

  test('refuses what cannot be', async () => {
    const scheduler = await openQueue().jobScheduler;
    expect(await refusal(() => scheduler.upsertJobScheduler('', hourly, 'tick', 1, {}, { override: true }))).toMatchObject({ code: 'INVALID_ID' });
    expect(await refusal(() => scheduler.upsertJobScheduler('s', {}, 'tick', 1, {}, { override: true }))).toMatchObject({ code: 'INVALID_SCHEDULE' });
    expect(await refusal(() => scheduler.getJobSchedulers(1.5))).toMatchObject({ code: 'INVALID_OPTION' });
  });
});
