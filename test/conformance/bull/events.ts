import type { EventEmitter } from 'node:events';
import type Bull from 'drover/bull';
import { once } from '../observe.js';
import type { Scenarios } from './bench.js';

/** Bull's `global:` events, and what `settings`, `limiter` and `repeat` do. */

const globalEvents = ['waiting', 'active', 'progress', 'completed', 'failed', 'delayed', 'stalled', 'removed', 'paused', 'resumed', 'cleaned', 'drained', 'duplicated', 'debounced'];

/** What is told as `global:` events of one queue by another one. */
async function heardGlobally(queue: Bull.Queue): Promise<unknown[][]> {
  const heard: unknown[][] = [];
  // Bull waits for this client with listeners of its own for each of these events, and Node would warn of a leak.
  (queue as unknown as { eclient?: EventEmitter }).eclient?.setMaxListeners(0);
  for (const event of globalEvents) queue.on(`global:${event}`, (...args: unknown[]) => void heard.push([event, ...args]));
  await queue.isReady();
  // Neither library tells when it has begun to listen.
  await pause(150);
  return heard;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => {
  setTimeout(resolve, ms);
});

export const events: Scenarios = {
  'global events of a job that goes well, and of one that fails': async (bench) => {
    const watcher = bench.queue();
    const heard = await heardGlobally(watcher);
    const queue = bench.queue();
    await queue.isReady();
    const failed = once(watcher, 'global:failed');
    const completed = once(watcher, 'global:completed');
    bench.process(queue, async (job: Bull.Job<{ bad: boolean }>) => {
      await job.progress({ done: 5 });
      if (job.data.bad) throw new Error('no');
      return { ok: 1 };
    });
    await queue.add({ bad: false }, { jobId: 'x' });
    await completed;
    await queue.add({ bad: true }, { jobId: 'y', attempts: 2 });
    await failed;
    await pause(100);
    // Bull misses `waiting` of a job that a worker takes at once.
    return heard.filter(([event]) => event !== 'drained' && event !== 'waiting');
  },
  'global events of the queue': async (bench) => {
    const watcher = bench.queue();
    const heard = await heardGlobally(watcher);
    const queue = bench.queue();
    await queue.pause();
    await queue.add(1, { jobId: 'a' });
    await queue.add(1, { jobId: 'a' });
    await queue.add(1, { jobId: 'late', delay: 100_000 });
    await (await queue.getJob('late'))?.remove();
    await queue.resume();
    await pause(200);
    return heard.filter(([event]) => event !== 'drained');
  },
  'a job that stalls': async (bench) => {
    const watcher = bench.queue();
    const heard = await heardGlobally(watcher);
    const lost = bench.queue({ settings: { lockDuration: 100, lockRenewTime: 100_000, stalledInterval: 0 } });
    await lost.isReady();
    await lost.add(1, { jobId: 'x' });
    await lost.getNextJob();
    await pause(150);
    const queue = bench.queue({ settings: { stalledInterval: 100 } });
    const completed = once(watcher, 'global:completed');
    bench.process(queue, async () => 'done');
    await completed;
    return heard.filter(([event]) => event === 'stalled' || event === 'completed');
  },
  'a job that stalls more often than it may': async (bench) => {
    const watcher = bench.queue();
    const heard = await heardGlobally(watcher);
    const lost = bench.queue({ settings: { lockDuration: 100, lockRenewTime: 100_000, stalledInterval: 0 } });
    await lost.add(1, { jobId: 'x' });
    await (await lost.getNextJob())?.extendLock(100);
    await pause(150);
    const queue = bench.queue({ settings: { stalledInterval: 100, maxStalledCount: 0 } });
    const failed = once(watcher, 'global:failed');
    bench.process(queue, async () => 'never');
    await failed;
    const job = await queue.getJob('x');
    return [heard.filter(([event]) => event === 'failed'), job?.failedReason, await job?.getState(), job?.attemptsMade];
  },
  'backoffStrategies of the settings': async (bench) => {
    const seen: unknown[] = [];
    const queue = bench.queue({
      settings: {
        backoffStrategies: {
          own: (attemptsMade: number, error: Error, options?: unknown) => {
            seen.push([attemptsMade, error.message, options]);
            return 5;
          },
          never: () => -1,
        },
      },
    });
    bench.process(queue, async () => {
      throw new Error('no');
    });
    const failed = once(queue, 'failed', 4);
    await queue.add(1, { jobId: 'x', attempts: 3, backoff: { type: 'own', options: { a: 1 } } });
    await queue.add(1, { jobId: 'y', attempts: 3, backoff: { type: 'never' } });
    await failed;
    return [seen, (await queue.getJob('x'))?.attemptsMade, (await queue.getJob('y'))?.attemptsMade, await (await queue.getJob('y'))?.getState()];
  },
  'a limiter holds jobs back': async (bench) => {
    const queue = bench.queue({ limiter: { max: 2, duration: 300 } });
    const at: number[] = [];
    bench.process(queue, 5, async () => void at.push(Date.now()));
    const completed = once(queue, 'completed', 3);
    for (let i = 0; i < 3; i++) await queue.add(i, { jobId: `j${i}` });
    await completed;
    return [at.length, (at[2] ?? 0) - (at[0] ?? 0) >= 200];
  },
  'a limiter that bounces its jobs back': async (bench) => {
    const queue = bench.queue({ limiter: { max: 1, duration: 100_000, bounceBack: true } });
    const completed = once(queue, 'completed');
    bench.process(queue, async () => 1);
    for (let i = 0; i < 3; i++) await queue.add(i, { jobId: `j${i}` });
    await completed;
    await pause(100);
    const counts = await queue.getJobCounts();
    return [counts.completed, counts.waiting, counts.delayed, counts.active];
  },
  'a limiter by group': async (bench) => {
    const queue = bench.queue({ limiter: { max: 1, duration: 100_000, groupKey: 'of' } });
    const done: unknown[] = [];
    queue.on('completed', (job: { data: { of: string } }) => done.push(job.data.of));
    const completed = once(queue, 'completed', 2);
    bench.process(queue, async () => 1);
    const ids: unknown[] = [];
    for (const of of ['a', 'a', 'b']) ids.push(/:[ab]$/.test(String((await queue.add({ of })).id)));
    await completed;
    await pause(100);
    const { completed: ended, active, failed } = await queue.getJobCounts();
    return [ids, done.sort(), ended, active, failed];
  },
  'a repeated job with a limit, its options and its end': async (bench) => {
    const queue = bench.queue();
    const seen: unknown[] = [];
    bench.process(queue, async (job: Bull.Job) => void seen.push([job.data, (job.opts.repeat as { count?: number } | undefined)?.count, String(job.id).startsWith('repeat:')]));
    const completed = once(queue, 'completed', 2);
    await queue.add({ n: 1 }, { repeat: { every: 100, limit: 2 } });
    await completed;
    await pause(250);
    const counts = await queue.getJobCounts();
    return [seen, counts.delayed, counts.waiting];
  },
};
