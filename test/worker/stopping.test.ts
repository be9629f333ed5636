import { describe, expect, test } from 'vitest';
import { type Job, type Queue } from 'drover';
import { addNumbered, finished, gate, idleWorkers, once, openQueue, openRedis, openWorker, refusal, Tally, tallyOf } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

/** A handler that runs until its signal fires; tells the reason, then throws it. */
function obedient(reasons: Tally<unknown>): (job: Job, token?: string, signal?: AbortSignal) => Promise<never> {
  return (_job, _token, signal) =>
    new Promise<never>((_resolve, reject) => {
      signal?.addEventListener('abort', () => {
        reasons.add(signal.reason);
        reject(signal.reason as Error);
      });
    });
}

/** Gives the job's lease to someone else, as a recovery and another take would. */
async function steal(queue: Queue, id: string): Promise<void> {
  await queue.connection.command('hset', [queue.toKey('run'), id, 'thief:1|1'], 'steal');
}

describe('cancelJob', () => {
  test('aborts the signal with the reason; the attempt fails', async () => {
    const queue = openQueue();
    const reasons = new Tally<unknown>();
    const worker = openWorker(queue, obedient(reasons), { concurrency: 2 });
    const active = tallyOf('active', worker);
    const [job, other] = await addNumbered(queue, 2);
    await active.reached(2);
    const ended = finished(worker, job?.id ?? '');
    expect(worker.cancelJob(job?.id ?? '', 'not wanted')).toBe(true);
    await expect(ended).rejects.toThrow('not wanted');
    expect(reasons.seen).toHaveLength(1);
    expect(worker.cancelJob('nobody')).toBe(false);
    expect(await queue.getJobState(other?.id ?? '')).toBe('active');
    worker.cancelAllJobs('all');
    await reasons.reached(2);
  });

  test('gives no signal to handlers that do not name one', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    let given = -1;
    const worker = openWorker(queue, function handler(this: unknown, ...args: unknown[]) {
      given = args.filter((arg) => arg instanceof AbortSignal).length;
    });
    await finished(worker, job.id);
    expect(given).toBe(0);
  });
});

describe('a lost lease', () => {
  test('aborts the signal, and the late outcome is refused', async () => {
    const queue = openQueue();
    const reasons = new Tally<unknown>();
    const end = gate();
    const worker = openWorker(queue, async (_job, _token, signal) => {
      signal?.addEventListener('abort', () => reasons.add(signal.reason));
      await end.promise;
      return 'late';
    }, { lockDuration: 1_000, lockRenewTime: 100 });
    const errors = new Tally<Error>();
    worker.on('error', (error: Error) => errors.add(error));
    const lost = once<[Job]>(worker, 'leaseLost');
    const completed: unknown[] = [];
    worker.on('completed', (...args) => completed.push(args));
    const active = tallyOf('active', worker);
    const job = await queue.add('a', 1);
    await active.reached(1);
    await steal(queue, job.id);
    await reasons.reached(1);
    expect(reasons.seen[0]).toMatchObject({ code: 'LEASE_LOST' });
    expect((await lost)[0].id).toBe(job.id);
    end.open();
    const next = await queue.add('b', 1);
    await finished(worker, next.id);
    expect(completed).toHaveLength(1);
    expect(await queue.getJobState(job.id)).toBe('active');
  });

  test('is found out at the end at the latest; nothing is emitted as if it had counted', async () => {
    for (const outcome of ['completes', 'fails']) {
      const queue = openQueue();
      const end = gate();
      const worker = openWorker(queue, async () => {
        await end.promise;
        if (outcome === 'fails') throw new Error('no');
      });
      const emitted: unknown[] = [];
      for (const event of ['completed', 'failed'] as const) worker.on(event, (...args: unknown[]) => emitted.push(args));
      const active = tallyOf('active', worker);
      const job = await queue.add('a', 1);
      await active.reached(1);
      await steal(queue, job.id);
      const error = once<[Error]>(worker, 'error');
      end.open();
      expect((await error)[0]).toMatchObject({ code: 'LEASE_LOST' });
      expect(emitted).toEqual([]);
      expect(await queue.getJobState(job.id)).toBe('active');
    }
  });

  test('leaves the successor’s outcome alone', async () => {
    const queue = openQueue();
    const ends = [gate<string>(), gate<string>()];
    let runs = 0;
    const processor = async (): Promise<string> => (await ends[runs++]?.promise) ?? '';
    const frozen = openWorker(queue, processor, { lockDuration: 300, skipLockRenewal: true, skipStalledCheck: true });
    frozen.on('error', () => undefined);
    const first = tallyOf('active', frozen);
    const job = await queue.add('a', 1);
    await first.reached(1);
    await frozen.pause(true);
    const successor = openWorker(queue, processor, { lockDuration: 1_000 });
    const second = tallyOf('active', successor);
    await second.reached(1);
    const lost = once(frozen, 'leaseLost');
    ends[0]?.open('from the first');
    await lost;
    const done = finished(successor, job.id);
    ends[1]?.open('from the second');
    expect((await done).returnvalue).toBe('from the second');
    expect((await queue.getJob(job.id))?.returnvalue).toBe('from the second');
  });
});

