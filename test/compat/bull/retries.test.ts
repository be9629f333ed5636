import { describe, expect, test } from 'vitest';
import type Bull from 'drover/bull';
import { bullDelay } from '../../../src/compat/bull/backoff.js';
import { rejection } from '../../support/behaviour.js';
import { next, openBull } from './support.js';

const delayOf = (backoff: Bull.JobOptions['backoff'], attemptsMade: number): Promise<number> =>
  bullDelay({ opts: { backoff } } as unknown as Bull.Job, attemptsMade, new Error('x'), {});

describe('backoff', () => {
  test('exponential is (2^n − 1) · delay, as in Bull', async () => {
    const delays = await Promise.all([1, 2, 3, 4, 5].map((n) => delayOf({ type: 'exponential', delay: 100 }, n)));
    expect(delays).toEqual([100, 300, 700, 1500, 3100]);
  });

  test('fixed and numbers stay the same', async () => {
    expect(await Promise.all([1, 2].map((n) => delayOf({ type: 'fixed', delay: 7 }, n)))).toEqual([7, 7]);
    expect(await Promise.all([1, 2].map((n) => delayOf(7, n)))).toEqual([7, 7]);
    expect(await delayOf(undefined, 1)).toBe(0);
  });

  test('is what a worker waits', async () => {
    const queue = openBull();
    void queue.process(async () => {
      throw new Error('no');
    });
    const { id } = await queue.add({}, { attempts: 3, backoff: { type: 'exponential', delay: 40_000 } });
    const dueIn = async (): Promise<number> => {
      await next(queue, 'failed');
      const [due = 0] = (await queue.client.zrange(queue.toKey('delayed'), '0', '0', 'WITHSCORES')).slice(1).map(Number);
      return Math.round((due - Date.now()) / 10_000) * 10_000;
    };
    expect(await dueIn()).toBe(40_000);
    const again = dueIn();
    await (await queue.getJob(id))?.promote();
    expect(await again).toBe(120_000);
  });

  test('of one’s own gets attempts, error and options, and stops with -1', async () => {
    const asked: unknown[] = [];
    const queue = openBull({ settings: { backoffStrategies: { mine: (attemptsMade, error, options) => {
      asked.push([attemptsMade, error.message, options]);
      return attemptsMade < 3 ? 1 : -1;
    } } } });
    void queue.process(async () => {
      throw new Error('no');
    });
    const job = await queue.add({}, { attempts: 10, backoff: { type: 'mine', options: { a: 1 } } });
    await rejection(job.finished());
    expect(asked).toEqual([1, 2, 3].map((n) => [n, 'no', { a: 1 }]));
  });

  test('of an unknown name fails the job and says why', async () => {
    const queue = openBull();
    void queue.process(async () => {
      throw new Error('no');
    });
    const job = await queue.add({}, { attempts: 2, backoff: { type: 'unheard' } });
    expect(String(await rejection(job.finished()))).toContain('Unknown backoff strategy unheard');
  });
});

describe('attempts', () => {
  test('count those that failed', async () => {
    const queue = openBull();
    const seen: number[] = [];
    void queue.process(async (job) => {
      seen.push(job.attemptsMade);
      if (job.attemptsMade < 2) throw new Error(`no ${job.attemptsMade}`);
      return 'yes';
    });
    const completed = next(queue, 'completed');
    const { id } = await queue.add({}, { attempts: 5 });
    const [job] = await completed as [Bull.Job];
    expect(seen).toEqual([0, 1, 2]);
    expect(job.attemptsMade).toBe(2);
    expect(await queue.getJob(id)).toMatchObject({ attemptsMade: 2, returnvalue: 'yes' });
  });

  test('are told one by one, with traces', async () => {
    const queue = openBull();
    const told: unknown[] = [];
    queue.on('failed', (job, error) => void told.push([job.attemptsMade, error.message]));
    void queue.process(async (job) => {
      throw new Error(`no ${job.attemptsMade}`);
    });
    const last = next(queue, 'failed', (job: Bull.Job) => job.attemptsMade === 3);
    const added = await queue.add({}, { attempts: 3, stackTraceLimit: 2 });
    expect(await rejection(added.finished())).toEqual(new Error('no 2'));
    await last;
    expect(told).toEqual([[1, 'no 0'], [2, 'no 1'], [3, 'no 2']]);
    const job = await queue.getJob(added.id);
    expect(job).toMatchObject({ attemptsMade: 3, failedReason: 'no 2' });
    expect(job?.stacktrace).toEqual([expect.stringContaining('no 1'), expect.stringContaining('no 2')]);
  });

  test('end with discard', async () => {
    const queue = openBull();
    void queue.process(async (job) => {
      await job.discard();
      throw new Error('never again');
    });
    const failed = next(queue, 'failed');
    const added = await queue.add({}, { attempts: 5 });
    await rejection(added.finished());
    const [job] = await failed as [Bull.Job];
    expect(job.isDiscarded()).toBe(true);
    expect(job.opts.attempts).toBe(5);
    expect(await added.getState()).toBe('failed');
  });

  test('can be changed while the job runs', async () => {
    const queue = openBull();
    void queue.process(async (job) => {
      job.opts.attempts = 1;
      throw new Error('enough');
    });
    const job = await queue.add({}, { attempts: 5 });
    await rejection(job.finished());
    expect((await queue.getJob(job.id))?.attemptsMade).toBe(1);
  });
});
