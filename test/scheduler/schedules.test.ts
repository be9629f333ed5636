import { describe, expect, test, vi } from 'vitest';
import { type Job, type Queue, type ScheduleOptions } from 'drover';
import { addNumbered, finished, once, openQueue, openWorker, refusal, Tally, tallyOf } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

const slotOf = (job: Job): number => Number(job.id.split(':').at(-1));

/** All jobs of the queue, whatever their state. */
const runsOf = async (queue: Queue): Promise<Job[]> => queue.getJobs();

describe('a template', () => {
  test('cannot give what the scheduler gives', async () => {
    const queue = openQueue();
    for (const opts of [{ delay: 5 }, { deduplication: { id: 'x' } }, { jobId: 'j' }, { repeat: {} }, { parent: { id: 'p', queue: 'q:q' } }] as object[]) {
      expect(await refusal(() => queue.upsertJobScheduler('s', { every: 1000 }, { opts }))).toMatchObject({ code: 'INVALID_OPTION', field: `jobTemplate.opts.${Object.keys(opts)[0]}` });
    }
    expect(await queue.getJobSchedulersCount()).toBe(0);
  });

  test('takes the queue’s defaults, but for a delay and a deduplication, which are for other jobs', async () => {
    const queue = openQueue({ defaultJobOptions: { attempts: 3, delay: 100_000, deduplication: { id: 'one' } } as object });
    const done = tallyOf('completed', openWorker(queue, () => undefined));
    const next = await queue.upsertJobScheduler('s', { every: 20, limit: 2 });
    expect(next.opts).toMatchObject({ attempts: 3 });
    await done.reached(2);
    expect(done.seen.map(({ opts, delay, deduplicationId }) => [opts.attempts, opts.delay, delay, deduplicationId])).toEqual([1, 2].map(() => [3, undefined, 0, undefined]));
  });
});

describe('every', () => {
  test('runs at once, then every so often from there; ids name schedule and slot', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    const done = tallyOf('completed', worker);
    const first = await queue.upsertJobScheduler('tick', { every: 60, missed: 'all' });
    await done.reached(5);
    await queue.removeJobScheduler('tick');
    const slots = done.seen.map(slotOf);
    expect(done.seen[0]?.id).toBe(first.id);
    for (const job of done.seen) {
      expect(job.id).toMatch(/^repeat:tick:\d+$/);
      expect(job).toMatchObject({ name: 'tick', repeatJobKey: 'tick' });
      expect((slotOf(job) - (slots[0] ?? 0)) % 60).toBe(0);
      expect(job.processedOn).toBeGreaterThanOrEqual(slotOf(job));
    }
    expect(new Set(slots).size).toBe(slots.length);
  });

  test('with an offset runs at the multiples of the interval plus it', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    const done = tallyOf('completed', worker);
    await queue.upsertJobScheduler('tick', { every: 50, offset: 20 });
    await done.reached(3);
    await queue.removeJobScheduler('tick');
    for (const job of done.seen) expect(slotOf(job) % 50).toBe(20);
  });

  test('stops after its limit', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    await queue.upsertJobScheduler('tick', { every: 20, limit: 3 });
    await until('the schedule has ended', async () => (await queue.getJobSchedulersCount()) === 0);
    await until('all runs are done', async () => (await queue.getCompletedCount()) === 3);
    await worker.close();
    expect(await runsOf(queue)).toHaveLength(3);
  });

  test('does not run before its start nor after its end', async () => {
    const queue = openQueue();
    await queue.waitUntilReady();
    const now = Math.round(queue.connection.now);
    const [startDate, endDate] = [now + 150, now + 400];
    openWorker(queue, () => undefined);
    await queue.upsertJobScheduler('tick', { every: 50, startDate, endDate });
    await until('the schedule has ended', async () => (await queue.getJobSchedulersCount()) === 0);
    const slots = (await runsOf(queue)).map(slotOf);
    expect(slots.length).toBeGreaterThanOrEqual(1);
    expect(Math.min(...slots)).toBeGreaterThanOrEqual(startDate);
    expect(Math.max(...slots)).toBeLessThanOrEqual(endDate);
  });
});

