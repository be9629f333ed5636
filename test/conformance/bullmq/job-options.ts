import { attempt, once } from '../observe.js';
import type { Bench, Scenarios } from './bench.js';

/** What each option of a job does. */

type Opts = Record<string, unknown>;

const near = (ms: number, step: number): number => Math.round(ms / step) * step;

/** What is kept, as each option of retention has it. Ages are whole seconds. */
const retention: Record<string, Opts[]> = {
  'true': [{}, {}, { how: true }],
  'false': [{ how: false }, { how: false }],
  '0': [{}, { how: 0 }],
  'a number': [{}, {}, {}, { how: 2 }],
  'a count': [{}, {}, {}, { how: { count: 2 } }],
  'a count of 0': [{}, {}, { how: { count: 0 } }],
  'an age that none has': [{}, {}, { how: { age: 1000 } }],
  'an age and a count': [{}, {}, {}, { how: { age: 1000, count: 2 } }],
  'an age, a count and a limit': [{}, {}, {}, {}, { how: { age: 1000, count: 1, limit: 100 } }],
};

/** Runs the jobs of each form one after the other and answers which of them remain. */
const retained = (option: 'removeOnComplete' | 'removeOnFail') => async (bench: Bench): Promise<unknown> => {
  const [queue, end] = [bench.queue(), option === 'removeOnFail' ? 'failed' : 'completed'] as const;
  const worker = bench.worker(async () => {
    if (end === 'failed') throw new Error('no');
  });
  const seen: Record<string, unknown> = {};
  void worker.run();
  for (const [form, each] of Object.entries(retention)) {
    for (const [i, opts] of each.entries()) {
      const ended = once(worker, end);
      await queue.add('n', i, { jobId: `j${i}`, ...('how' in opts ? { [option]: opts.how } : {}) });
      await ended;
      // Two ends within one millisecond have no order.
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    seen[form] = (await queue.getJobs([end])).map(({ id }) => id);
    await queue.clean(0, 100, end);
  }
  return seen;
};

export const jobOptions: Scenarios = {
  'removeOnComplete, in each form': retained('removeOnComplete'),
  'removeOnFail, in each form': retained('removeOnFail'),
  'backoff, in each form': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async () => {
      throw new Error('no');
    });
    const forms: unknown[] = [10_000, { type: 'fixed', delay: 20_000 }, { type: 'exponential', delay: 30_000 }, { type: 'fixed', delay: 40_000, jitter: 0 }, { type: 'fixed', delay: 60_000, jitter: 0.5 }, { type: 'exponential', delay: 60_000, jitter: 1 }];
    const failed = once(worker, 'failed', forms.length);
    for (const [i, backoff] of forms.entries()) await queue.add('n', i, { jobId: `j${i}`, attempts: 2, backoff: backoff as number });
    void worker.run();
    await failed;
    const jobs = await Promise.all(forms.map((_, i) => queue.getJob(`j${i}`)));
    const delays = jobs.map((job) => job?.delay ?? -1);
    return [delays.slice(0, 4).map((delay) => near(delay, 1000)), (delays[4] ?? 0) >= 30_000 && (delays[4] ?? 0) <= 60_000, (delays[5] ?? -1) >= 0 && (delays[5] ?? 0) <= 60_000];
  },
  'priority and lifo decide the order': async (bench) => {
    const queue = bench.queue();
    const order: unknown[] = [];
    for (const [id, opts] of Object.entries({ a: {}, p3: { priority: 3 }, p1: { priority: 1 }, b: {}, l1: { lifo: true }, l2: { lifo: true }, p1l: { priority: 1, lifo: true }, p2: { priority: 2 }, c: {} })) await queue.add('n', 1, { jobId: id, ...opts });
    const worker = bench.worker(async (job) => void order.push(job.id));
    const completed = once(worker, 'completed', 9);
    void worker.run();
    await completed;
    return order;
  },
  'a delay, also with a priority and lifo': async (bench) => {
    const queue = bench.queue();
    const order: unknown[] = [];
    for (const [id, opts] of Object.entries({ d300: { delay: 300 }, d150: { delay: 150 }, now: {}, far: { delay: 100_000, priority: 5 }, neg: { delay: 0 } })) await queue.add('n', 1, { jobId: id, ...opts });
    const before = [await queue.getJobState('d300'), await queue.getJobState('far'), await queue.getJobState('neg')];
    const worker = bench.worker(async (job) => void order.push(job.id));
    const completed = once(worker, 'completed', 4);
    void worker.run();
    await completed;
    return [before, order.filter((id) => id !== 'far'), (await queue.getJob('d150'))?.opts.delay];
  },
  'keepLogs, stackTraceLimit and sizeLimit': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async (job) => {
      for (const row of ['a', 'b', 'c']) await job.log(row);
      throw new Error(`no ${job.attemptsMade}`);
    });
    const failed = once(worker, 'failed', 5);
    await queue.add('n', 1, { jobId: 'x', keepLogs: 2, stackTraceLimit: 2, attempts: 3 });
    await queue.add('n', 1, { jobId: 'y', keepLogs: 0, stackTraceLimit: 0, attempts: 2 });
    void worker.run();
    await failed;
    const [x, y] = [await queue.getJob('x'), await queue.getJob('y')];
    const size = ['abc', 'ä', { a: 1 }].map((data) => attempt(() => queue.add('n', data, { sizeLimit: 4, delay: 100_000 }).then(() => 'added')));
    return [await queue.getJobLogs('x'), x?.stacktrace?.map((trace) => trace.split('\n')[0]), (await queue.getJobLogs('y')).count, y?.stacktrace?.length, (await Promise.all(size)).map((each) => Object.keys(each as object))];
  },
  'timestamp and the forms of jobId': async (bench) => {
    const queue = bench.queue();
    const job = await queue.add('n', 1, { timestamp: 5, jobId: 'x' });
    const second = await queue.add('other', 2, { jobId: 'x' });
    const late = await queue.add('n', 1, { timestamp: 5, jobId: 'late', delay: 100_000 });
    return [job.timestamp, (await queue.getJob('x'))?.timestamp, second.id, second.name, (await queue.getJob('x'))?.name, await queue.getWaitingCount(), await late.getState(), typeof (await queue.add('n', 1)).id];
  },
  'deduplication that reschedules': async (bench) => {
    const queue = bench.queue();
    for (const [i, delay] of [100_000, 500_000].entries()) await queue.add('n', i, { jobId: `j${i}`, delay, deduplication: { id: 'one', ttl: 100_000, reschedule: true } });
    return (await queue.getDelayed()).map((job) => [job.id, job.data as unknown, near(job.delay, 1000)]);
  },
  'parent, given as an option': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(null);
    await queue.add('parent', 1, { jobId: 'p' });
    const parent = await worker.getNextJob('token', { block: false });
    await queue.add('child', 1, { jobId: 'c', parent: { id: 'p', queue: queue.qualifiedName } });
    const moved = await parent?.moveToWaitingChildren('token');
    const child = await queue.getJob('c');
    const orphan = await attempt(() => queue.add('child', 1, { jobId: 'o', parent: { id: 'none', queue: queue.qualifiedName } }));
    const taken = await worker.getNextJob('token2', { block: false });
    await taken?.moveToCompleted('did', 'token2', false);
    while ((await queue.getJobState('p')) !== 'waiting') await new Promise((resolve) => setTimeout(resolve, 5));
    return [moved, child?.parentKey, child?.parent, Object.keys(orphan as object), taken?.id, await queue.getJobState('p'), await (await queue.getJob('p'))?.getChildrenValues()];
  },
};
