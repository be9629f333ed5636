import { describe, expect, test } from 'vitest';
import { gate } from '../../support/behaviour.js';
import { openAnother, openBull } from './support.js';

describe('limiter', () => {
  test('holds jobs where they wait', async () => {
    const queue = openBull({ limiter: { max: 2, duration: 60_000, bounceBack: true } });
    const two = gate();
    let ran = 0;
    void queue.process(async () => {
      if (++ran === 2) two.open();
    });
    await queue.addBulk([{ data: 1 }, { data: 2 }, { data: 3 }]);
    await two.promise;
    await queue.whenCurrentJobsFinished();
    expect(await queue.getJobCounts()).toMatchObject({ waiting: 1, delayed: 0 });
  });
});

describe('limiter.groupKey', () => {
  const group = (name: string, n: number): { data: object } => ({ data: { network: { handle: name }, n } });

  test('limits each group by itself, over all workers', async () => {
    const limiter = { max: 1, duration: 60_000, groupKey: 'network.handle' };
    const queue = openBull({ limiter });
    const ran: unknown[] = [];
    const three = gate();
    for (const each of [queue, openAnother(queue, { limiter })]) {
      void each.process(3, async (job) => {
        ran.push((job.data as { network?: { handle: string } }).network?.handle);
        if (ran.length === 3) three.open();
      });
    }
    await queue.addBulk([group('a', 1), group('a', 2), group('a', 3), group('b', 1), { data: {} }, { data: {} }]);
    await three.promise;
    await expect.poll(() => queue.getDelayedCount()).toBe(3);
    expect(ran.sort()).toEqual(['a', 'b', undefined]);
    const due = (await queue.client.zrange(queue.toKey('delayed'), '0', '-1', 'WITHSCORES')).filter((_, i) => i % 2 === 1);
    const waits = due.map((at) => Math.round((Number(at) - Date.now()) / 60_000)).sort();
    expect(waits).toEqual([1, 1, 2]);
  });

  test('lets put-off jobs run in their turn, without an attempt', async () => {
    const queue = openBull({ limiter: { max: 1, duration: 150, groupKey: 'g' } });
    const starts: [number, number][] = [];
    const all = gate();
    void queue.process(5, async (job) => {
      starts.push([Date.now(), job.attemptsMade]);
      if (starts.length === 4) all.open();
    });
    await queue.addBulk([1, 2, 3, 4].map((n) => ({ data: { g: 'a', n } })));
    await all.promise;
    const [first = [0, 0]] = starts;
    // The n-th start may not come before n durations have passed; clocks of two processes may differ by a little.
    for (const [n, [at, attempts]] of starts.entries()) {
      expect(at - first[0]).toBeGreaterThanOrEqual(n * 150 - 40);
      expect(attempts).toBe(0);
    }
  });
});