describe('cron', () => {
  test('runs at its seconds, in its zone', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    const done = tallyOf('completed', worker);
    await queue.upsertJobScheduler('tick', { pattern: '* * * * * *', tz: 'Europe/Berlin' });
    await done.reached(2);
    await queue.removeJobScheduler('tick');
    for (const job of done.seen) {
      expect(slotOf(job) % 1_000).toBe(0);
      expect(job.processedOn).toBeGreaterThanOrEqual(slotOf(job));
    }
  });

  test('immediately runs once at once, then by the pattern', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    const done = tallyOf('completed', worker);
    await queue.upsertJobScheduler('yearly', { pattern: '0 0 1 1 *', tz: 'UTC', immediately: true });
    await done.reached(1);
    await until('the next slot is stored', async () => {
      const next = (await queue.getJobScheduler('yearly'))?.next ?? 0;
      return new Date(next).getUTCMonth() === 0 && new Date(next).getUTCDate() === 1;
    });
    expect(await runsOf(queue)).toHaveLength(1);
  });

  test.each(['0 0 31 2 *', '0 0 30 2 *', '0 0 31 4,6,9,11 *', '*/0 * * * *', '*/-1 * * * *', '60 * * * *', '', ' ', 'x'.repeat(100_000), '1-31/999999999 99 * * *', '* * * * *\u0000'])(
    'refuses %.30j at once and stores nothing', async (pattern) => {
      const queue = openQueue();
      expect(await refusal(() => queue.upsertJobScheduler('s', { pattern }))).toMatchObject({ code: 'INVALID_SCHEDULE' });
      expect(await queue.getJobSchedulersCount()).toBe(0);
    },
  );

  test.each<[string, ScheduleOptions]>([
    ['a zone that is a path', { pattern: '* * * * *', tz: '../etc' }], ['a zone that is none', { pattern: '* * * * *', tz: 'Mars/Olympus' }],
    ['every 0', { every: 0 }], ['every -5', { every: -5 }], ['every 1.5', { every: 1.5 }], ['every NaN', { every: NaN }], ['both', { every: 5, pattern: '* * * * *' }],
    ['neither', {}], ['an end before its start', { every: 5, startDate: 2_000, endDate: 1_000 }], ['an end in the past', { every: 5, endDate: 1_000 }],
    ['a date that is none', { every: 5, startDate: 'tomorrow-ish' }], ['a start in the year 275761', { every: 5, startDate: 8.65e15 }],
    ['a pattern with an offset', { pattern: '* * * * *', offset: 5 }],
  ])('refuses %s', async (_name, repeat) => {
    const queue = openQueue();
    expect(await refusal(() => queue.upsertJobScheduler('s', repeat))).toMatchObject({ code: 'INVALID_SCHEDULE' });
    expect(await queue.getJobSchedulersCount()).toBe(0);
  });
});

