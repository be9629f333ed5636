import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import { DelayedError, RateLimitError, UnrecoverableError, WaitingError, Worker, type BackoffStrategy, type Job } from 'drover';
import { finished, gate, once, openQueue, openWorker, Tally, tallyOf } from '../support/behaviour.js';

const failing = (): never => {
  throw new Error('no');
};

describe('what a handler throws', () => {
  test.each<[string, unknown, string]>([
    ['an error', new TypeError('bad'), 'bad'],
    ['a text', 'just text', 'just text'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 42, '42'],
    ['an object', { code: 7 }, '{"code":7}'],
    ['a function', () => 1, 'function'],
    ['a symbol', Symbol('s'), 'symbol(s)'],
    ['a big integer', 5n, '5'],
  ])('%s becomes the reason', async (_name, thrown, reason) => {
    for (const sync of [true, false]) {
      const queue = openQueue();
      const job = await queue.add('a', 1);
      const worker = openWorker(queue, () => {
        if (sync) throw thrown;
        return Promise.reject(thrown);
      });
      await expect(finished(worker, job.id)).rejects.toBeInstanceOf(Error);
      const stored = await queue.getJob(job.id);
      expect(stored?.failedReason.toLowerCase()).toContain(reason.slice(0, 6).toLowerCase());
      expect(stored?.finishedOn).toBeGreaterThan(0);
    }
  });

  test('an error that cannot be read still ends the attempt', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const odd = new Error('x');
    Object.defineProperty(odd, 'stack', { get: () => { throw new Error('unreadable'); } });
    Object.defineProperty(odd, 'message', { get: () => { throw new Error('unreadable'); } });
    const worker = openWorker(queue, () => {
      throw odd;
    });
    worker.on('error', () => undefined);
    await finished(worker, job.id).catch(() => undefined);
    expect(await queue.getJobState(job.id)).toBe('failed');
  });

  const trap = (): never => {
    throw new Error('trap');
  };
  test.each<[string, unknown]>([
    ['an object that lets nothing be read', new Proxy({}, { get: trap, getPrototypeOf: trap })],
    ['an object whose text cannot be made', Object.defineProperty({ toJSON: trap }, Symbol.toStringTag, { get: trap })],
  ])('%s ends the attempt, and nothing else', async (_name, thrown) => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const worker = openWorker(queue, () => {
      throw thrown;
    });
    await expect(finished(worker, job.id)).rejects.toThrow('cannot be read');
    const next = await queue.add('b', 1);
    await expect(finished(worker, next.id)).rejects.toThrow('cannot be read');
  });

  test('an error whose message is no text still ends the attempt', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const worker = openWorker(queue, () => {
      throw Object.assign(new Error('x'), { message: { deep: 1 }, stack: 5 });
    });
    worker.on('error', () => undefined);
    await finished(worker, job.id).catch(() => undefined);
    expect(await queue.getJobState(job.id)).toBe('failed');
  });

  test.each<[string, () => unknown]>([
    ['a thenable that cannot be read', () => Object.defineProperty({}, 'then', { get: () => { throw new Error('trap'); } })],
    ['a thenable that throws', () => ({ then: () => { throw new Error('trap'); } })],
  ])('%s as result fails the attempt, and the worker goes on', async (_name, result) => {
    const queue = openQueue();
    const jobs = await queue.addBulk([{ name: 'trap', data: 1 }, { name: 'fine', data: 1 }]);
    const worker = openWorker(queue, (job) => (job.name === 'trap' ? result() : 'fine'));
    const [trapped, fine] = jobs.map((job) => finished(worker, job.id));
    await expect(trapped).rejects.toThrow('trap');
    expect((await fine)?.returnvalue).toBe('fine');
  });

  test('a thenable that answers twice counts once', async () => {
    const queue = openQueue();
    const jobs = await queue.addBulk(['twice', 'b', 'c'].map((name) => ({ name, data: 1 })));
    let running = 0;
    let most = 0;
    const worker = openWorker(queue, async (job) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      return job.name;
    });
    const twice = openWorker(openQueue(), () => ({ then: (resolve: (value: number) => void) => [resolve(1), resolve(2)] }));
    const done = await Promise.all(jobs.map((job) => finished(worker, job.id)));
    expect(done).toHaveLength(3);
    expect(most).toBe(1);
    const completed = tallyOf('completed', twice);
    const odd = openQueue({}, twice.name);
    await odd.addBulk(['x', 'y'].map((name) => ({ name, data: 1 })));
    await completed.reached(2);
    expect(completed.seen.map((job) => job.returnvalue as number)).toEqual([1, 1]);
  });

  test('an error of another realm keeps its message', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const foreign: unknown = runInNewContext('new RangeError("from afar")');
    const worker = openWorker(queue, () => {
      throw foreign;
    });
    await finished(worker, job.id).catch(() => undefined);
    expect((await queue.getJob(job.id))?.attemptHistory).toMatchObject([{ name: 'RangeError', message: 'from afar' }]);
  });

  test('a huge message is cut, not lost', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const worker = openWorker(queue, () => {
      throw new Error('x'.repeat(1_000_000));
    });
    await finished(worker, job.id).catch(() => undefined);
    const stored = await queue.getJob(job.id);
    expect(stored?.failedReason.length).toBeGreaterThan(10_000);
    expect(stored?.failedReason.length).toBeLessThan(20_000);
  });
});

