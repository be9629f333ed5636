import { describe, expect, test } from 'vitest';
import type Bull from 'drover/bull';
import { gate } from '../../support/behaviour.js';
import { listening, next, openAnother, openBull } from './support.js';

describe('local events', () => {
  test('tell of a job that ends well', async () => {
    const queue = openBull();
    const told: unknown[][] = [];
    for (const event of ['waiting', 'active', 'completed', 'drained'] as const) {
      queue.on(event as string, (...args: unknown[]) => void told.push([event, ...args]));
    }
    const result = { a: 1, call: () => 1 };
    const { id } = await queue.add({});
    const drained = next(queue, 'drained');
    void queue.process(async () => result);
    await drained;
    const job = expect.objectContaining({ id });
    expect(told).toEqual([
      ['waiting', id, null],
      ['active', job, expect.any(Promise), 'waiting'],
      ['completed', job, result, 'active'],
      ['drained'],
    ]);
  });

  test('tell of a job that fails', async () => {
    const queue = openBull();
    const failed = next(queue, 'failed');
    const error = new Error('no');
    void queue.process(() => Promise.reject(error));
    const { id } = await queue.add({});
    const told = await failed;
    expect(told).toEqual([expect.objectContaining({ id, failedReason: 'no', attemptsMade: 1 }), error, 'active']);
    expect(told[1]).toBe(error);
  });

  test('tell only of what this queue’s own processors do', async () => {
    const [queue, told] = [openBull(), [] as unknown[]];
    openAnother(queue).on('completed', () => void told.push('completed')).on('active', () => void told.push('active'));
    const completed = next(queue, 'completed');
    void queue.process(async () => undefined);
    await queue.add({});
    await completed;
    expect(told).toEqual([]);
  });

  test('tell of pauses, cleaning and closing', async () => {
    const queue = openBull();
    const told: unknown[][] = [];
    for (const event of ['paused', 'resumed', 'cleaned', 'close']) queue.on(event, (...args) => void told.push([event, ...(args as unknown[])]));
    const { id } = await queue.add({});
    await queue.pause();
    await queue.resume();
    await queue.clean(-1_000 + 1_000, 'wait');
    await queue.close();
    expect(told).toEqual([['paused'], ['resumed'], ['cleaned', [id], 'wait'], ['close']]);
  });

  test('tell of a job whose worker disappeared, and of its death', async () => {
    const queue = openBull({ settings: { lockDuration: 150, maxStalledCount: 0, stalledInterval: 100 } });
    const doomed = openAnother(queue, { settings: { lockDuration: 100 } });
    const { id } = await queue.add({});
    const taken = await doomed.getNextJob();
    expect(await taken?.extendLock(1)).toBe(1);
    const [stalled, failed] = [next(queue, 'stalled'), next(queue, 'failed')];
    void queue.process(async () => undefined);
    expect(await stalled).toEqual([expect.objectContaining({ id })]);
    expect(await failed).toEqual([expect.objectContaining({ id }), new Error('job stalled more than allowable limit'), 'active']);
  });

  test('that nobody listens to harm nobody', async () => {
    const queue = openBull({ redis: { host: '127.0.0.1', port: 1, retryStrategy: () => null } });
    queue.fault(new Error('unheard'));
    await queue.close(true);
  });

  test('survive a listener that throws', async () => {
    const queue = openBull();
    const told = next(queue, 'error');
    queue.on('completed', () => {
      throw new Error('in a listener');
    });
    const completed = next(queue, 'completed');
    void queue.process(async () => undefined);
    await queue.add({});
    await completed;
    expect(await told).toEqual([new Error('in a listener')]);
  });
});

describe('global events', () => {
  test('tell every queue of the name, with ids and JSON', async () => {
    const queue = openBull<{ fail?: boolean }>();
    const there = openAnother(queue);
    const told: unknown[][] = [];
    const end = gate();
    for (const event of ['waiting', 'active', 'progress', 'completed', 'failed']) {
      await listening(there, `global:${event}`, (...args: unknown[]) => {
        told.push([event, ...args]);
        if (event === 'failed') end.open();
      });
    }
    void queue.process(async (job) => {
      await job.progress(10);
      if (job.data.fail) throw new Error('no');
      return { a: 0 };
    });
    const well = await queue.add({});
    const badly = await queue.add({ fail: true });
    await end.promise;
    const of = (id: Bull.JobId): unknown[] => told.filter((args) => args[1] === id);
    expect(of(well.id)).toEqual([['waiting', well.id, null], ['active', well.id, 'waiting'], ['progress', well.id, 10], ['completed', well.id, '{"a":0}', 'active']]);
    expect(of(badly.id)).toEqual([['waiting', badly.id, null], ['active', badly.id, 'waiting'], ['progress', badly.id, 10], ['failed', badly.id, 'no', 'active']]);
  });

  test('tell of pauses, removals, duplicates and cleaning', async () => {
    const queue = openBull();
    const there = openAnother(queue);
    const told: unknown[][] = [];
    const all = gate();
    for (const event of ['paused', 'resumed', 'removed', 'duplicated', 'debounced']) {
      await listening(there, `global:${event}`, (...args: unknown[]) => {
        told.push([event, ...args]);
        if (told.length === 5) all.open();
      });
    }
    await queue.pause();
    await queue.resume();
    const job = await queue.add({}, { jobId: 'a', debounce: { id: 'd' } });
    await queue.add({}, { jobId: 'a' });
    await queue.add({}, { debounce: { id: 'd' } });
    await job.remove();
    await all.promise;
    expect(told).toEqual([['paused'], ['resumed'], ['duplicated', 'a'], ['debounced', 'a'], ['removed', 'a']]);
  });

  test('are read only once someone listens', async () => {
    const queue = openBull();
    await queue.isReady();
    expect(await queue.engine.getQueueEvents()).toEqual([]);
    await listening(queue, 'global:completed');
    await expect.poll(() => queue.engine.getQueueEvents()).toHaveLength(1);
  });
});
