import { once } from '../observe.js';
import type { Bench, Scenarios } from './bench.js';

type Job = Awaited<ReturnType<ReturnType<Bench['queue']>['add']>>;

/** What a handler sees of the attempts before. */
const past = ({ attemptsMade, attemptsStarted, failedReason, stacktrace, finishedOn, returnvalue }: Job): unknown => ({
  attemptsMade, attemptsStarted, failedReason: (failedReason as string | undefined) ?? null, traces: stacktrace?.length ?? 0, finished: (finishedOn ?? null) !== null, returnvalue: returnvalue as unknown,
});

export const attempts: Scenarios = {
  'what a handler sees of the attempts before': async (bench) => {
    const queue = bench.queue();
    const seen: unknown[] = [];
    const worker = bench.worker(async (job) => {
      seen.push(past(job));
      throw new Error(`no ${job.attemptsMade}`);
    });
    await queue.add('n', 1, { jobId: 'x', attempts: 3, backoff: 1 });
    await queue.add('n', 1, { jobId: 'y', attempts: 3, stackTraceLimit: 1 });
    const failed = once(worker, 'failed', 6);
    void worker.run();
    await failed;
    return seen.map((each) => JSON.stringify(each)).sort();
  },
  'what a handler sees after a retry by hand': async (bench) => {
    const queue = bench.queue();
    const seen: unknown[] = [];
    let fails = true;
    const worker = bench.worker(async (job) => {
      seen.push(past(job));
      if (fails) throw new Error('no');
    });
    const job = await queue.add('n', 1, { jobId: 'x' });
    const failed = once(worker, 'failed');
    void worker.run();
    await failed;
    await worker.pause();
    const read = await queue.getJob(job.id);
    await read?.retry();
    seen.push(read && past(read));
    const waiting = await queue.getJob(job.id);
    seen.push(waiting && past(waiting));
    fails = false;
    const completed = once<[Job]>(worker, 'completed');
    await worker.resume();
    const [ended] = await completed;
    seen.push(past(ended));
    return seen;
  },
  'a job that was tried before, taken by hand': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(null);
    await queue.add('n', 1, { jobId: 'x', attempts: 3, stackTraceLimit: 1 });
    const seen: unknown[] = [];
    for (const message of ['one', 'two', 'three']) {
      const job = await worker.getNextJob('token', { block: false });
      seen.push(job && past(job));
      await job?.moveToFailed(new Error(message), 'token', false);
      seen.push(job && past(job));
    }
    return seen;
  },
  'drained, when a retry is delayed': async (bench) => {
    const queue = bench.queue();
    const heard: unknown[] = [];
    const worker = bench.worker(async (job) => {
      if (job.attemptsMade === 0) throw new Error('no');
    });
    for (const event of ['failed', 'completed', 'drained'] as const) worker.on(event, () => void heard.push(event));
    const completed = once(worker, 'completed');
    const drained = once(worker, 'drained', 2);
    await queue.add('n', 1, { attempts: 2, backoff: 200 });
    void worker.run();
    await completed;
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, 500))]);
    return heard;
  },
  'the delay of a job that was changed': async (bench) => {
    const queue = bench.queue();
    const job = await queue.add('n', 1, { jobId: 'x', delay: 100_000 });
    const delays = async (): Promise<unknown> => [job.delay, (await queue.getJob('x'))?.delay, (await queue.getJob('x'))?.opts.delay];
    const seen = [await delays()];
    await job.changeDelay(50_000);
    seen.push(await delays());
    await job.promote();
    seen.push(await delays());
    const worker = bench.worker(async (taken) => taken.delay);
    const completed = once(worker, 'completed');
    void worker.run();
    await completed;
    return [seen, (await queue.getJob('x'))?.returnvalue as unknown, await delays()];
  },
  'the delay of a job that waits for its next attempt': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async (job, token) => {
      if (job.name === 'fails') throw new Error('no');
      await job.moveToDelayed(Date.now() + 100_000, token);
      throw new bench.lib.DelayedError();
    });
    await queue.add('fails', 1, { jobId: 'x', attempts: 2, backoff: 100_000 });
    await queue.add('later', 1, { jobId: 'y' });
    const failed = once(worker, 'failed');
    void worker.run();
    await failed;
    while ((await queue.getDelayedCount()) < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const near = (delay: number | undefined): unknown => (delay === undefined ? delay : Math.round(delay / 1000) * 1000);
    const waiting = [near((await queue.getJob('x'))?.delay), near((await queue.getJob('y'))?.delay)];
    await (await queue.getJob('x'))?.changeDelay(50_000);
    return [waiting, near((await queue.getJob('x'))?.delay), (await queue.getJob('x'))?.failedReason];
  },
  'the reason of a job that was retried by hand and fails again': async (bench) => {
    const queue = bench.queue();
    let attempt = 0;
    const worker = bench.worker(async () => {
      throw new Error(`no ${++attempt}`);
    });
    await queue.add('n', 1, { jobId: 'x', attempts: 2 });
    const seen: unknown[] = [];
    worker.on('failed', (job) => void seen.push([job?.failedReason, job?.attemptsMade, job?.stacktrace?.length]));
    const failed = once(worker, 'failed', 2);
    void worker.run();
    await failed;
    await worker.pause();
    const job = await queue.getJob('x');
    await job?.retry('failed', { resetAttemptsMade: true });
    seen.push((await queue.getJob('x'))?.failedReason);
    const again = once(worker, 'failed', 2);
    await worker.resume();
    await again;
    return [seen, (await queue.getJob('x'))?.failedReason];
  },
};