describe('attempts', () => {
  test('are made until one succeeds, and their history is kept', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { attempts: 4 });
    const worker = openWorker(queue, (running) => {
      if (running.attemptsMade < 2) throw new Error(`attempt ${running.attemptsMade + 1}`);
      return 'done';
    }, { name: 'w1' });
    const failed = tallyOf('failed', worker);
    const done = await finished(worker, job.id);
    expect(done).toMatchObject({ attemptsMade: 3, attemptsStarted: 3 });
    expect(failed.seen).toHaveLength(2);
    const stored = await queue.getJob(job.id);
    expect(stored).toMatchObject({ attemptsMade: 3, attemptsStarted: 3, returnvalue: 'done' });
    expect(stored?.attemptHistory).toMatchObject([
      { worker: 'w1', name: 'Error', message: 'attempt 1' }, { worker: 'w1', name: 'Error', message: 'attempt 2' },
    ]);
    expect(stored?.stacktrace).toHaveLength(2);
  });

  test('end after as many as the job has', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { attempts: 3 });
    const worker = openWorker(queue, failing);
    const failed = tallyOf('failed', worker);
    await expect(finished(worker, job.id)).rejects.toThrow('no');
    expect(failed.seen).toHaveLength(3);
    expect(await queue.getJob(job.id)).toMatchObject({ attemptsMade: 3, failedReason: 'no' });
    expect(await queue.getJobState(job.id)).toBe('failed');
  });

  test('show as many stack traces as the job asks for', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { attempts: 3, stackTraceLimit: 1 });
    await finished(openWorker(queue, failing), job.id).catch(() => undefined);
    const stored = await queue.getJob(job.id);
    expect(stored?.stacktrace).toHaveLength(1);
    expect(stored?.attemptHistory).toHaveLength(3);
  });

  test('end early when a job has started too often', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { attempts: 10 });
    const worker = openWorker(queue, failing, { maxStartedAttempts: 2 });
    await expect(finished(worker, job.id)).rejects.toThrow('no');
    expect((await queue.getJob(job.id))?.attemptsMade).toBeLessThanOrEqual(3);
  });
});

