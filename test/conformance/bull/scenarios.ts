import type Bull from 'drover/bull';
import { accepted, attempt, once } from '../observe.js';
import type { Scenarios } from './bench.js';

function shown(job: Bull.Job | null | undefined): unknown {
  if (!job) return job;
  const { id, name, data, opts, attemptsMade, stacktrace, returnvalue, failedReason, processedOn, finishedOn, timestamp } = job;
  const { debounceId, ...json } = job.toJSON();
  return { id, name, data, opts, attemptsMade, traces: stacktrace.length, returnvalue, failedReason, processedOn, finishedOn, timestamp, progress: job.progress() as unknown, debounceId, json: { ...json, stacktrace: json.stacktrace?.length } };
}

const ids = (jobs: Bull.Job[]): unknown[] => jobs.map(({ id }) => id);
const idOf = (arg: unknown): unknown => (typeof arg === 'object' && arg !== null && 'toJSON' in arg && 'id' in arg ? `job ${String(arg.id)}` : arg instanceof Promise ? 'promise' : arg);

const jobOptions: Record<string, unknown[]> = {
  attempts: [0, 1, 3, -1, '3'], delay: [0, 1, 1.5, -5, '5'], priority: [0, 1, 3_000_000, -1], backoff: [0, 5, { type: 'fixed' }, { type: 'exponential', delay: 5 }, { type: 'own', options: {} }],
  lifo: [true, false], timeout: [0, 5, 1.5], jobId: ['a', 'a:b', 5, '5'], removeOnComplete: [true, false, 0, 5, { age: 1 }, { count: 5 }, { age: 1, count: 5 }, {}], removeOnFail: [true, 5],
  stackTraceLimit: [0, 1], preventParsingData: [true], debounce: [{ id: 'one' }, { id: 'two', ttl: 5 }, { id: 'three', ttl: 0 }], timestamp: [5], unknown: [1],
};

