import type Bull from 'drover/bull';
import { once } from '../observe.js';
import type { Scenarios } from './bench.js';

/** What each option of a job of Bull does. */

const forms: Record<string, Bull.JobOptions[]> = {
  'true': [{}, {}, { removeOnComplete: true }], '0': [{}, { removeOnComplete: 0 }], 'a number': [{}, {}, { removeOnComplete: 2 }], 'a count': [{}, {}, { removeOnComplete: { count: 2 } }],
  'an age and a count': [{}, {}, { removeOnComplete: { age: 1000, count: 1 } }], 'an age': [{}, {}, { removeOnComplete: { age: 1000 } }],
};

export const jobOptions: Scenarios = {
  'removeOnComplete and removeOnFail, in each form': async (bench) => {
    const queue = bench.queue();
    bench.process(queue, async ({ data }: Bull.Job<{ bad: boolean }>) => {
      if (data.bad) throw new Error('no');
    });
    const seen: Record<string, unknown> = {};
    for (const bad of [false, true]) {
      const end = bad ? 'failed' : 'completed';
      for (const [form, each] of Object.entries(forms)) {
        for (const [i, { removeOnComplete }] of each.entries()) {
          const ended = once(queue, end);
          await queue.add({ bad }, { jobId: `j${i}`, ...(removeOnComplete === undefined ? {} : { [bad ? 'removeOnFail' : 'removeOnComplete']: removeOnComplete }) });
          await ended;
          // Two ends within one millisecond have no order.
          await new Promise((resolve) => setTimeout(resolve, 3));
        }
        seen[`${end} ${form}`] = (await queue.getJobs([end])).map(({ id }) => id).sort();
        for (const job of await queue.getJobs([end])) await job.remove();
      }
    }
    return seen;
  },
  'priority, lifo and delay decide the order': async (bench) => {
    const queue = bench.queue();
    const order: unknown[] = [];
    for (const [jobId, opts] of Object.entries({ a: {}, p3: { priority: 3 }, p1: { priority: 1 }, l1: { lifo: true }, l2: { lifo: true }, late: { delay: 100 } })) await queue.add(1, { jobId, ...opts });
    const completed = once(queue, 'completed', 6);
    bench.process(queue, async ({ id }: Bull.Job) => void order.push(id));
    await completed;
    return order;
  },
  'timeout, stackTraceLimit and attempts': async (bench) => {
    const queue = bench.queue();
    bench.process(queue, ({ data }: Bull.Job<{ slow: boolean }>) => (data.slow ? new Promise(() => undefined) : Promise.reject(new Error('no'))));
    const failed = once(queue, 'failed', 4);
    await queue.add({ slow: false }, { jobId: 'x', attempts: 3, stackTraceLimit: 1 });
    await queue.add({ slow: true }, { jobId: 'y', timeout: 20 });
    await failed;
    const [x, y] = [await queue.getJob('x'), await queue.getJob('y')];
    return [x?.attemptsMade, x?.stacktrace.length, y?.failedReason, y?.attemptsMade];
  },
  'one job id, as a number and as text': async (bench) => {
    const queue = bench.queue();
    const first = await queue.add({ n: 1 }, { jobId: 5 });
    await queue.add({ n: 2 }, { jobId: '5' });
    return [first.id, (await queue.getJob(5))?.data as unknown, await queue.count()];
  },
};
