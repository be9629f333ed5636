import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import Bull from 'drover/bull';
import { gate, rejection } from '../../support/behaviour.js';
import { next, openBull } from './support.js';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

describe('a processor', () => {
  test('returns a promise', async () => {
    const queue = openBull<{ n: number }>();
    void queue.process(async (job) => job.data.n + 1);
    expect(await (await queue.add({ n: 1 })).finished()).toBe(2);
  });

  test('calls back when it names a second parameter', async () => {
    const queue = openBull<{ n: number }>();
    void queue.process((job, done) => {
      if (job.data.n < 0) done(new Error('negative'));
      else setImmediate(() => done(null, { n: job.data.n }));
    });
    expect(await (await queue.add({ n: 1 })).finished()).toEqual({ n: 1 });
    expect(await rejection((await queue.add({ n: -1 })).finished())).toEqual(new Error('negative'));
  });

  test.each<[string, (queue: Bull.Queue) => unknown]>([
    ['throws', (queue) => queue.process(() => {
      throw new Error('at once');
    })],
    ['throws and would call back', (queue) => queue.process((_job, _done) => {
      throw new Error('at once');
    })],
    ['rejects', (queue) => queue.process(() => Promise.reject(new Error('at once')))],
  ])('that %s fails the job', async (_how, define) => {
    const queue = openBull();
    define(queue);
    expect(await rejection((await queue.add({})).finished())).toEqual(new Error('at once'));
  });

  test('has the queue as this', async () => {
    const queue = openBull();
    const seen = gate<unknown>();
    void queue.process(async function (this: unknown) {
      seen.open(this);
    });
    await queue.add({});
    expect(await seen.promise).toBe(queue);
  });

  test('gets the job that the events tell of', async () => {
    const queue = openBull();
    const seen: unknown[] = [];
    void queue.process(async (job) => void seen.push(job));
    queue.on('active', (job) => void seen.push(job));
    const completed = next(queue, 'completed');
    await queue.add({});
    const [job] = await completed;
    expect(seen).toEqual([job, job]);
    expect(seen[0]).toBe(job);
    expect(seen[0]).toBeInstanceOf(Bull.Job);
  });

  test('is stopped by the job’s timeout', async () => {
    const queue = openBull();
    const end = gate();
    void queue.process(() => end.promise);
    const failed = next(queue, 'failed');
    await queue.add({}, { timeout: 20 });
    const [, error] = await failed;
    expect(error).toMatchObject({ name: 'TimeoutError', message: expect.stringContaining('20 ms') });
    end.open();
  });

  test('can be cancelled by a listener to active', async () => {
    const queue = openBull();
    void queue.process(() => new Promise(() => undefined));
    queue.on('active', (_job, attempt) => attempt?.cancel());
    expect(await rejection((await queue.add({})).finished())).toEqual(new Error('Job was cancelled'));
  });
});