describe('backoff', () => {
  /** The gaps between the end of each attempt and the due time of the next, as Redis was told. */
  async function delays(opts: object, workerOpts: object = {}): Promise<number[]> {
    const queue = openQueue();
    const job = await queue.add('a', 1, { attempts: 5, ...opts });
    const worker = openWorker(queue, failing, workerOpts);
    const starts: number[] = [];
    worker.on('active', (active: Job) => starts.push(active.processedOn ?? 0));
    await finished(worker, job.id).catch(() => undefined);
    const history = (await queue.getJob(job.id))?.attemptHistory ?? [];
    expect(history).toHaveLength(5);
    return starts.slice(1).map((start, i) => start - (history[i]?.at ?? 0));
  }

  test('none: at once', async () => {
    const found = await delays({});
    expect(found).toHaveLength(4);
  });

  test.each<[string, object, number[]]>([
    ['a number', { backoff: 20 }, [20, 20, 20, 20]],
    ['fixed', { backoff: { type: 'fixed', delay: 30 } }, [30, 30, 30, 30]],
    ['exponential', { backoff: { type: 'exponential', delay: 10 } }, [10, 20, 40, 80]],
    ['linear', { backoff: { type: 'linear', delay: 10 } }, [10, 20, 30, 40]],
    ['with a maximum', { backoff: { type: 'exponential', delay: 10, maxDelay: 25 } }, [10, 20, 25, 25]],
  ])('%s: never early', async (_name, opts, least) => {
    const found = await delays(opts);
    for (const [i, ms] of least.entries()) expect(found[i]).toBeGreaterThanOrEqual(ms);
  });

  test('of one’s own: gets the attempt, type, error and job, and decides', async () => {
    const asked: unknown[] = [];
    const backoffStrategy: BackoffStrategy = (attempt, type, error, job) => {
      asked.push([attempt, type, error?.message, job?.name]);
      return attempt * 5;
    };
    const found = await delays({ backoff: { type: 'mine' } }, { settings: { backoffStrategy } });
    for (const [i, ms] of [5, 10, 15, 20].entries()) expect(found[i]).toBeGreaterThanOrEqual(ms);
    expect(asked).toEqual([1, 2, 3, 4].map((attempt) => [attempt, 'mine', 'no', 'a']));
  });

  test('of one’s own may answer -1: no more attempts', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { attempts: 10, backoff: { type: 'mine' } });
    const worker = openWorker(queue, failing, { settings: { backoffStrategy: async (attempt) => Promise.resolve(attempt < 3 ? 1 : -1) } });
    await expect(finished(worker, job.id)).rejects.toThrow('no');
    expect((await queue.getJob(job.id))?.attemptsMade).toBe(3);
  });

  test.each<[string, BackoffStrategy | undefined]>([
    ['that does not exist', undefined],
    ['that throws', () => { throw new Error('strategy broke'); }],
    ['that answers nonsense', () => NaN],
    ['that answers a negative number', () => -7],
    ['that answers text', () => '5' as unknown as number],
  ])('%s ends the job, saying so', async (_name, backoffStrategy) => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { attempts: 10, backoff: { type: 'mine' } });
    const worker = openWorker(queue, failing, backoffStrategy ? { settings: { backoffStrategy } } : {});
    await finished(worker, job.id).catch(() => undefined);
    const stored = await queue.getJob(job.id);
    expect(stored?.failedReason).toMatch(/strategy|backoff/i);
    expect(stored?.attemptsMade).toBe(1);
  });

  test('a huge delay does not overflow', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { attempts: 99, backoff: { type: 'exponential', delay: 2 ** 41 } });
    const worker = openWorker(queue, failing);
    await once(worker, 'failed');
    const stored = await queue.getJob(job.id);
    expect(await stored?.getState()).toBe('delayed');
    expect(await queue.getDelayedCount(Date.now() + 2 ** 40)).toBe(0);
  });

  test('a lifo job comes back in front', async () => {
    const queue = openQueue();
    await queue.addBulk([{ name: 'first', data: 0, opts: { lifo: true, attempts: 2 } }, { name: 'second', data: 0 }]);
    const started: string[] = [];
    const worker = openWorker(queue, (job) => {
      started.push(job.name);
      if (job.name === 'first' && job.attemptsMade === 0) throw new Error('again');
    });
    await tallyOf('completed', worker).reached(2);
    expect(started).toEqual(['first', 'first', 'second']);
  });
});

describe('control errors', () => {
  test('UnrecoverableError fails the job for good, also a subclass and a namesake', async () => {
    class Sub extends UnrecoverableError {}
    const namesake = Object.assign(new Error('from another copy'), { name: 'UnrecoverableError' });
    for (const error of [new UnrecoverableError('dead'), new Sub('dead'), namesake]) {
      const queue = openQueue();
      const job = await queue.add('a', 1, { attempts: 5 });
      const worker = openWorker(queue, () => {
        throw error;
      });
      await expect(finished(worker, job.id)).rejects.toThrow(error.message);
      expect(await queue.getJob(job.id)).toMatchObject({ attemptsMade: 1, failedReason: error.message });
    }
  });

  test('DelayedError after moveToDelayed is no attempt', async () => {
    const queue = openQueue();
    const job = await queue.add('a', { step: 1 });
    const failed: unknown[] = [];
    let due = 0;
    const worker = openWorker(queue, async (running, token) => {
      if ((running.data as { step: number }).step === 1) {
        await running.updateData({ step: 2 });
        due = (running.processedOn ?? 0) + 150;
        await running.moveToDelayed(due, token);
        throw new DelayedError();
      }
      return 'second';
    });
    worker.on('failed', (...args) => failed.push(args));
    const done = await finished(worker, job.id);
    expect(done).toMatchObject({ returnvalue: 'second', attemptsMade: 1, attemptsStarted: 2 });
    expect(done.processedOn).toBeGreaterThanOrEqual(due);
    expect(failed).toEqual([]);
  });

  test('WaitingError after moveToWait is no attempt', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    let runs = 0;
    const worker = openWorker(queue, async (running, token) => {
      if (++runs === 1) {
        await running.moveToWait(token);
        throw new WaitingError();
      }
      return runs;
    });
    expect(await finished(worker, job.id)).toMatchObject({ returnvalue: 2, attemptsMade: 1, attemptsStarted: 2 });
  });

  test('RateLimitError after rateLimit holds the queue and gives the job back to the front', async () => {
    const queue = openQueue();
    const [first] = await queue.addBulk([{ name: 'first', data: 0 }, { name: 'second', data: 0 }]);
    const started: [string, number][] = [];
    let till = 0;
    const worker = openWorker(queue, async (job) => {
      started.push([job.name, job.processedOn ?? 0]);
      if (started.length === 1) {
        await worker.rateLimit(200);
        till = Number((await queue.getMeta())['limitedTill']);
        throw Worker.RateLimitError();
      }
    });
    await tallyOf('completed', worker).reached(2);
    expect(started.map(([name]) => name)).toEqual(['first', 'first', 'second']);
    expect(started[1]?.[1]).toBeGreaterThanOrEqual(till);
    expect(await queue.getJob(first?.id ?? '')).toMatchObject({ attemptsMade: 1, attemptsStarted: 2 });
    expect(Worker.RateLimitError()).toBeInstanceOf(RateLimitError);
  });
});

