import { describe, expect, it } from 'vitest';
import { StateError, TimeoutError } from 'drover';
import { Bench, Ear } from './open.js';

const falsy = [['undefined', undefined], ['null', null], ['false', false], ['0', 0], ["''", '']] as const;

describe('waitUntilFinished', () => {
  it('resolves with the result of a job that ends later', async () => {
    const bench = new Bench();
    const job = await bench.queue().add('x', 20);
    const waiting = job.waitUntilFinished(bench.events());
    bench.worker(async ({ data }) => (data as number) + 1);
    expect(await waiting).toBe(21);
  });

  it('resolves with the result of a job that has ended long ago', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    const job = await bench.queue().add('x', {});
    bench.worker(async () => 'early');
    await ear.untilHeard('completed');
    expect(await job.waitUntilFinished(bench.events())).toBe('early');
  });

  it('resolves with the result of a job that ended and was removed before anyone waited', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    const queue = bench.queue();
    const jobs = await queue.addBulk(['a', 'b', 'c'].map((data) => ({ name: 'x', data, opts: { removeOnComplete: true, removeOnFail: true } })));
    bench.worker(async ({ data }) => {
      if (data === 'b') throw new Error('b is bad');
      return data as string;
    });
    await ear.until((heard) => heard.filter(({ event }) => event === 'completed' || event === 'failed').length === 3);
    for (let i = 0; i < 150; i++) await queue.add('later', {}, { delay: 100_000 });
    const events = bench.events();
    expect(await Promise.allSettled(jobs.map((job) => job.waitUntilFinished(events)))).toEqual([
      { status: 'fulfilled', value: 'a' }, { status: 'rejected', reason: new Error('b is bad') }, { status: 'fulfilled', value: 'c' },
    ]);
  });

  it.each(falsy)('resolves with %s as it was, from the event and from the job', async (_name, result) => {
    const bench = new Bench();
    const events = bench.events();
    const job = await bench.queue().add('x', {});
    const waiting = job.waitUntilFinished(events);
    bench.worker(async () => result);
    expect(await waiting).toBe(result);
    expect(await job.waitUntilFinished(events)).toBe(result);
  });

  it('rejects with the reason of the failure, from the event and from the job', async () => {
    const bench = new Bench();
    const events = bench.events();
    const job = await bench.queue().add('x', {});
    const waiting = job.waitUntilFinished(events);
    bench.worker(async () => {
      throw new TypeError('out of paper');
    });
    await expect(waiting).rejects.toThrow(new Error('out of paper'));
    await expect(job.waitUntilFinished(events)).rejects.toThrow(new Error('out of paper'));
  });

  it('waits for the last attempt', async () => {
    const bench = new Bench();
    const job = await bench.queue().add('x', {}, { attempts: 3 });
    const waiting = job.waitUntilFinished(bench.events());
    bench.worker(async ({ attemptsMade }) => {
      if (attemptsMade < 2) throw new Error('again');
      return attemptsMade;
    });
    expect(await waiting).toBe(2);
  });

  it('gives up after ttl, and leaves nothing behind', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    const job = await bench.queue().add('x', {});
    await expect(job.waitUntilFinished(events, 30)).rejects.toThrow(TimeoutError);
    await expect(job.waitUntilFinished(events, 30)).rejects.toThrow(/after 30ms/);
    bench.worker(async () => 1);
    expect(await job.waitUntilFinished(events)).toBe(1);
    expect(events.eventNames()).toEqual(['error']);
  });

  it('gives up when its signal fires', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    const job = await bench.queue().add('x', {});
    const controller = new AbortController();
    const waiting = events.waitFor(job.id, { signal: controller.signal });
    controller.abort(new Error('never mind'));
    await expect(waiting).rejects.toThrow('never mind');
    await expect(events.waitFor(job.id, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('rejects JOB_NOT_FOUND for a job that never was or was removed', async () => {
    const bench = new Bench();
    const events = bench.events();
    const queue = bench.queue();
    await expect(events.waitFor('nobody')).rejects.toThrow(expect.objectContaining({ code: 'JOB_NOT_FOUND' }));

    const [before, during] = await queue.addBulk([{ name: 'x', data: 0 }, { name: 'x', data: 0 }]);
    await before?.remove();
    await expect(before?.waitUntilFinished(events)).rejects.toThrow(StateError);
    const waiting = during?.waitUntilFinished(events);
    waiting?.catch(() => undefined);
    await during?.remove();
    await expect(waiting).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('finds the end of a job that someone removed after it, but not of one that was removed on its second way', async () => {
    const bench = new Bench();
    const queue = bench.queue();
    const events = await bench.readyEvents();
    const worker = bench.worker(async () => 'done');
    await queue.addAndWait('x', {}, { queueEvents: events, jobId: 'ended' });
    await queue.addAndWait('x', {}, { queueEvents: events, jobId: 'again' });
    await worker.close();
    await (await queue.getJob('again'))?.retry('completed');
    expect(await Promise.all([queue.remove('ended'), queue.remove('again')])).toEqual([1, 1]);
    expect(await events.waitFor('ended')).toBe('done');
    await expect(events.waitFor('again')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('rejects when the events are closed, and for those of another queue', async () => {
    const bench = new Bench();
    const events = bench.events();
    const job = await bench.queue().add('x', {});
    const waiting = job.waitUntilFinished(events);
    waiting.catch(() => undefined);
    await events.close();
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(job.waitUntilFinished(events)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(job.waitUntilFinished(new Bench().events())).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'queueEvents.qualifiedName' });
  });

  it('begins to read when nobody has', async () => {
    const bench = new Bench();
    const job = await bench.queue().add('x', {});
    const waiting = job.waitUntilFinished(bench.events({ autorun: false }));
    bench.worker(async () => 'read');
    expect(await waiting).toBe('read');
  });

  it('misses nothing when events are lost while the connection is cut', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    const queue = bench.queue();
    const job = await queue.add('x', {});
    const waiting = job.waitUntilFinished(events);
    await bench.untilReading();
    const worker = bench.worker(null);
    const taken = await worker.getNextJob('token');
    // The job ends and its event is gone before the reader is back.
    await bench.cutReader();
    await taken?.moveToCompleted('kept', 'token');
    await queue.trimEvents(0);
    expect(await waiting).toBe('kept');
  });

  it('finds the end of kept jobs when the queue has no events at all', async () => {
    const bench = new Bench();
    const queue = bench.queue({ streams: { events: { maxLen: 0 } } });
    const redis = bench.redis();
    await expect.poll(() => redis.hget(bench.key('meta'), 'maxEvents'), { interval: 5 }).toBe('0');
    const job = await queue.add('x', {});
    const waiting = job.waitUntilFinished(bench.events());
    bench.worker(async () => 'silent');
    expect(await waiting).toBe('silent');
  });

  it('serves thousands of waits at once', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    const jobs = await bench.queue().addBulk(Array.from({ length: 3_000 }, (_, data) => ({ name: 'x', data, opts: { removeOnComplete: true } })));
    const waiting = Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
    bench.worker((async ({ data }) => data as number), { concurrency: 100 });
    expect(await waiting).toEqual(jobs.map(({ data }) => data as number));
  });
});

describe('addAndWait', () => {
  it('resolves with the result of a job that is removed when it ends, however fast', async () => {
    const bench = new Bench();
    const queue = bench.queue();
    bench.worker(async ({ data }) => data as number, { concurrency: 20 });
    const results = await Promise.all(Array.from({ length: 500 }, (_, i) => queue.addAndWait('x', i, { removeOnComplete: true })));
    expect(results).toEqual(Array.from({ length: 500 }, (_, i) => i));
  });

  it.each(falsy)('resolves with %s as it was', async (_name, result) => {
    const bench = new Bench();
    bench.worker(async () => result);
    expect(await bench.queue().addAndWait('x', {}, { removeOnComplete: true })).toBe(result);
  });

  it('rejects with the reason of the failure', async () => {
    const bench = new Bench();
    bench.worker(async () => {
      throw new Error('no');
    });
    await expect(bench.queue().addAndWait('x', {}, { removeOnFail: true })).rejects.toThrow(new Error('no'));
  });

  it('tells the end of this job from that of an earlier one of the same id', async () => {
    const bench = new Bench();
    const queue = bench.queue();
    let run = 0;
    bench.worker(async () => ++run);
    for (let i = 1; i <= 50; i++) expect(await queue.addAndWait('x', {}, { jobId: 'same', removeOnComplete: true })).toBe(i);
  });

  it('waits for the job that stands in the place', async () => {
    const bench = new Bench();
    const queue = bench.queue();
    await queue.add('x', 'first', { jobId: 'j' });
    const waiting = queue.addAndWait('x', 'second', { jobId: 'j' });
    bench.worker(async ({ data }) => data as string);
    expect(await waiting).toBe('first');
    expect(await queue.addAndWait('x', 'third', { jobId: 'j' })).toBe('first');
  });

  it('uses the events it is given, and gives up on timeout and abort while the job stays', async () => {
    const bench = new Bench();
    const queue = bench.queue();
    const queueEvents = await bench.readyEvents();
    await expect(queue.addAndWait('x', {}, { queueEvents, timeout: 30, jobId: 'late' })).rejects.toThrow(TimeoutError);
    await expect(queue.addAndWait('x', {}, { queueEvents, signal: AbortSignal.abort(), jobId: 'never' })).rejects.toMatchObject({ name: 'AbortError' });
    expect(await queue.getJobState('late')).toBe('waiting');
    expect(await queue.getJobState('never')).toBe('unknown');
  });

  it('rejects what add rejects, and when the queue is closed', async () => {
    const bench = new Bench();
    const queue = bench.queue();
    await expect(queue.addAndWait('', {})).rejects.toMatchObject({ code: 'INVALID_NAME' });
    await expect(queue.addAndWait('x', {}, { timeout: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTION', field: 'timeout' });
    const waiting = queue.addAndWait('x', {});
    waiting.catch(() => undefined);
    await queue.close();
    await expect(waiting).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
