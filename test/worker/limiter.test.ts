import { expect, test } from 'vitest';
import { addNumbered, openQueue, openWorker, tallyOf } from '../support/behaviour.js';

/** The most starts in any window of that length. */
function mostInWindow(starts: number[], windowMs: number): number {
  const sorted = [...starts].sort((a, b) => a - b);
  return Math.max(...sorted.map((from) => sorted.filter((at) => at >= from && at < from + windowMs).length));
}

test.each([
  { max: 1, duration: 60, concurrency: 1, jobs: 8 },
  { max: 5, duration: 250, concurrency: 1, jobs: 20 },
  { max: 7, duration: 250, concurrency: 20, jobs: 28 },
])('two workers of concurrency $concurrency start at most $max in any $duration ms, by the clock of Redis', async ({ max, duration, concurrency, jobs }) => {
  const queue = openQueue();
  await addNumbered(queue, jobs);
  const workers = [1, 2].map(() => openWorker(queue, () => undefined, { limiter: { max, duration }, concurrency }));
  await tallyOf('completed', ...workers).reached(jobs);
  const starts = (await queue.getCompleted()).map((job) => job.processedOn ?? 0);
  expect(starts).toHaveLength(jobs);
  expect(mostInWindow(starts, duration)).toBeLessThanOrEqual(max);
});

test('a limiter counts retries as starts', async () => {
  const queue = openQueue();
  await queue.add('a', 1, { attempts: 4 });
  const starts: number[] = [];
  const worker = openWorker(queue, (job) => {
    starts.push(job.processedOn ?? 0);
    if (job.attemptsMade < 3) throw new Error('again');
  }, { limiter: { max: 1, duration: 50 } });
  await tallyOf('completed', worker).reached(1);
  expect(mostInWindow(starts, 50)).toBe(1);
});

test('a limiter keeps the order of jobs', async () => {
  const queue = openQueue();
  await addNumbered(queue, 12);
  const seen: number[] = [];
  const worker = openWorker(queue, (job) => void seen.push(job.data as number), { limiter: { max: 3, duration: 40 }, concurrency: 5 });
  await tallyOf('completed', worker).reached(12);
  expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => i));
});

test('a queue’s own limit goes before the worker’s', async () => {
  const queue = openQueue();
  await queue.setGlobalRateLimit(1, 50);
  await addNumbered(queue, 4);
  const worker = openWorker(queue, () => undefined, { limiter: { max: 1_000, duration: 1 }, concurrency: 4 });
  await tallyOf('completed', worker).reached(4);
  expect(mostInWindow((await queue.getCompleted()).map((job) => job.processedOn ?? 0), 50)).toBe(1);
});