describe('timeout', () => {
  test('fails the attempt, aborts the signal, and what comes later does not count', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { timeout: 50 });
    const aborted = new Tally<unknown>();
    const end = gate<string>();
    const worker = openWorker(queue, (_job, _token, signal) => {
      signal?.addEventListener('abort', () => aborted.add(signal.reason));
      return end.promise;
    });
    await expect(finished(worker, job.id)).rejects.toMatchObject({ code: 'TIMEOUT' });
    await aborted.reached(1);
    expect(aborted.seen[0]).toMatchObject({ code: 'TIMEOUT' });
    const completed: unknown[] = [];
    worker.on('completed', (done) => completed.push(done));
    end.open('late');
    const other = await queue.add('b', 1);
    worker.on('error', () => undefined);
    await finished(worker, other.id);
    expect(await queue.getJobState(job.id)).toBe('failed');
    expect(completed).toHaveLength(1);
  });

  test('is one attempt of several', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { timeout: 30, attempts: 2 });
    const worker = openWorker(queue, (running) => (running.attemptsMade === 0 ? gate().promise : 'quick'));
    expect((await finished(worker, job.id)).returnvalue).toBe('quick');
  });

  test.each([2 ** 31, 2 ** 40])('of %d ms does not end the job at once', async (timeout) => {
    const queue = openQueue();
    const accepted = await queue.add('a', 1, { timeout }).then(() => true, (error: { code?: string }) => expect(error.code).toBe('INVALID_OPTION'));
    if (accepted !== true) return;
    const worker = openWorker(queue, async () => {
      await vi.waitFor(() => Promise.resolve(), { timeout: 100 });
      await new Promise((resolve) => setTimeout(resolve, 20));
      return 'long enough';
    });
    const [job] = await once<[Job]>(worker, 'completed');
    expect(job.returnvalue).toBe('long enough');
  });
});

describe('dead letters', () => {
  test('lie in failed with their whole history', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { attempts: 2 });
    await finished(openWorker(queue, failing, { name: 'w7' }), job.id).catch(() => undefined);
    const stored = await queue.getJob(job.id);
    expect(stored?.attemptHistory).toHaveLength(2);
    for (const attempt of stored?.attemptHistory ?? []) {
      expect(attempt).toMatchObject({ worker: 'w7', message: 'no', name: 'Error', stack: expect.stringContaining('failures.test') });
      expect(attempt.at).toBeGreaterThan(0);
    }
  });

  test('go to a queue of their own when the worker says so, and come back when redriven', async () => {
    const queue = openQueue();
    const letters = openQueue();
    const job = await queue.add('a', { n: 1 }, { attempts: 2, priority: 3 });
    const worker = openWorker(queue, failing, { deadLetter: { queue: letters.name } });
    await expect(finished(worker, job.id)).rejects.toThrow('no');
    expect(await queue.getJob(job.id)).toBeUndefined();
    expect(await queue.getFailedCount()).toBe(0);
    const letter = (await letters.getJobs())[0];
    expect(letter).toMatchObject({ name: 'a', data: { n: 1 } });
    expect(letter?.attemptHistory).toHaveLength(2);
    await worker.close();
    expect(await letters.redrive()).toBe(1);
    expect(await letters.getJobs()).toEqual([]);
    const back = (await queue.getJobs())[0];
    expect(back).toMatchObject({ id: job.id, name: 'a', data: { n: 1 }, attemptsMade: 0, priority: 3 });
    expect(back?.attemptHistory).toHaveLength(2);
  });
});
