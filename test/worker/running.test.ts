import { describe, expect, test } from 'vitest';
import { type Job } from 'drover';
import { addNumbered, finished, gate, idleWorkers, once, openQueue, openWorker, refusal, Tally, tallyOf } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('order', () => {
  test('is FIFO at concurrency 1', async () => {
    const queue = openQueue();
    const jobs = await addNumbered(queue, 500);
    const started: string[] = [];
    const worker = openWorker(queue, (job) => void started.push(job.id));
    await tallyOf('completed', worker).reached(500);
    expect(started).toEqual(jobs.map((job) => job.id));
  });

  test('is FIFO also for jobs that arrive one by one', async () => {
    const queue = openQueue();
    const started: number[] = [];
    const worker = openWorker(queue, async (job) => {
      started.push(job.data as number);
      await new Promise((resolve) => setImmediate(resolve));
    });
    const done = tallyOf('completed', worker);
    for (const i of range(100)) await queue.add('a', i);
    await done.reached(100);
    expect(started).toEqual(range(100));
  });

  test('puts lower priorities first', async () => {
    const queue = openQueue();
    await queue.addBulk([3, 1, 0, 2].map((priority) => ({ name: 'a', data: priority, opts: { priority } })));
    const started: [number, number][] = [];
    const worker = openWorker(queue, (job) => void started.push([job.data as number, job.priority]));
    await tallyOf('completed', worker).reached(4);
    expect(started).toEqual([[0, 0], [1, 1], [2, 2], [3, 3]]);
  });
});

describe('concurrency', () => {
  test.each([1, 3, 10, 100])('%i jobs run at a time, no more', async (concurrency) => {
    const queue = openQueue();
    await addNumbered(queue, concurrency * 3);
    const end = gate();
    let running = 0;
    let most = 0;
    const worker = openWorker(queue, async () => {
      most = Math.max(most, ++running);
      await end.promise;
      running--;
    }, { concurrency });
    const [active, done] = [tallyOf('active', worker), tallyOf('completed', worker)];
    await active.reached(concurrency);
    expect(await queue.getActiveCount()).toBe(concurrency);
    end.open();
    await done.reached(concurrency * 3);
    expect(most).toBe(concurrency);
  });

  test('can be raised while running', async () => {
    const queue = openQueue();
    await addNumbered(queue, 10);
    const worker = openWorker(queue, () => gate().promise, { concurrency: 2, closeTimeout: 0 });
    const active = tallyOf('active', worker);
    await active.reached(2);
    worker.concurrency = 6;
    await active.reached(6);
    expect(worker.concurrency).toBe(6);
    expect(await queue.getActiveCount()).toBe(6);
  });

  test('can be raised while idle', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => gate().promise, { closeTimeout: 0 });
    await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
    worker.concurrency = 4;
    const active = tallyOf('active', worker);
    await addNumbered(queue, 6);
    await active.reached(4);
    expect(await queue.getWaitingCount()).toBe(2);
  });

  test('can be lowered; what runs runs on', async () => {
    const queue = openQueue();
    await addNumbered(queue, 20);
    const ends = range(20).map(() => gate());
    let running = 0;
    const after: number[] = [];
    const worker = openWorker(queue, async (job) => {
      running++;
      if ((job.data as number) >= 4) after.push(running);
      await ends[job.data as number]?.promise;
      running--;
    }, { concurrency: 4 });
    const [active, done] = [tallyOf('active', worker), tallyOf('completed', worker)];
    await active.reached(4);
    worker.concurrency = 1;
    for (const end of ends) end.open();
    await done.reached(20);
    expect(Math.max(...after)).toBe(1);
  });

  test.each([0, -1, 1.5, NaN, 1e9, '2'])('%j is refused', async (value) => {
    const worker = openWorker(openQueue(), () => undefined, { autorun: false });
    expect(await refusal(() => (worker.concurrency = value as number))).toMatchObject({ code: 'INVALID_OPTION', field: 'concurrency' });
    expect(worker.concurrency).toBe(1);
  });
});