describe('leases', () => {
  test('are renewed while a job runs longer than they last', async () => {
    const queue = openQueue();
    const end = gate<string>();
    const worker = openWorker(queue, () => end.promise, { lockDuration: 600 });
    const renewed = new Tally<{ count: number; jobIds: string[] }>();
    worker.on('locksRenewed', (what: { count: number; jobIds: string[] }) => renewed.add(what));
    const active = tallyOf('active', worker);
    const job = await queue.add('a', 1);
    await active.reached(1);
    openWorker(queue, () => 'stolen', { lockDuration: 600 });
    await renewed.reached(6);
    expect(renewed.seen[0]).toEqual({ count: 1, jobIds: [job.id] });
    const done = finished(worker, job.id);
    end.open('kept');
    expect(await done).toMatchObject({ returnvalue: 'kept', stalledCounter: 0, attemptsStarted: 1 });
  });

  test('a failed renewal is reported, with the jobs it was for', async () => {
    const queue = openQueue();
    const redis = openRedis();
    const worker = openWorker(queue, () => gate().promise, { lockDuration: 2_000, lockRenewTime: 100, closeTimeout: 0 });
    worker.on('error', () => undefined);
    const active = tallyOf('active', worker);
    const job = await queue.add('a', 1);
    await active.reached(1);
    const failed = once<[string[]]>(worker, 'lockRenewalFailed');
    await redis.rename(queue.toKey('run'), queue.toKey('aside'));
    await redis.set(queue.toKey('run'), 'not a hash');
    expect((await failed)[0]).toEqual([job.id]);
    await redis.rename(queue.toKey('aside'), queue.toKey('run'));
  });

  test.each([200, 400])('of %d ms still hold while a job runs', async (lockDuration) => {
    const queue = openQueue();
    const end = gate();
    const worker = openWorker(queue, () => end.promise, { lockDuration });
    const stalls: unknown[] = [];
    worker.on('stalled', (...args) => stalls.push(args));
    worker.on('error', (error: Error) => stalls.push(error.message));
    const renewed = new Tally<unknown>();
    worker.on('locksRenewed', (what: unknown) => renewed.add(what));
    const job = await queue.add('a', 1);
    await renewed.reached(5);
    const done = finished(worker, job.id);
    end.open();
    await done;
    expect(stalls).toEqual([]);
  });
});

describe('pause', () => {
  test('waits for running jobs, takes no more, and resumes', async () => {
    const queue = openQueue();
    await addNumbered(queue, 3);
    const ends = [gate(), gate(), gate()];
    const worker = openWorker(queue, (job) => ends[job.data as number]?.promise);
    const [active, done] = [tallyOf('active', worker), tallyOf('completed', worker)];
    await active.reached(1);
    let paused = false;
    const pausing = worker.pause().then(() => {
      paused = true;
    });
    expect(worker.isPaused()).toBe(true);
    await queue.getJobCounts();
    expect(paused).toBe(false);
    ends[0]?.open();
    await pausing;
    expect(done.seen).toHaveLength(1);
    expect(await queue.getJobCounts('active', 'waiting')).toEqual({ active: 0, waiting: 2 });
    for (const end of ends) end.open();
    await worker.resume();
    await done.reached(3);
    expect(worker.isPaused()).toBe(false);
  });

  test('need not wait for running jobs', async () => {
    const queue = openQueue();
    await queue.add('a', 1);
    const worker = openWorker(queue, () => gate().promise, { closeTimeout: 0 });
    await tallyOf('active', worker).reached(1);
    await worker.pause(true);
    expect(await queue.getActiveCount()).toBe(1);
  });

  test('leaves work to other workers', async () => {
    const queue = openQueue();
    const [paused, other] = [openWorker(queue, () => undefined), openWorker(queue, () => undefined)];
    await Promise.all([once(paused, 'ready'), once(other, 'ready')]);
    await paused.pause();
    const done = tallyOf('completed', other);
    for (let i = 1; i <= 10; i++) {
      await queue.add('a', i);
      await done.reached(i);
    }
  });

  test('before the worker is ready holds from the start', async () => {
    const queue = openQueue();
    await queue.add('a', 1);
    const worker = openWorker(queue, () => undefined);
    const ready = once(worker, 'ready');
    await worker.pause();
    await ready;
    await queue.getJobCounts();
    expect(await queue.getWaitingCount()).toBe(1);
    const done = tallyOf('completed', worker);
    await worker.resume();
    await done.reached(1);
  });
});

