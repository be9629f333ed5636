import { attempt, once } from '../observe.js';
import type { Bench, Scenarios } from './bench.js';

type Queue = ReturnType<Bench['queue']>;
type Worker = ReturnType<Bench['worker']>;
type Job = NonNullable<Awaited<ReturnType<Worker['getNextJob']>>>;

const idOf = (arg: unknown): unknown => (typeof arg === 'object' && arg !== null && 'queueName' in arg && 'id' in arg ? `job ${String(arg.id)}` : arg);

/** Writes down what a worker tells. */
function told(worker: Worker, ...events: string[]): unknown[][] {
  const heard: unknown[][] = [];
  for (const event of events) worker.on(event as 'ready', (...args: unknown[]) => void heard.push([event, ...args.map(idOf)]));
  return heard;
}

async function eventsOf(bench: Bench, count: number, last: string, work: (queue: Queue) => Promise<void>): Promise<unknown[]> {
  const queue = bench.queue();
  const events = await bench.events();
  const heard: unknown[] = [];
  for (const event of ['added', 'waiting', 'active', 'completed', 'failed', 'delayed', 'progress', 'removed', 'cleaned', 'paused', 'resumed', 'duplicated', 'deduplicated', 'retries-exhausted', 'waiting-children', 'stalled'] as const) {
    events.on(event, (...args: unknown[]) => void heard.push([event, args[0], typeof args.at(-1)]));
  }
  const end = once(events, last, count);
  await work(queue);
  await end;
  return heard;
}

