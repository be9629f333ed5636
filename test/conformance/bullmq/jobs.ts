import { attempt, once } from '../observe.js';
import type { Bench, Scenarios } from './bench.js';

type Job = Awaited<ReturnType<ReturnType<Bench['queue']>['add']>>;

/** The fields of a job that programs read. */
function shown(job: Job | undefined): unknown {
  if (!job) return undefined;
  const { id, name, data, opts, progress, returnvalue, failedReason, stacktrace, delay, priority, attemptsMade, attemptsStarted, stalledCounter, processedOn, finishedOn, timestamp, parentKey, parent, repeatJobKey, deduplicationId, queueName, prefix } = job;
  return { id, name, data, opts, progress, returnvalue, failedReason, traces: stacktrace?.length ?? null, delay, priority, attemptsMade, attemptsStarted, stalledCounter, processedOn, finishedOn, timestamp, parentKey, parent, repeatJobKey, deduplicationId, queueName, prefix };
}

const ids = (jobs: Job[]): string[] => jobs.map(({ id }) => id);

export const jobs: Scenarios = {
  'a job as add answers it and getJob reads it': async (bench) => {
    const queue = bench.queue();
    const added = await queue.add('send', { to: 'ann' }, { jobId: 'x', attempts: 3, backoff: { type: 'fixed', delay: 5 }, priority: 2, delay: 1000 });
    return [shown(added), shown(await queue.getJob('x')), shown(await queue.getJob('none'))];
  },
  'a plain job': async (bench) => {
    const queue = bench.queue();
    await queue.add('send', { to: 'ann' }, { jobId: 'x' });
    const job = await queue.getJob('x');
    const json = job?.toJSON() ?? {};
    return { job: shown(job), asJSON: job?.asJSON(), sandbox: job?.asJSONSandbox(), json: Object.fromEntries(['id', 'name', 'data', 'opts', 'progress', 'attemptsMade', 'attemptsStarted', 'delay', 'timestamp', 'stacktrace', 'returnvalue', 'queueQualifiedName', 'priority', 'stalledCounter'].map((key) => [key, (json as Record<string, unknown>)[key]])) };
  },
  'a completed job, and one that failed': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async (job) => {
      if (job.name === 'bad') throw new Error('no');
      return { ok: true };
    }, { name: 'w' });
    await queue.add('good', 1, { jobId: 'x' });
    await queue.add('bad', 1, { jobId: 'y', attempts: 2 });
    const failed = once(worker, 'failed', 2);
    void worker.run();
    await failed;
    const [good, bad] = await Promise.all(['x', 'y'].map((id) => queue.getJob(id)));
    return [shown(good), shown(bad), good?.asJSON(), good?.processedBy, await good?.getState(), await bad?.getState(), await queue.getJobState('none')];
  },
  'jobs of several states, in order and by page': async (bench) => {
    const queue = bench.queue();
    await queue.addBulk(['a', 'b', 'c', 'd', 'e'].map((id) => ({ name: 'n', data: 1, opts: { jobId: `w${id}` } })));
    await queue.addBulk([3, 1, 2, 1].map((priority, i) => ({ name: 'n', data: 1, opts: { jobId: `p${i}`, priority } })));
    await queue.addBulk([3, 1, 2].map((n) => ({ name: 'n', data: 1, opts: { jobId: `d${n}`, delay: n * 100_000 } })));
    const pages: Record<string, unknown> = {};
    for (const [types, start, end, asc] of [
      [['wait'], 0, -1, true], [['wait'], 0, -1, false], [['wait'], 0, 1, true], [['wait'], 0, 1, false], [['wait'], 1, 2, true], [['wait'], 1, 2, false], [['wait'], -2, -1, true], [['wait'], -2, -1, false],
      [['prioritized'], 0, -1, true], [['prioritized'], 0, -1, false], [['prioritized'], 0, 1, true], [['prioritized'], 1, 2, false],
      [['delayed'], 0, -1, true], [['delayed'], 0, -1, false], [['delayed'], 0, 0, true], [['delayed'], 0, 0, false], [['delayed'], 5, 9, true],
      [['wait', 'delayed'], 0, 1, true], [['wait', 'delayed'], 0, 1, false], [['waiting', 'prioritized', 'delayed'], 0, -1, true], [['delayed', 'wait'], 0, -1, true],
      [[], 0, -1, true], [undefined, 0, -1, true], [['paused'], 0, -1, true], [['wait', 'paused'], 0, 1, true], ['wait', 0, -1, true], [['wait', 'wait'], 0, -1, true], [['wait'], 3, 1, true],
    ] as const) {
      pages[`${JSON.stringify(types)} ${start} ${end} ${asc}`] = ids(await queue.getJobs(types as never, start, end, asc));
    }
    return {
      ...pages, defaults: ids(await queue.getJobs('wait')), waiting: ids(await queue.getWaiting()), some: ids(await queue.getWaiting(1, 2)), delayed: ids(await queue.getDelayed()), prioritized: ids(await queue.getPrioritized()),
      ranges: await queue.getRanges(['wait', 'delayed'], 0, 1, true),
    };
  },
  'finished jobs, newest first': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async (job) => {
      if (job.data as boolean) throw new Error('no');
    });
    const completed = once(worker, 'completed', 3);
    void worker.run();
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const end = once(worker, id < 'd' ? 'completed' : 'failed');
      await queue.add('n', id >= 'd', { jobId: id });
      await end;
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await completed;
    return {
      completed: ids(await queue.getCompleted()), failed: ids(await queue.getFailed()), page: ids(await queue.getCompleted(0, 1)), asc: ids(await queue.getJobs(['completed'], 0, 1, true)), desc: ids(await queue.getJobs(['completed', 'failed'], 0, 1)),
    };
  },
  'counts of jobs': async (bench) => {
    const queue = bench.queue();
    await queue.addBulk([{ name: 'n', data: 1 }, { name: 'n', data: 1, opts: { priority: 3 } }, { name: 'n', data: 1, opts: { priority: 3 } }, { name: 'n', data: 1, opts: { delay: 100_000 } }]);
    const counts = async (): Promise<unknown> => ({
      all: await queue.getJobCounts(), some: await queue.getJobCounts('wait', 'delayed'), waiting: await queue.getJobCounts('waiting', 'prioritized'), byTypes: await queue.getJobCountByTypes('wait', 'delayed', 'prioritized'), count: await queue.count(),
      each: [await queue.getWaitingCount(), await queue.getActiveCount(), await queue.getDelayedCount(), await queue.getCompletedCount(), await queue.getFailedCount(), await queue.getPrioritizedCount(), await queue.getWaitingChildrenCount()],
      priorities: await queue.getCountsPerPriority([0, 1, 3]),
    });
    const running = await counts();
    await queue.pause();
    return { running, paused: await counts(), isPaused: await queue.isPaused(), inPaused: (await queue.getJobs(['paused'])).length };
  },
  'what an operation on a missing job, or in the wrong state, says': async (bench) => {
    const queue = bench.queue();
    const job = await queue.add('n', 1, { jobId: 'x' });
    const gone = await queue.add('n', 1, { jobId: 'gone' });
    await gone.remove();
    return {
      promote: await attempt(() => job.promote()), retry: await attempt(() => job.retry()), changeDelay: await attempt(() => job.changeDelay(5)),
      removeAgain: await attempt(() => gone.remove()), removeById: [await queue.remove('x'), await queue.remove('x')],
      updateData: await attempt(() => gone.updateData(5)), updateProgress: await attempt(() => gone.updateProgress(5)), log: await attempt(() => gone.log('row')),
      promoteGone: await attempt(() => gone.promote()), retryGone: await attempt(() => gone.retry()), delayGone: await attempt(() => gone.changeDelay(5)), priorityGone: await attempt(() => gone.changePriority({ priority: 5 })),
      state: await gone.getState(), isWaiting: await gone.isWaiting(), logs: await queue.getJobLogs('gone'), clear: await attempt(() => gone.clearLogs()),
    };
  },
  'logs': async (bench) => {
    const queue = bench.queue();
    const job = await queue.add('n', 1, { keepLogs: 3 });
    const counts = [await job.log('a'), await job.log('b'), await job.log('c'), await job.log('d')];
    const read = async (...args: [number?, number?, boolean?]): Promise<unknown> => queue.getJobLogs(job.id, ...args);
    const pages = [await read(), await read(0, 1), await read(0, 1, false), await read(-1, -1), await read(1, 5), await read(0, -1, false)];
    await job.clearLogs(1);
    return [counts, pages, await read(), await queue.addJobLog(job.id, 'e', 1), await read()];
  },
  'progress and data': async (bench) => {
    const queue = bench.queue();
    const job = await queue.add('n', { a: 1 });
    const read: unknown[] = [];
    for (const progress of [5, 'half', { done: 1 }, true, 0]) {
      await job.updateProgress(progress);
      read.push((await queue.getJob(job.id))?.progress, job.progress);
    }
    await job.updateData({ b: 2 });
    await queue.updateJobProgress(job.id, 99);
    const after = await queue.getJob(job.id);
    return [read, after?.data as unknown, after?.progress];
  },
  'what changes on a job that waits': async (bench) => {
    const queue = bench.queue();
    const delayed = await queue.add('n', 1, { jobId: 'late', delay: 100_000 });
    await queue.addBulk(['a', 'b', 'c'].map((id) => ({ name: 'n', data: 1, opts: { jobId: id } })));
    await delayed.changeDelay(50_000);
    const changed = await queue.getJob('late');
    const c = await queue.getJob('c');
    await c?.changePriority({ lifo: true });
    const lifo = ids(await queue.getWaiting());
    await c?.changePriority({ priority: 5 });
    const prioritized = ids(await queue.getPrioritized());
    await c?.changePriority({ priority: 0 });
    const back = ids(await queue.getWaiting());
    await delayed.promote();
    return [changed?.delay, delayed.delay, lifo, prioritized, back, ids(await queue.getWaiting()), (await queue.getJob('late'))?.delay, await delayed.getState(), (await queue.getJob('c'))?.priority];
  },
  'retrying a finished job': async (bench) => {
    const queue = bench.queue();
    let fails = true;
    const worker = bench.worker(async () => {
      if (fails) throw new Error('no');
      return 5;
    });
    const job = await queue.add('n', 1, { attempts: 2, jobId: 'x' });
    const failed = once(worker, 'failed', 2);
    void worker.run();
    await failed;
    const before = shown(await queue.getJob(job.id));
    await worker.pause();
    await (await queue.getJob(job.id))?.retry('failed', { resetAttemptsMade: true });
    const between = shown(await queue.getJob(job.id));
    fails = false;
    const completed = once(worker, 'completed');
    await worker.resume();
    await completed;
    const after = shown(await queue.getJob(job.id));
    await worker.pause();
    await (await queue.getJob(job.id))?.retry('completed');
    return [before, between, after, shown(await queue.getJob(job.id))];
  },
  'maintenance calls and what they answer': async (bench) => {
    const queue = bench.queue();
    const heard: unknown[] = [];
    for (const event of ['cleaned', 'paused', 'resumed', 'progress'] as const) queue.on(event, (...args: unknown[]) => void heard.push([event, ...args.map((arg) => (typeof arg === 'object' && arg !== null && 'id' in arg ? arg.id : arg))]));
    await queue.addBulk(['a', 'b'].map((id) => ({ name: 'n', data: 1, opts: { jobId: id } })));
    await queue.add('n', 1, { jobId: 'late', delay: 100_000 });
    const answers = {
      pause: await queue.pause(), isPaused: await queue.isPaused(), resume: await queue.resume(), clean: await queue.clean(0, 1, 'wait'), cleanRest: await queue.clean(0, 10, 'wait'), cleanDelayed: await queue.clean(0, 0, 'delayed'),
      drain: await queue.drain(true), retryJobs: await queue.retryJobs(), promoteJobs: await queue.promoteJobs(), trim: typeof await queue.trimEvents(10), isMaxed: await queue.isMaxed(), remove: await queue.remove('none'),
      ttl: await queue.getRateLimitTtl(), ttlMax: await queue.getRateLimitTtl(5), globalConcurrency: await queue.getGlobalConcurrency(), globalRateLimit: await queue.getGlobalRateLimit(), key: await queue.removeRateLimitKey(),
      dedup: await queue.getDeduplicationJobId('none'), removeDedup: await queue.removeDeduplicationKey('none'), version: await queue.getVersion(),
      setConcurrency: await queue.setGlobalConcurrency(5), concurrency: await queue.getGlobalConcurrency(), removeConcurrency: await queue.removeGlobalConcurrency(), setRate: await queue.setGlobalRateLimit(5, 1000), rate: await queue.getGlobalRateLimit(), removeRate: await queue.removeGlobalRateLimit(),
      workers: await queue.getWorkers(), workersCount: await queue.getWorkersCount(), scheduler: await queue.getJobScheduler('none'), schedulers: await queue.getJobSchedulers(), schedulersCount: await queue.getJobSchedulersCount(), removeScheduler: await queue.removeJobScheduler('none'),
      metrics: await queue.getMetrics('completed'), obliterate: await queue.obliterate(), isPausedAfter: await queue.isPaused(),
    };
    return [answers, heard];
  },
  'obliterating a queue with active jobs': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(null);
    await queue.add('n', 1);
    await worker.getNextJob('token');
    return [await attempt(() => queue.obliterate()), await queue.isPaused(), await attempt(() => queue.obliterate({ force: true })), await queue.getJobCounts()];
  },
};