describe('upsert', () => {
  test('of the same definition by many queues at once makes one schedule and one run', async () => {
    const queue = openQueue();
    const queues = Array.from({ length: 8 }, () => openQueue({}, queue.name));
    const handles = await Promise.all(queues.map((one) => one.upsertJobScheduler('daily', { every: 86_400_000 }, { data: { a: 1 } })));
    expect(new Set(handles.map((job) => job.id)).size).toBe(1);
    expect(await queue.getJobSchedulersCount()).toBe(1);
    const worker = openWorker(queue, () => undefined);
    await finished(worker, handles[0]?.id ?? '');
    await Promise.all(queues.map((one) => one.upsertJobScheduler('daily', { every: 86_400_000 }, { data: { a: 1 } })));
    const marker = await queue.add('marker', 1);
    await finished(worker, marker.id);
    expect(await runsOf(queue)).toHaveLength(2);
  });

  test('of another definition replaces it', async () => {
    const queue = openQueue();
    await queue.upsertJobScheduler('s', { pattern: '0 0 1 1 *', tz: 'UTC' }, { name: 'old', data: 1 });
    await queue.upsertJobScheduler('s', { pattern: '0 0 2 1 *', tz: 'UTC' }, { name: 'new', data: 2 });
    expect(await queue.getJobSchedulers()).toMatchObject([{ id: 's', name: 'new', pattern: '0 0 2 1 *', template: { data: 2 } }]);
    expect(new Date((await queue.getJobScheduler('s'))?.next ?? 0).getUTCDate()).toBe(2);
  });

  test('answers the next run', async () => {
    const queue = openQueue();
    const job = await queue.upsertJobScheduler('s', { pattern: '0 0 1 1 *', tz: 'UTC' }, { name: 'report', data: { x: 1 }, opts: { attempts: 3 } });
    const next = (await queue.getJobScheduler('s'))?.next;
    expect(job).toMatchObject({ id: `repeat:s:${next}`, name: 'report', data: { x: 1 }, repeatJobKey: 's' });
    expect(job.opts).toMatchObject({ attempts: 3 });
    expect(job.delay).toBeGreaterThan(0);
  });

  test('by a process whose clock is an hour off counts from the clock of Redis', async () => {
    const real = Date.now.bind(Date);
    for (const skew of [3_600_000, -3_600_000]) {
      const queue = openQueue({ connection: { host: new URL((await import('../support/behaviour.js')).redisUrl).hostname, port: Number(new URL((await import('../support/behaviour.js')).redisUrl).port), connectionName: `skewed${skew}` } });
      const clock = vi.spyOn(Date, 'now').mockImplementation(() => real() + skew);
      try {
        const job = await queue.upsertJobScheduler('s', { every: 100_000_000 });
        expect(Math.abs(slotOf(job) - real())).toBeLessThan(60_000);
        const added = await queue.add('a', 1);
        expect(Math.abs(added.timestamp - real())).toBeLessThan(60_000);
      } finally {
        clock.mockRestore();
      }
    }
  });
});

describe('runs', () => {
  test('are made of the template and the defaults of the queue', async () => {
    const queue = openQueue({ defaultJobOptions: { attempts: 2, removeOnFail: 7 } });
    const worker = openWorker(queue, () => undefined);
    const done = tallyOf('completed', worker);
    const when = new Date('2026-01-01');
    await queue.upsertJobScheduler('s', { every: 100_000 }, { name: 'report', data: { when, list: [1n] }, opts: { attempts: 5, priority: 3 } });
    await done.reached(1);
    const [run] = done.seen;
    expect(run).toMatchObject({ name: 'report', data: { when, list: [1n] }, priority: 3 });
    expect(run?.opts).toMatchObject({ attempts: 5, removeOnFail: 7 });
  });

  test.each([5, { type: 'fixed', delay: 5 }])('retry with the template’s backoff %j', async (backoff) => {
    const queue = openQueue();
    const worker = openWorker(queue, (job) => {
      if (job.attemptsMade === 0) throw new Error('once');
    });
    const done = tallyOf('completed', worker);
    await queue.upsertJobScheduler('s', { every: 100_000 }, { opts: { attempts: 3, backoff } });
    await done.reached(1);
    expect(done.seen[0]?.attemptsMade).toBe(2);
  });

  test('go on when one of them fails', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => {
      throw new Error('no');
    });
    const failed = tallyOf('failed', worker);
    await queue.upsertJobScheduler('s', { every: 30 });
    await failed.reached(3);
  });

  test('survive the removal of a run, and of all jobs', async () => {
    const queue = openQueue();
    await queue.upsertJobScheduler('s', { every: 40 });
    const worker = openWorker(queue, () => undefined);
    const done = tallyOf('completed', worker);
    await done.reached(1);
    await queue.drain(true);
    await queue.clean(0, 0, 'completed');
    await done.reached(4);
    expect(await queue.getJobSchedulersCount()).toBe(1);
  });

  test('do not overlap when the schedule says so', async () => {
    const queue = openQueue();
    let running = 0;
    const most: number[] = [];
    const starts = new Tally<number>();
    const worker = openWorker(queue, async () => {
      most.push(++running);
      starts.add(running);
      await new Promise((resolve) => setTimeout(resolve, 120));
      running--;
    }, { concurrency: 5 });
    await queue.upsertJobScheduler('s', { every: 30, overlap: 'skip' });
    await starts.reached(4);
    await worker.close();
    expect(Math.max(...most)).toBe(1);
  });
});