describe('process', () => {
  test('takes name, concurrency and processor in Bull’s orders', async () => {
    const queue = openBull();
    const ran: unknown[] = [];
    const all = gate();
    const say = (what: string) => async (job: Bull.Job) => {
      ran.push([what, job.name]);
      if (ran.length === 4) all.open();
    };
    void queue.process(say('unnamed'));
    void queue.process('a', say('named'));
    void queue.process('b', 2, say('named, concurrent'));
    void queue.process('*', 1, say('others'));
    await queue.add({});
    for (const name of ['a', 'b', 'c']) await queue.add(name, {});
    await all.promise;
    expect(new Map(ran as [string, string][])).toEqual(new Map([['unnamed', '__default__'], ['named', 'a'], ['named, concurrent', 'b'], ['others', 'c']]));
  });

  test('sums the concurrency of all processors, whatever the names', async () => {
    const queue = openBull();
    let running = 0;
    const [five, end] = [gate(), gate()];
    const work = async (): Promise<void> => {
      if (++running === 5) five.open();
      await end.promise;
      running--;
    };
    void queue.process('a', 2, work);
    void queue.process('b', 3, work);
    void queue.process('none', 0, work);
    await queue.addBulk(Array.from({ length: 8 }, () => ({ name: 'a', data: {} })));
    await five.promise;
    expect((await queue.getJobCounts()).active).toBe(5);
    end.open();
    await queue.whenCurrentJobsFinished();
  });

  test('fails jobs of a name without a processor', async () => {
    const queue = openBull();
    void queue.process('a', async () => undefined);
    const job = await queue.add('b', {});
    expect(await rejection(job.finished())).toEqual(new Error('Missing process handler for job type b'));
    const inherited = await queue.add('toString', {});
    expect(await rejection(inherited.finished())).toEqual(new Error('Missing process handler for job type toString'));
  });

  test('refuses a second processor of a name, and none', () => {
    const queue = openBull();
    void queue.process('a', async () => undefined);
    expect(() => queue.process('a', async () => undefined)).toThrow('Cannot define the same handler twice a');
    void queue.process(async () => undefined);
    expect(() => queue.process(async () => undefined)).toThrow('Cannot define the same handler twice __default__');
    expect(() => queue.process('b', undefined as never)).toThrow('Cannot set an undefined handler');
    expect(Object.keys(queue.handlers)).toEqual(['a', '__default__']);
  });

  test('refuses half a job at a time', async () => {
    const queue = openBull();
    const told = next(queue, 'error');
    expect(await rejection(queue.process(1.5, async () => undefined))).toEqual(new Error('Cannot set Float as concurrency'));
    expect(await told).toEqual([new Error('Cannot set Float as concurrency')]);
  });

  test('resolves when the queue is closed', async () => {
    const queue = openBull();
    const processing = queue.process(async () => undefined);
    await queue.close();
    await processing;
  });
});

describe('a file', () => {
  test('processes in another process, with Bull’s methods', async () => {
    const queue = openBull<object>();
    void queue.process(fixture('promise.cjs'));
    const progressed = next(queue, 'progress');
    const job = await queue.add({ n: 1 });
    const result = await job.finished() as { pid: number };
    expect(result).toMatchObject({ progress: 50, data: { n: 1, seen: true } });
    expect(result.pid).not.toBe(process.pid);
    expect(await progressed).toEqual([expect.objectContaining({ id: job.id }), 50]);
    expect(await queue.getJobLogs(job.id)).toEqual({ logs: ['working on __default__'], count: 1 });
    expect((await queue.getJob(job.id))?.data).toEqual({ n: 1, seen: true });
  });

  test('calls back, and keeps falsy results', async () => {
    const queue = openBull();
    void queue.process('other', async () => 'in this process');
    void queue.process(2, fixture('callback'.concat('.cjs')));
    expect(await (await queue.add({ answer: 0 })).finished()).toBe(0);
    expect(await rejection((await queue.add({ fail: true })).finished())).toEqual(new Error('called back'));
    expect(await (await queue.add('other', {})).finished()).toBe('in this process');
  });

  test('may be a module, and discards', async () => {
    const queue = openBull();
    void queue.process('*', 1, fixture('module.mjs'));
    expect(await (await queue.add({ n: 3 }, { attempts: 3 })).finished()).toBe('module 3');
    const job = await queue.add('named', { discard: true }, { attempts: 3 });
    expect(await rejection(job.finished())).toEqual(new Error('never again'));
    expect((await queue.getJob(job.id))?.attemptsMade).toBe(1);
  });

  test('shares its processes among queues that say so', async () => {
    const settings = { isSharedChildPool: true };
    const [one, two] = [openBull({ settings }), openBull({ settings })];
    for (const queue of [one, two]) void queue.process(fixture('promise.cjs'));
    const first = await (await one.add({})).finished() as { pid: number };
    await one.close();
    expect(await (await two.add({})).finished()).toMatchObject({ pid: first.pid });
  });

  test('has to exist', () => {
    expect(() => openBull().process('/no/such/file')).toThrow('File /no/such/file.js does not exist');
  });
});
