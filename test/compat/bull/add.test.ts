import { describe, expect, test } from 'vitest';
import type Bull from 'drover/bull';
import { refusal } from '../../support/behaviour.js';
import { next, openAnother, openBull } from './support.js';

/** The names of jobs in the order in which one worker runs them. */
async function runAll(queue: Bull.Queue): Promise<unknown[]> {
  const ran: unknown[] = [];
  const drained = next(queue, 'drained');
  void queue.process('*', async (job) => void ran.push(job.name));
  await drained;
  return ran;
}

describe('add', () => {
  test('takes data and options, with or without a name before', async () => {
    const queue = openBull();
    expect(await queue.add({ a: 1 })).toMatchObject({ name: '__default__', data: { a: 1 } });
    expect(await queue.add({ a: 1 }, { delay: 60_000 })).toMatchObject({ name: '__default__', delay: 60_000 });
    expect(await queue.add('mail', { a: 1 })).toMatchObject({ name: 'mail', data: { a: 1 } });
    expect(await queue.add('mail', { a: 1 }, { attempts: 3 })).toMatchObject({ name: 'mail', opts: { attempts: 3 } });
    expect((await queue.add('mail', undefined)).data).toEqual({});
  });

  test('stores what JSON makes of the data', async () => {
    const queue = openBull();
    const when = new Date();
    const { id } = await queue.add({ when, none: undefined, call: () => 1, map: new Map([[1, 2]]) });
    expect((await queue.getJob(id))?.data).toEqual({ when: when.toISOString(), map: {} });
    const falsy = await queue.add(0);
    expect((await queue.getJob(falsy.id))?.data).toBe(0);
  });

  test('gives the text of the data with preventParsingData', async () => {
    const queue = openBull();
    const { id } = await queue.add({ a: 1 }, { preventParsingData: true });
    expect((await queue.getJob(id))?.data).toBe('{"a":1}');
  });

  test('shows options as Bull does, also when they are read back', async () => {
    const queue = openBull<object>({ defaultJobOptions: { attempts: 2, removeOnFail: 5 } });
    const added = await queue.add({}, { backoff: 500, priority: 3, timestamp: 1_000, timeout: 9, jobId: 7 });
    const read = await queue.getJob(7);
    const opts = { attempts: 2, removeOnFail: 5, backoff: { type: 'fixed', delay: 500 }, priority: 3, timestamp: 1_000, delay: 0, timeout: 9 };
    expect(added.opts).toMatchObject(opts);
    expect(read?.opts).toMatchObject(opts);
    expect(added.id).toBe('7');
    const plain = await queue.add({}, { backoff: { type: 'mine', delay: 5, options: { a: [1] } } });
    expect((await queue.getJob(plain.id))?.opts).toEqual({
      attempts: 2, removeOnFail: 5, delay: 0, timestamp: plain.timestamp, backoff: { type: 'mine', delay: 5, options: { a: [1] } },
    });
  });

  test('counts odd numbers as Bull does', async () => {
    const queue = openBull();
    const { opts, delay } = await queue.add({}, { attempts: 0, delay: -5, priority: 2 ** 40 });
    expect({ ...opts, delay }).toMatchObject({ attempts: 1, delay: 0, priority: 2_097_150 });
  });

  test('refuses a misspelt option', async () => {
    expect(await refusal(() => openBull().add({}, { atempts: 3 } as Bull.JobOptions))).toMatchObject({ code: 'UNKNOWN_OPTION' });
  });

  test('resolves with the stored job when its id is taken, and says so', async () => {
    const queue = openBull();
    await queue.add({ first: true }, { jobId: 'a' });
    const told = next(queue, 'duplicated');
    const again = await queue.add({ first: false }, { jobId: 'a' });
    expect(again.data).toEqual({ first: true });
    expect(await told).toEqual(['a']);
    expect(await queue.count()).toBe(1);
  });

  test('debounces', async () => {
    const queue = openBull();
    const first = await queue.add({ n: 1 }, { debounce: { id: 'd', ttl: 60_000 } });
    const told = next(queue, 'debounced');
    const second = await queue.add({ n: 2 }, { debounce: { id: 'd', ttl: 60_000 } });
    expect(second.id).toBe(first.id);
    expect(second.debounceId).toBe('d');
    expect(await told).toEqual([first.id]);
    expect(await queue.removeDebounceKey('d')).toBe(1);
    expect((await queue.add({ n: 3 }, { debounce: { id: 'd' } })).id).not.toBe(first.id);
  });

  test('tells waiting to this queue alone, and not of delayed jobs', async () => {
    const queue = openBull();
    const [here, there]: unknown[][] = [[], []];
    queue.on('waiting', (...args) => void here?.push(args));
    openAnother(queue).on('waiting', (...args) => void there?.push(args));
    const { id } = await queue.add({});
    await queue.add({}, { delay: 60_000 });
    expect(here).toEqual([[id, null]]);
    expect(there).toEqual([]);
  });
});

describe('addBulk', () => {
  test('adds jobs in order, each with its own options', async () => {
    const queue = openBull();
    const jobs = await queue.addBulk([{ name: 'a', data: 1 }, { data: 2, opts: { delay: 60_000 } }, { name: 'c', data: 3 }]);
    expect(jobs.map(({ name, data, delay }) => [name, data, delay])).toEqual([['a', 1, 0], ['__default__', 2, 60_000], ['c', 3, 0]]);
    expect(await queue.getJobCounts()).toMatchObject({ waiting: 2, delayed: 1 });
  });

  test('adds jobs that repeat too', async () => {
    const queue = openBull();
    const jobs = await queue.addBulk([{ name: 'a', data: 1 }, { name: 'b', data: 2, opts: { repeat: { every: 60_000 } } }]);
    expect(jobs.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(await queue.getRepeatableCount()).toBe(1);
  });
});

describe('the order of jobs', () => {
  test('priorities run before jobs without one, lifo before all', async () => {
    const queue = openBull();
    await queue.add('plain', {});
    await queue.add('low', {}, { priority: 10 });
    await queue.add('high', {}, { priority: 1 });
    await queue.add('high 2', {}, { priority: 1 });
    await queue.add('plain 2', {});
    await queue.add('last in', {}, { lifo: true });
    expect((await queue.getWaiting()).map(({ name }) => name)).toEqual(['last in', 'high', 'high 2', 'low', 'plain', 'plain 2']);
    expect((await queue.getWaiting(1, 2)).map(({ name }) => name)).toEqual(['high', 'high 2']);
    expect((await queue.getJobs(['waiting'], 0, 1)).map(({ name }) => name)).toEqual(['plain 2', 'plain']);
    expect(await queue.getCountsPerPriority([1, 10, 0, 5])).toEqual({ 1: 2, 10: 1, 0: 3, 5: 0 });
    expect(await runAll(queue)).toEqual(['last in', 'high', 'high 2', 'low', 'plain', 'plain 2']);
  });
});