export const working: Scenarios = {
  'what a worker tells of a job that goes well': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async (job) => {
      await job.updateProgress(50);
      return { ok: job.data as number };
    });
    const heard = told(worker, 'active', 'progress', 'completed', 'failed', 'drained');
    const drained = once(worker, 'drained');
    await queue.add('n', 1, { jobId: 'x' });
    void worker.run();
    await drained;
    return heard.filter(([event]) => event !== 'drained');
  },
  'what a worker tells of a job that fails, and is tried again': async (bench) => {
    const queue = bench.queue();
    const seen: unknown[] = [];
    const worker = bench.worker(async (job) => {
      seen.push([job.attemptsMade, job.attemptsStarted, job.stalledCounter, typeof job.token]);
      throw new TypeError('no');
    });
    worker.on('failed', (job, error, prev) => void seen.push(['failed', job?.attemptsMade, job?.attemptsStarted, job?.failedReason, job?.finishedOn !== undefined, error, prev]));
    const failed = once(worker, 'failed', 3);
    await queue.add('n', 1, { jobId: 'x', attempts: 3, backoff: 1, stackTraceLimit: 2 });
    void worker.run();
    await failed;
    return [seen, (await queue.getJob('x'))?.stacktrace?.length, await queue.getFailedCount()];
  },
  'errors that decide what becomes of a job': async (bench) => {
    const queue = bench.queue();
    const { UnrecoverableError, DelayedError, WaitingError, RateLimitError, WaitingChildrenError } = bench.lib;
    const worker: Worker = bench.worker(async (job, token) => {
      if (job.name === 'never') throw new UnrecoverableError('never again');
      if (job.attemptsStarted > 1) return 'second';
      if (job.name === 'later') {
        await job.moveToDelayed(Date.now() + 1, token);
        throw new DelayedError();
      }
      if (job.name === 'wait') {
        await job.moveToWait(token);
        throw new WaitingError();
      }
      if (job.name === 'limited') {
        await worker.rateLimit(5);
        throw new RateLimitError();
      }
      return 'first';
    });
    for (const name of ['never', 'later', 'wait', 'limited', 'plain']) await queue.add(name, 1, { jobId: `x-${name}`, attempts: 3 });
    const completed = once(worker, 'completed', 4);
    void worker.run();
    await completed;
    const jobs = await Promise.all(['never', 'later', 'wait', 'limited', 'plain'].map((name) => queue.getJob(`x-${name}`)));
    const errors = [new UnrecoverableError(), new DelayedError(), new WaitingError(), new RateLimitError(), new WaitingChildrenError(), bench.lib.Worker.RateLimitError()];
    return [jobs.map((job) => [job?.name, job?.attemptsMade, job?.attemptsStarted, (job?.returnvalue as unknown) ?? null, job?.failedReason]), errors];
  },
  'backoff strategies': async (bench) => {
    const queue = bench.queue();
    const calls: unknown[] = [];
    const worker = bench.worker(async () => {
      throw new Error('no');
    }, { settings: { backoffStrategy: (attemptsMade: number, type: string, error: Error, job: { id: string }) => {
      calls.push([attemptsMade, type, error.message, job.id]);
      return type === 'stop' ? -1 : 0;
    } } });
    await queue.add('n', 1, { jobId: 'own', attempts: 3, backoff: { type: 'own', delay: 7 } });
    await queue.add('n', 1, { jobId: 'stop', attempts: 3, backoff: { type: 'stop' } });
    const failed = once(worker, 'failed', 4);
    void worker.run();
    await failed;
    return [calls.map(String).sort(), (await queue.getJob('own'))?.attemptsMade, (await queue.getJob('stop'))?.attemptsMade];
  },
  'results as they come': async (bench) => {
    const queue = bench.queue();
    const events = await bench.events();
    const results = [5, 'text', true, { a: 1 }, [1], false, 0, '', null, undefined];
    const worker = bench.worker(async (job) => results[job.data as number]);
    void worker.run();
    const seen: unknown[] = [];
    for (const i of results.keys()) {
      const end = once(worker, 'completed');
      const job = await queue.add('n', i);
      const waited = await job.waitUntilFinished(events, 5000);
      const [, told] = await end;
      seen.push([waited ?? null, told ?? null, (await queue.getJob(job.id))?.returnvalue ?? null]);
    }
    return seen;
  },
  'events of a job that goes well': (bench) => eventsOf(bench, 1, 'completed', async (queue) => {
    const worker = bench.worker(async (job) => {
      await job.updateProgress({ half: true });
      return { ok: 1 };
    });
    await queue.add('n', 1, { jobId: 'x' });
    void worker.run();
  }),
  'events of a job that is tried twice': (bench) => eventsOf(bench, 1, 'failed', async (queue) => {
    const worker = bench.worker(async () => {
      throw new Error('no');
    });
    await queue.add('n', 1, { jobId: 'x', attempts: 2, backoff: 5 });
    void worker.run();
  }),
  'events of delayed, prioritized, removed and duplicate jobs': (bench) => eventsOf(bench, 1, 'resumed', async (queue) => {
    await queue.add('n', 1, { jobId: 'late', delay: 100_000 });
    await queue.add('n', 1, { jobId: 'first', priority: 1 });
    await queue.add('n', 1, { jobId: 'late', delay: 100_000 });
    await queue.add('n', 1, { jobId: 'd1', deduplication: { id: 'one' } });
    await queue.add('n', 1, { jobId: 'd2', deduplication: { id: 'one' } });
    await (await queue.getJob('late'))?.promote();
    await (await queue.getJob('first'))?.remove();
    await queue.pause();
    await queue.resume();
  }),
  'events of deduplication that replaces, and that does not': (bench) => eventsOf(bench, 1, 'resumed', async (queue) => {
    const rule = (jobId: string, deduplication: object): object => ({ jobId, delay: 60_000, deduplication: { id: 'one', ...deduplication } });
    await queue.add('n', 1, rule('a', { ttl: 60_000 }));
    await queue.add('n', 1, rule('b', { ttl: 60_000 }));
    await queue.add('n', 1, rule('c', { ttl: 60_000, extend: true, replace: true }));
    await queue.pause();
    await queue.resume();
  }),
  'events of a clean': (bench) => eventsOf(bench, 1, 'resumed', async (queue) => {
    await queue.add('n', 1, { jobId: 'x' });
    await queue.clean(0, 10, 'wait');
    await queue.pause();
    await queue.resume();
  }),
  'waiting for the end of jobs': async (bench) => {
    const queue = bench.queue();
    const events = await bench.events();
    const worker = bench.worker(async (job) => {
      if (job.data === 'bad') throw new Error('broken');
      return job.data as unknown;
    });
    const late = await queue.add('n', 1, { delay: 100_000 });
    const timeout = await attempt(() => late.waitUntilFinished(events, 50));
    void worker.run();
    const good = await queue.add('n', 'good');
    const bad = await queue.add('n', 'bad');
    const first = [await attempt(() => good.waitUntilFinished(events)), await attempt(() => bad.waitUntilFinished(events))];
    return [JSON.stringify(timeout).includes('timed out before finishing, no finish notification arrived after 50ms'), first, await attempt(() => good.waitUntilFinished(events)), await attempt(() => bad.waitUntilFinished(events, 100))];
  },
  'jobs taken by hand': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(null);
    await queue.addBulk(['a', 'b', 'c', 'd', 'e'].map((id) => ({ name: 'n', data: 1, opts: { jobId: id, attempts: 2 } })));
    const take = async (): Promise<Job> => {
      const job = await worker.getNextJob('token');
      if (!job) throw new Error('There is no job to take.');
      return job;
    };
    const a = await take();
    const seen: unknown[] = [[a.id, a.token, a.attemptsStarted, a.attemptsMade, await a.getState(), await a.isActive()]];
    seen.push(['extend', await a.extendLock('token', 1000), 'remove', (await attempt(() => a.remove())) !== undefined]);
    await a.moveToCompleted('done', 'token', false);
    seen.push([a.returnvalue as unknown, a.finishedOn !== undefined, a.attemptsMade, await a.getState()]);
    const b = await take();
    await b.moveToFailed(new Error('no'), 'token', false);
    seen.push([b.failedReason, b.attemptsMade, b.finishedOn !== undefined, await b.getState(), b.stacktrace?.length]);
    const c = await take();
    seen.push(c.id);
    await c.moveToDelayed(Date.now() + 100_000, 'token');
    seen.push([await c.getState(), (await queue.getJob('c'))?.attemptsMade]);
    const d = await take();
    await d.moveToWait('token');
    seen.push([d.id, await d.getState(), (await queue.getJob('d'))?.attemptsStarted]);
    seen.push(await worker.getNextJob('token', { block: false }).then((job) => job?.id));
    const again = [await worker.getNextJob('token', { block: false }), await worker.getNextJob('token', { block: false }), await worker.getNextJob('token', { block: false })].map((job) => job?.id);
    return [seen, again];
  },
  'a job that is not held': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(null);
    await queue.add('n', 1, { jobId: 'x' });
    const job = await worker.getNextJob('token');
    const wrong = ((await attempt(() => job?.moveToCompleted(1, 'other', false))) as { thrown?: string }).thrown;
    await job?.moveToCompleted(1, 'token', false);
    const twice = ((await attempt(() => job?.moveToCompleted(1, 'token', false))) as { thrown?: string }).thrown;
    return [wrong !== undefined, twice !== undefined, await job?.getState()];
  },
  'jobs ended through a handle of the queue': async (bench) => {
    const queue = bench.queue();
    const taker = bench.worker(null);
    const moves: Record<string, (job: Job, token: string) => Promise<unknown>> = {
      complete: (job, token) => job.moveToCompleted({ ok: true }, token, false), fail: (job, token) => job.moveToFailed(new Error('bad'), token, false),
      delay: (job, token) => job.moveToDelayed(Date.now() + 100_000, token), giveBack: (job, token) => job.moveToWait(token), extend: (job, token) => job.extendLock(token, 50_000),
    };
    const seen: Record<string, unknown> = {};
    for (const [name, move] of Object.entries(moves)) {
      for (const age of ['older than the take', 'younger']) {
        const added = await queue.add('n', name, { jobId: `${name}-${age.length}`, attempts: 1 });
        await taker.getNextJob('right', { block: false });
        const job = age === 'younger' ? (await queue.getJob(added.id)) as Job : added as Job;
        const refused = await attempt(() => move(job, 'wrong')).then((answer) => name === 'extend' || 'thrown' in (answer as object));
        const between = await job.getState();
        const answer = await attempt(() => move(job, 'right'));
        const stored = await queue.getJob(added.id);
        seen[`${name}, ${age}`] = [refused, between, answer, await job.getState(), stored?.attemptsMade, stored?.attemptsStarted, stored?.returnvalue, stored?.failedReason, stored?.stacktrace?.length];
        if (name === 'giveBack' || name === 'extend') await queue.drain();
      }
    }
    return seen;
  },
  'pausing a queue and a worker': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async () => 1);
    const heard = told(worker, 'paused', 'resumed', 'active');
    void worker.run();
    await worker.waitUntilReady();
    await worker.pause();
    await queue.add('n', 1, { jobId: 'x' });
    const states: unknown[] = [worker.isPaused(), worker.isRunning(), await queue.getWaitingCount()];
    const completed = once(worker, 'completed');
    await worker.resume();
    await completed;
    await queue.pause();
    await queue.add('n', 1, { jobId: 'y' });
    states.push(worker.isPaused(), await queue.isPaused(), await (await queue.getJob('y'))?.getState());
    const second = once(worker, 'completed');
    await queue.resume();
    await second;
    return [states, heard];
  },
  'closing': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async () => 1);
    const heard = told(worker, 'closing', 'closed', 'ready');
    const run = worker.run();
    await worker.waitUntilReady();
    const again = await attempt(() => worker.run());
    const before = [typeof worker.closing, worker.isRunning()];
    await worker.close();
    await run;
    const after = [worker.closing instanceof Promise, worker.isRunning(), await attempt(() => worker.close())];
    await queue.add('n', 1);
    await queue.close();
    const addAfter = ((await attempt(() => queue.add('n', 1))) as { thrown?: string }).thrown;
    return [again, before, after, addAfter !== undefined, queue.closing instanceof Promise, heard.filter(([event]) => event !== 'ready')];
  },
  'cancelling': async (bench) => {
    const queue = bench.queue();
    let started: () => void = () => undefined;
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const worker = bench.worker((_job, _token, signal) => new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error(`aborted: ${String(signal.reason)}`)));
      started();
    }));
    await queue.add('n', 1, { jobId: 'x' });
    const failed = once<[Job, Error]>(worker, 'failed');
    void worker.run();
    await running;
    const answers = [worker.cancelJob('none'), worker.cancelJob('x', 'enough')];
    const [job, error] = await failed;
    return [answers, job.id, error.message, await job.getState()];
  },
  'metrics': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async () => 1, { metrics: { maxDataPoints: 5 } });
    await queue.addBulk([{ name: 'n', data: 1 }, { name: 'n', data: 1 }]);
    const completed = once(worker, 'completed', 2);
    void worker.run();
    await completed;
    const metrics = await queue.getMetrics('completed');
    return [Object.keys(metrics).sort(), Object.keys(metrics.meta).sort(), metrics.meta.count, metrics.count, (await queue.getMetrics('failed')).meta.count];
  },
  'retention by count': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async (job) => {
      if (job.data as boolean) throw new Error('no');
    }, { removeOnFail: { count: 1 } });
    void worker.run();
    for (const [i, opts] of [{}, { removeOnComplete: true }, { removeOnComplete: 2 }, { removeOnComplete: { count: 1 } }, {}].entries()) {
      const end = once(worker, 'completed');
      await queue.add('n', false, { jobId: `c${i}`, ...opts });
      await end;
    }
    for (const i of [1, 2, 3]) {
      const end = once(worker, 'failed');
      await queue.add('n', true, { jobId: `f${i}` });
      await end;
    }
    return [(await queue.getCompleted()).map(({ id }) => id), (await queue.getFailed()).map(({ id }) => id)];
  },
};