describe('removal', () => {
  test('ends the schedule and leaves its runs', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    const done = tallyOf('completed', worker);
    await queue.upsertJobScheduler('s', { every: 30 });
    await done.reached(2);
    expect(await queue.removeJobScheduler('s')).toBe(true);
    expect(await queue.removeJobScheduler('s')).toBe(false);
    expect(await queue.getJobScheduler('s')).toBeUndefined();
    await worker.close();
    expect((await runsOf(queue)).length).toBeGreaterThanOrEqual(2);
    const keys = ['schedules', 'schedule', 'scheduleRuns'].map((key) => queue.toKey(key));
    expect(await queue.connection.command('exists', keys, 'look')).toBe(0);
    expect((await queue.getMeta())['nextSlot']).toBeUndefined();
  });
});

describe('views', () => {
  test('show what was asked for and what comes next', async () => {
    const queue = openQueue();
    const startDate = Date.now() + 1_000_000;
    await queue.upsertJobScheduler('a', { every: 60_000, startDate, endDate: startDate + 10_000_000, limit: 9 }, { name: 'n', data: { x: 1 }, opts: { attempts: 2 } });
    expect(await queue.getJobScheduler('a')).toMatchObject({
      id: 'a', key: 'a', name: 'n', every: 60_000, startDate, endDate: startDate + 10_000_000, limit: 9, iterationCount: 0, next: startDate,
      template: { data: { x: 1 }, opts: { attempts: 2 } },
    });
    expect(await queue.getJobScheduler('nobody')).toBeUndefined();
  });

  test('page by the next slot, either way', async () => {
    const queue = openQueue();
    for (const [i, id] of ['a', 'b', 'c'].entries()) {
      await queue.upsertJobScheduler(id, { every: 1_000, startDate: Date.now() + (i + 1) * 1_000_000 });
    }
    const ids = async (...args: [number?, number?, boolean?]): Promise<string[]> => (await queue.getJobSchedulers(...args)).map(({ id }) => id);
    expect(await ids(0, -1, true)).toEqual(['a', 'b', 'c']);
    expect(await ids()).toEqual(['c', 'b', 'a']);
    expect(await ids(1, 1, true)).toEqual(['b']);
    expect(await queue.getJobSchedulersCount()).toBe(3);
  });

  test('count the runs', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    await queue.upsertJobScheduler('s', { every: 30 });
    await tallyOf('completed', worker).reached(3);
    expect((await queue.getJobScheduler('s'))?.iterationCount).toBeGreaterThanOrEqual(3);
  });
});

test('ids that start and end with odd characters make runs of their own', async () => {
  const queue = openQueue();
  const worker = openWorker(queue, () => undefined);
  const done = tallyOf('completed', worker);
  for (const id of ['__proto__', 'a:b', 'x y', '日本']) await queue.upsertJobScheduler(id, { every: 1_000_000 });
  await done.reached(4);
  expect(done.seen.map((job) => job.repeatJobKey).sort()).toEqual(['__proto__', 'a:b', 'x y', '日本'].sort());
});

test('a paused queue creates runs but hands none out', async () => {
  const queue = openQueue();
  await queue.pause();
  const worker = openWorker(queue, () => undefined);
  await once(worker, 'ready');
  await queue.upsertJobScheduler('s', { every: 20 });
  await until('some runs wait', async () => (await queue.getWaitingCount()) >= 2);
  expect(await queue.getCompletedCount()).toBe(0);
  await addNumbered(queue, 0);
});