describe('close', () => {
  test('waits for running jobs and settles them', async () => {
    const queue = openQueue();
    const jobs = await addNumbered(queue, 6);
    const ends = jobs.map(() => gate());
    const worker = openWorker(queue, async (job) => {
      await ends[job.data as number]?.promise;
      return job.data as number;
    }, { concurrency: 3 });
    await tallyOf('active', worker).reached(3);
    const closing = worker.close();
    for (const end of ends) end.open();
    await closing;
    expect(await queue.getJobCounts('completed', 'active', 'waiting')).toEqual({ completed: 3, active: 0, waiting: 3 });
  });

  test('at its deadline aborts the rest and gives it back without an attempt', async () => {
    const queue = openQueue();
    const reasons = new Tally<unknown>();
    const worker = openWorker(queue, obedient(reasons), { closeTimeout: 100 });
    const active = tallyOf('active', worker);
    const failed: unknown[] = [];
    worker.on('failed', (...args) => failed.push(args));
    const job = await queue.add('a', 1);
    await active.reached(1);
    await worker.close();
    expect(reasons.seen).toHaveLength(1);
    expect(failed).toEqual([]);
    expect(await queue.getJobState(job.id)).toBe('waiting');
    expect(await queue.getJob(job.id)).toMatchObject({ attemptsMade: 0, stalledCounter: 0, attemptHistory: [] });
  });

  test('gives back also what does not listen to its signal, and ignores what comes of it', async () => {
    const queue = openQueue();
    const end = gate<string>();
    const worker = openWorker(queue, () => end.promise, { closeTimeout: 0 });
    const active = tallyOf('active', worker);
    const job = await queue.add('a', 1);
    await active.reached(1);
    await worker.close();
    expect(await queue.getJobState(job.id)).toBe('waiting');
    const successor = openWorker(queue, () => 'second');
    expect((await finished(successor, job.id)).attemptsMade).toBe(1);
    end.open('first, late');
    expect((await queue.getJob(job.id))?.returnvalue).toBe('second');
  });

  test('keeps the order of what it gives back', async () => {
    const queue = openQueue();
    await addNumbered(queue, 6);
    const worker = openWorker(queue, () => gate().promise, { concurrency: 4, closeTimeout: 0 });
    await tallyOf('active', worker).reached(4);
    await worker.close();
    expect((await queue.getWaiting()).map((job) => job.data as number)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('by force aborts at once, also when a patient close is under way', async () => {
    for (const patientFirst of [false, true]) {
      const queue = openQueue();
      const reasons = new Tally<unknown>();
      const worker = openWorker(queue, obedient(reasons), { closeTimeout: 3_600_000 });
      const active = tallyOf('active', worker);
      const job = await queue.add('a', 1);
      await active.reached(1);
      const patient = patientFirst ? worker.close() : undefined;
      await worker.close(true);
      await patient;
      expect(reasons.seen).toHaveLength(1);
      expect(await queue.getJobState(job.id)).toBe('waiting');
    }
  });

  test('counts what succeeds in spite of the signal', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, (_job, _token, signal) => new Promise((resolve) => {
      signal?.addEventListener('abort', () => resolve('made it'));
    }), { closeTimeout: 0 });
    const active = tallyOf('active', worker);
    const job = await queue.add('a', 1);
    await active.reached(1);
    await worker.close();
    expect((await queue.getJob(job.id))?.returnvalue).toBe('made it');
  });

  test('while idle and blocked does not wait for anything', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined, { drainDelay: 3_600 });
    await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
    await worker.close();
    await until('its blocking connection is gone', async () => (await queue.getWorkersCount()) === 0);
  });

  test('twice is one close; before ready it is clean', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    const closed: unknown[] = [];
    worker.on('closed', () => closed.push(1));
    expect(worker.isClosing()).toBe(false);
    await Promise.all([worker.close(), worker.close()]);
    await worker.close();
    expect(closed).toHaveLength(1);
    expect(worker.isClosing()).toBe(true);
  });

  test('is what `await using` does', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    await worker[Symbol.asyncDispose]();
    expect(await refusal(() => worker.getNextJob())).toMatchObject({ code: 'CLOSED' });
  });

  test('leaves other workers of the process running', async () => {
    const queue = openQueue();
    const [one, other] = [openWorker(queue, () => undefined), openWorker(queue, () => undefined)];
    await one.close();
    const job = await queue.add('a', 1);
    await finished(other, job.id);
  });
});

describe('jobs fetched ahead', () => {
  test('behind a slow job are handed back to whoever is free', async () => {
    const queue = openQueue();
    const jobs = await addNumbered(queue, 400);
    const end = gate();
    // Fast jobs teach the worker to fetch ahead; then one is slow.
    const worker = openWorker(queue, (job) => ((job.data as number) === 300 ? end.promise : undefined), { concurrency: 1 });
    const done = tallyOf('completed', worker);
    await done.reached(300);
    const helper = openWorker(queue, () => undefined);
    const helped = tallyOf('completed', helper);
    await helped.reached(99);
    expect((await queue.getActive()).map((job) => job.data as number)).toEqual([300]);
    end.open();
    await done.reached(301);
    for (const job of await Promise.all(jobs.map(({ id }) => queue.getJob(id)))) {
      expect(job).toMatchObject({ attemptsMade: 1, attemptsStarted: 1, stalledCounter: 0 });
    }
  });
});