describe('handlers', () => {
  test('may be synchronous or asynchronous, or answer a thenable', async () => {
    const queue = openQueue();
    const jobs = await queue.addBulk(['sync', 'async', 'thenable'].map((name) => ({ name, data: 0 })));
    const worker = openWorker(queue, (job) => {
      if (job.name === 'sync') return 1;
      if (job.name === 'async') return Promise.resolve(2);
      return { then: (resolve: (value: number) => void) => resolve(3) };
    });
    const done = await Promise.all(jobs.map((job) => finished(worker, job.id)));
    expect(done.map((job) => job.returnvalue as number)).toEqual([1, 2, 3]);
  });

  test('see the job as it was added', async () => {
    const queue = openQueue();
    const job = await queue.add('send', { to: 'ann' }, { attempts: 2, priority: 4, timestamp: 99 });
    const seen = new Tally<object>();
    const worker = openWorker(queue, (running, token) => seen.add({ ...running.toJSON(), given: token }), { name: 'w1' });
    const done = await finished(worker, job.id);
    expect(seen.seen[0]).toMatchObject({
      id: job.id, name: 'send', data: { to: 'ann' }, priority: 4, timestamp: 99, attemptsStarted: 1, attemptsMade: 0,
      processedBy: 'w1', given: done.token,
    });
    expect(done).toMatchObject({ attemptsMade: 1, processedBy: 'w1' });
    expect(done.finishedOn).toBeGreaterThanOrEqual(done.processedOn ?? Infinity);
    expect(await queue.getJob(job.id)).toMatchObject({ processedBy: 'w1', attemptsMade: 1, attemptsStarted: 1, finishedOn: done.finishedOn, processedOn: done.processedOn });
  });

  test('may be one per name, with one for all others', async () => {
    const queue = openQueue();
    const names = ['a', 'toString', 'other'];
    const jobs = await queue.addBulk(names.map((name) => ({ name, data: 0 })));
    const { Worker } = await import('drover');
    const worker = new Worker(queue.name, { a: () => 'for a', '*': (job: Job) => `for all: ${job.name}` }, { connection: queue.opts.connection });
    const done = await Promise.all(jobs.map((job) => finished(worker, job.id)));
    await worker.close();
    expect(done.map((job) => job.returnvalue as string)).toEqual(['for a', 'for all: toString', 'for all: other']);
  });

  test('of the wrong names fail the job, naming it', async () => {
    const queue = openQueue();
    const job = await queue.add('toString', 0);
    const { Worker } = await import('drover');
    const worker = new Worker(queue.name, { a: () => 1 }, { connection: queue.opts.connection });
    await expect(finished(worker, job.id)).rejects.toMatchObject({ code: 'INVALID_HANDLER', message: expect.stringContaining('toString') });
    await worker.close();
  });
});

describe('run', () => {
  test('is up to the caller without autorun, and resolves when the worker is closed', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const worker = openWorker(queue, () => 'ran', { autorun: false });
    expect(worker.isRunning()).toBe(false);
    const done = finished(worker, job.id);
    const running = worker.run();
    expect(worker.isRunning()).toBe(true);
    expect((await done).returnvalue).toBe('ran');
    await worker.close();
    await running;
    expect(worker.isRunning()).toBe(false);
  });

  test('is refused twice, without a processor, and after close', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    expect(await refusal(() => worker.run())).toMatchObject({ code: 'ALREADY_RUNNING' });
    expect(await refusal(() => openWorker(queue, null).run())).toMatchObject({ code: 'INVALID_HANDLER' });
    await worker.close();
    expect(await refusal(() => worker.run())).toMatchObject({ code: 'CLOSED' });
  });
});

describe('events', () => {
  test('tell a job’s way: active, then completed, both after Redis agreed', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => 'x');
    const story: unknown[] = [];
    worker.on('active', (job: Job, previous) => story.push(['active', job.id, previous]));
    const state = new Promise((resolve) => {
      worker.on('completed', (job: Job, result, previous) => {
        story.push(['completed', job.id, result, previous]);
        resolve(queue.getJobState(job.id));
      });
    });
    const job = await queue.add('a', 1);
    expect(await state).toBe('completed');
    expect(story).toEqual([['active', job.id, 'waiting'], ['completed', job.id, 'x', 'active']]);
  });

  test('failed comes after Redis agreed', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => {
      throw new Error('no');
    });
    const seen = new Promise((resolve) => {
      worker.on('failed', (job, error, previous) => {
        resolve((async () => [error.message, previous, await queue.getJobState(job?.id ?? '')])());
      });
    });
    await queue.add('a', 1);
    expect(await seen).toEqual(['no', 'active', 'failed']);
  });

  test('drained comes when all is done, once', async () => {
    const queue = openQueue();
    await addNumbered(queue, 20);
    const worker = openWorker(queue, () => undefined, { concurrency: 4 });
    const done = tallyOf('completed', worker);
    const counts: number[] = [];
    worker.on('drained', () => counts.push(done.seen.length));
    await done.reached(20);
    await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
    expect(counts.at(-1)).toBeGreaterThanOrEqual(16);
    expect(counts.length).toBeLessThanOrEqual(2);
  });

  test('ready, closing and closed frame a worker’s life', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => undefined);
    const heard: string[] = [];
    for (const event of ['ready', 'closing', 'closed'] as const) worker.on(event, () => heard.push(event));
    await once(worker, 'ready');
    await worker.close();
    expect(heard).toEqual(['ready', 'closing', 'closed']);
  });

  test('a listener that throws or rejects hurts nobody, and is reported', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => 'x', { concurrency: 2 });
    const errors: string[] = [];
    worker.on('error', (error: Error) => {
      errors.push(error.message);
      throw new Error('even this one');
    });
    worker.on('active', () => {
      throw new Error('in active');
    });
    worker.on('completed', () => {
      throw new Error('in completed');
    });
    worker.on('completed', async () => Promise.reject(new Error('later')));
    const done = tallyOf('completed', worker);
    await addNumbered(queue, 10);
    await done.reached(10);
    await until('all are reported', () => errors.length === 30);
    expect(await queue.getCompletedCount()).toBe(10);
  });

  test('a listener that throws something odd is reported too', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => 'x');
    const reported = once<[Error]>(worker, 'error');
    worker.on('completed', () => {
      throw undefined as unknown as Error;
    });
    await queue.add('a', 1);
    expect((await reported)[0]).toBeInstanceOf(Error);
  });
});