export const scenarios: Scenarios = {
  'which values of job options are accepted': async (bench) => {
    const queue = bench.queue();
    const verdicts: Record<string, unknown> = {};
    for (const [name, values] of Object.entries(jobOptions)) {
      for (const value of values) verdicts[`${name} ${JSON.stringify(value)}`] = await accepted(() => queue.add({ a: 1 }, { [name]: value }));
    }
    return verdicts;
  },
  'a job as add answers it and getJob reads it': async (bench) => {
    const queue = bench.queue();
    const plainJob = await queue.add({ a: 1 }, { jobId: 'x' });
    const job = await queue.add('named', { b: 2 }, { jobId: 'y', attempts: 3, backoff: 5, delay: 1000, priority: 2 });
    return [shown(plainJob), shown(job), shown(await queue.getJob('x')), shown(await queue.getJob('y')), await queue.getJob('none')];
  },
  'what is told of jobs that go well and badly': async (bench) => {
    const queue = bench.queue();
    const heard: unknown[] = [];
    for (const event of ['active', 'progress', 'completed', 'failed']) queue.on(event, (...args: unknown[]) => void heard.push([event, ...args.map(idOf)]));
    await queue.add({ good: true }, { jobId: 'x' });
    const completed = once(queue, 'completed');
    bench.process(queue, async (job: Bull.Job) => {
      await job.progress(50);
      if (!(job.data as { good: boolean }).good) throw new TypeError('no');
      return { ok: 1 };
    });
    await completed;
    const failed = once(queue, 'failed', 2);
    await queue.add({ good: false }, { jobId: 'y', attempts: 2 });
    await failed;
    return [heard, shown(await queue.getJob('x')), shown(await queue.getJob('y'))];
  },
  'states, getters and counts': async (bench) => {
    const queue = bench.queue();
    for (const id of ['a', 'b', 'c', 'd']) await queue.add(1, { jobId: id });
    for (const [id, priority] of [['p3', 3], ['p1', 1], ['p2', 2]] as const) await queue.add(1, { jobId: id, priority });
    for (const id of ['l1', 'l2']) await queue.add(1, { jobId: id, lifo: true });
    for (const n of [2, 1]) await queue.add(1, { jobId: `d${n}`, delay: n * 100_000 });
    const pages: Record<string, unknown> = {};
    for (const [types, start, end, asc] of [
      [['waiting'], 0, -1, true], [['waiting'], 0, -1, false], [['waiting'], 0, 1, true], [['waiting'], 0, 1, false], [['waiting'], 1, 2, true], [['delayed'], 0, -1, true], [['delayed'], 0, -1, false], [['delayed'], 0, 0, true],
      [['waiting', 'delayed'], 0, 1, true], [['delayed', 'waiting'], 0, 1, false], ['wait', 0, -1, true], ['wait,delayed', 0, 0, true], [undefined, 0, -1, true],
    ] as const) pages[`${JSON.stringify(types)} ${start} ${end} ${asc}`] = ids(await queue.getJobs(types as never, start, end, asc));
    const counts = { all: await queue.getJobCounts(), types: await queue.getJobCountByTypes(['waiting', 'delayed']), one: await queue.getJobCountByTypes('waiting'), count: await queue.count(), priorities: await queue.getCountsPerPriority([0, 1, 2]) };
    const each = [ids(await queue.getWaiting()), ids(await queue.getWaiting(1, 2)), ids(await queue.getDelayed()), await queue.getWaitingCount(), await queue.getDelayedCount(), await queue.getPausedCount()];
    await queue.pause();
    const job = await queue.getJob('a');
    return { pages, counts, each, paused: [await queue.getJobCounts(), await job?.getState(), await job?.isPaused(), await job?.isWaiting(), await queue.isPaused(), await queue.isPaused(true)], stuck: await (await queue.getJob('d1'))?.getState() };
  },
  'retries with Bull’s formulae': async (bench) => {
    const asked: unknown[] = [];
    const queue = bench.queue({ settings: { backoffStrategies: { own: (attemptsMade, error, options) => {
      asked.push([attemptsMade, error.message, options]);
      return attemptsMade > 1 ? -1 : 1;
    } } } });
    bench.process(queue, async () => {
      throw new Error('no');
    });
    const failed = once(queue, 'failed', 2);
    await queue.add(1, { jobId: 'x', attempts: 5, backoff: { type: 'own', options: { a: 1 } } });
    await failed;
    const delayed = once(queue, 'failed');
    await queue.add(1, { jobId: 'e', attempts: 3, backoff: { type: 'exponential', delay: 200_000 } });
    await delayed;
    const [job] = await queue.getDelayed();
    return [asked, await (await queue.getJob('x'))?.getState(), (await queue.getJob('x'))?.attemptsMade, job?.attemptsMade];
  },
  'repeatable jobs and their keys': async (bench) => {
    const queue = bench.queue();
    await queue.add('tick', { a: 1 }, { repeat: { every: 3_600_000 } });
    await queue.add('year', { a: 1 }, { repeat: { cron: '0 0 1 1 *', tz: 'Europe/Berlin' }, jobId: 'own' });
    await queue.add('end', { a: 1 }, { repeat: { cron: '0 0 1 1 *', endDate: '2040-01-01T00:00:00Z' } });
    const list = async (...args: [number?, number?, boolean?]): Promise<unknown> => (await queue.getRepeatableJobs(...args)).map((each) => ({ ...each, next: typeof each.next })).sort((a, b) => (a.key < b.key ? -1 : 1));
    const all = [await list(), await queue.getRepeatableCount()];
    await queue.removeRepeatable('tick', { every: 3_600_000 });
    await queue.removeRepeatableByKey('end::2208988800000::0 0 1 1 *');
    return [all, (await queue.getRepeatableJobs()).map(({ key }) => key), await accepted(() => queue.removeRepeatableByKey('none'))];
  },
  'runs of a repeatable job': async (bench) => {
    const queue = bench.queue();
    const runs: unknown[] = [];
    bench.process(queue, 'tick', async (job: Bull.Job) => void runs.push([job.name, job.data, (job.opts.repeat as { every?: number }).every, (job.opts.repeat as { key?: string }).key, job.attemptsMade]));
    await queue.add('tick', { n: 1 }, { repeat: { every: 100, limit: 3 } });
    await once(queue, 'completed', 3);
    return runs;
  },
  'what operations in the wrong state say': async (bench) => {
    const queue = bench.queue();
    const job = await queue.add(1, { jobId: 'x' });
    const answers = { promote: await attempt(() => job.promote()), retry: await attempt(() => job.retry()), lock: await attempt(() => job.extendLock(5)) };
    await job.remove();
    return { ...answers, again: await attempt(() => job.remove()), state: await job.getState(), retryGone: await attempt(() => job.retry()), update: await attempt(() => job.update({ a: 1 })), progress: await attempt(() => job.progress(5)), log: (await attempt(() => job.log('a'))) !== undefined };
  },
  'jobs taken by hand': async (bench) => {
    const queue = bench.queue();
    for (const id of ['a', 'b', 'c']) await queue.add({ id }, { jobId: id, attempts: 2 });
    const job = await queue.getNextJob();
    const next = await job?.moveToCompleted('done', true);
    const after = [await job?.getState(), (await queue.getJob('a'))?.returnvalue, next?.[1]];
    const second = next ? (queue as unknown as { nextJobFromJobData(data: unknown, id: Bull.JobId): Bull.Job | null }).nextJobFromJobData(next[0], next[1]) : null;
    await second?.moveToFailed({ message: 'no' }, true);
    return [job?.id, after, second?.id, await second?.getState(), (await queue.getJob('b'))?.failedReason, (await queue.getJob('b'))?.attemptsMade];
  },
  'finished, logs, progress, update and discard': async (bench) => {
    const queue = bench.queue();
    bench.process(queue, async (job: Bull.Job) => {
      if (job.data === 'bad') throw new Error('broken');
      if (job.data === 'discard') {
        await job.discard();
        throw new Error('enough');
      }
      await job.log('row one');
      await job.log('row two');
      await job.update({ changed: true });
      await job.progress({ done: 1 });
      return 'result';
    });
    const good = await queue.add('__default__', 'good', { jobId: 'g' });
    const result = await attempt(() => good.finished());
    const failed = await attempt(async () => (await queue.add('__default__', 'bad')).finished());
    const discarded = await queue.add('__default__', 'discard', { attempts: 5, jobId: 'dis' });
    const ended = await attempt(() => discarded.finished());
    return [result, failed, ended, (await queue.getJob('dis'))?.attemptsMade, await queue.getJobLogs('g'), await queue.getJobLogs('g', 0, 0), (await queue.getJob('g'))?.progress() as unknown, (await queue.getJob('g'))?.data as unknown];
  },
  'clean, empty, removeJobs and obliterate': async (bench) => {
    const queue = bench.queue();
    const heard: unknown[][] = [];
    for (const event of ['cleaned', 'removed', 'paused', 'resumed']) queue.on(event, (...args: unknown[]) => void heard.push([event, ...args.map(idOf)]));
    for (const id of ['a1', 'a2', 'b1', 'b2']) await queue.add(1, { jobId: id });
    await queue.add(1, { jobId: 'late', delay: 100_000 });
    await queue.removeJobs('a*');
    heard.sort();
    const left = ids(await queue.getJobs(['waiting', 'delayed'], 0, -1, true));
    await new Promise((resolve) => setTimeout(resolve, 5));
    const cleaned = await queue.clean(0, 'wait', 1);
    const answers = [cleaned.length, (await queue.clean(0, 'delayed')), await queue.clean(0), await attempt(() => queue.clean(0, 'nothing' as never)), await attempt(() => queue.clean(undefined as never))];
    await queue.empty();
    return [left, answers, await queue.count(), await attempt(() => queue.obliterate()), heard.filter(([event]) => event !== 'resumed' && event !== 'paused')];
  },
  'debounce': async (bench) => {
    const queue = bench.queue();
    await queue.add({ n: 1 }, { jobId: 'a', debounce: { id: 'one' } });
    const second = await queue.add({ n: 2 }, { jobId: 'b', debounce: { id: 'one' } });
    return [second.id, ids(await queue.getWaiting()), (await queue.getJob('a'))?.opts.debounce];
  },
  'pausing here and everywhere': async (bench) => {
    const queue = bench.queue();
    const ran: unknown[] = [];
    bench.process(queue, async (job: Bull.Job) => void ran.push(job.id));
    await queue.isReady();
    await queue.pause(true);
    await queue.add(1, { jobId: 'a' });
    const states = [await queue.isPaused(true), await queue.isPaused(), await queue.getWaitingCount()];
    const completed = once(queue, 'completed');
    await queue.resume(true);
    await completed;
    await queue.whenCurrentJobsFinished();
    return [states, ran];
  },
  'the constructor, its statics and what it refuses': async (bench) => {
    const { Bull } = bench;
    const called = (Bull as unknown as (name: string, url: string) => Bull.Queue)(bench.name, bench.url);
    const queue = bench.queue();
    const facts = [called instanceof Bull, queue.name, queue.base64Name().length > 0, Object.keys(Bull.ErrorMessages).sort(), Bull.Job.name, queue.settings, queue.defaultJobOptions, queue.keyPrefix];
    await called.isReady();
    await called.close();
    const refused = [await attempt(() => new Bull('a', 5 as never)), await attempt(() => new Bull('a', bench.url, { limiter: { max: 1 } as never }))].map((each) => Object.keys(each as object));
    return [facts, refused, queue.getMaxListeners() >= 0];
  },
};
