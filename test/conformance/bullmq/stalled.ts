import { once } from '../observe.js';
import type { Scenarios } from './bench.js';

/** Jobs whose worker lost its lock. */
export const stalled: Scenarios = {
  'a job that stalls is tried again': async (bench) => {
    const queue = bench.queue();
    const events = await bench.events();
    const heard: unknown[] = [];
    for (const event of ['active', 'stalled', 'waiting', 'completed', 'failed'] as const) events.on(event, (...args: unknown[]) => void heard.push([event, args[0]]));
    await queue.add('n', 1, { jobId: 'x', attempts: 2 });
    await bench.worker(null, { lockDuration: 100, skipLockRenewal: true }).getNextJob('lost', { block: false });
    const worker = bench.worker(async (job) => [job.stalledCounter, job.attemptsMade, job.attemptsStarted], { stalledInterval: 100, lockDuration: 1000 });
    const told = once(worker, 'stalled');
    const [completed] = [once(events, 'completed')];
    await new Promise((resolve) => setTimeout(resolve, 150));
    void worker.run();
    const [id, prev] = await told;
    await completed;
    const job = await queue.getJob('x');
    return [id, prev, heard, job?.returnvalue as unknown, job?.stalledCounter, job?.attemptsMade, job?.attemptsStarted, await job?.getState()];
  },
  'a job that stalls more often than it may': async (bench) => {
    const queue = bench.queue();
    const events = await bench.events();
    const heard: unknown[] = [];
    for (const event of ['active', 'stalled', 'waiting', 'completed', 'failed', 'retries-exhausted'] as const) events.on(event, (...args: unknown[]) => void heard.push([event, args[0]]));
    await queue.add('n', 1, { jobId: 'x', attempts: 3, backoff: 10 });
    await bench.worker(null, { lockDuration: 100, skipLockRenewal: true }).getNextJob('lost', { block: false });
    const worker = bench.worker(async () => 'never', { stalledInterval: 100, lockDuration: 1000, maxStalledCount: 0 });
    const told: unknown[] = [];
    worker.on('failed', (job, error, prev) => void told.push(['failed', job?.id, error.name, error.message, prev]));
    worker.on('stalled', (id, prev) => void told.push(['stalled', id, prev]));
    const failed = once(events, 'failed');
    await new Promise((resolve) => setTimeout(resolve, 150));
    void worker.run();
    await failed;
    while (told.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    const job = await queue.getJob('x');
    return [told, heard, job?.failedReason, job?.stalledCounter, job?.attemptsMade, job?.attemptsStarted, await job?.getState(), job?.stacktrace?.length];
  },
};
