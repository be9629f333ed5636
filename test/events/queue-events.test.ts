import { describe, expect, it } from 'vitest';
import { Bench, Ear } from './open.js';

describe('the events of a queue', () => {
  it('tell the life of a job in order', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    const job = await bench.queue().add('mail', { to: 'a' });
    bench.worker(async () => 'sent');
    await ear.untilHeard('drained');

    const jobId = job.id;
    expect(ear.story).toEqual([
      ['added', { jobId, name: 'mail' }],
      ['waiting', { jobId }],
      ['active', { jobId, prev: 'waiting' }],
      ['completed', { jobId, returnvalue: 'sent', prev: 'active' }],
      ['drained', {}],
    ]);
  });

  it('number the events of one call within its entry, and give later calls later ids', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    const queue = bench.queue();
    await queue.addBulk([{ name: 'a', data: 1 }, { name: 'b', data: 2 }]);
    await queue.add('c', 3);
    await ear.untilHeard('waiting', 3);

    expect(ear.about('added').map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    const ids = ear.heard.map(({ id }) => id);
    const entry = ids[3] ?? '';
    expect(entry).toMatch(/^\d+-\d+$/);
    expect(ids.slice(0, 3)).toEqual([1, 2, 3].map((k) => `${entry}.${k}`));
    expect(ids[4]).not.toContain(entry);
  });

  it('name every job of a mixed batch', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    await bench.queue().addBulk([
      { name: 'delayed', data: 0, opts: { delay: 60_000, jobId: 'd' } },
      { name: 'plain', data: 0 },
      { name: 'custom', data: 0, opts: { jobId: 'c' } },
      { name: 'again', data: 0, opts: { jobId: 'c' } },
      { name: 'prioritized', data: 0, opts: { priority: 3, jobId: 'p' } },
    ]);
    await ear.until((heard) => heard.some(({ event, args }) => event === 'waiting' && args['jobId'] === 'p'));

    const names = Object.fromEntries(ear.about('added').map(({ name, jobId }) => [name, jobId])) as Record<string, unknown>;
    expect(names).toMatchObject({ delayed: 'd', custom: 'c', prioritized: 'p' });
    expect(Object.keys(names)).toHaveLength(4);
    expect(ear.about('duplicated')).toEqual([{ jobId: 'c' }]);
  });

  it.each([
    ['undefined', undefined], ['null', null], ['false', false], ['0', 0], ["''", ''], ['NaN', NaN],
    ['a list', []], ['a Date', new Date(7)], ['bytes', Buffer.from([0, 255])], ['a BigInt', 2n ** 70n],
  ])('bring the result %s as it was', async (_name, result) => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    await bench.queue().add('x', {});
    bench.worker(async () => result);
    await ear.untilHeard('completed');
    expect(ear.about('completed')[0]?.['returnvalue']).toEqual(result);
  });

  it('bring results that are kept nowhere else', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    await bench.queue().addBulk(Array.from({ length: 5 }, (_, i) => ({ name: 'x', data: i, opts: { removeOnComplete: true } })));
    bench.worker(async (job) => (job.data === 2 ? undefined : (job.data as number)));
    await ear.untilHeard('completed', 5);
    expect(ear.about('completed').map(({ returnvalue }) => returnvalue)).toEqual([0, 1, undefined, 3, 4]);
  });

  it('tell retries, the reason of the failure, and a way back', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    const queue = bench.queue();
    const job = await queue.add('x', {}, { attempts: 2, jobId: 'j' });
    bench.worker(async () => {
      throw new Error('no such host');
    });
    await ear.untilHeard('failed');

    expect(ear.about('waiting')).toEqual([{ jobId: 'j' }, { jobId: 'j', prev: 'active' }]);
    expect(ear.about('failed')).toEqual([{ jobId: 'j', failedReason: 'no such host', prev: 'active' }]);

    await queue.pause();
    await (await queue.getJob(job.id))?.retry();
    await ear.untilHeard('waiting', 3);
    expect(ear.about('waiting')[2]).toEqual({ jobId: 'j', prev: 'failed' });
  });

  it('tell delays, with the time at which they end', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    const queue = bench.queue();
    const before = Date.now();
    const job = await queue.add('x', {}, { delay: 50_000 });
    await job.promote();
    await ear.untilHeard('waiting');

    const [delayed] = ear.about('delayed') as [{ jobId: string; delay: number }];
    expect(delayed.jobId).toBe(job.id);
    expect(Math.abs(delayed.delay - before - 50_000)).toBeLessThan(10_000);
    expect(ear.story.map(([event]) => event)).toEqual(['added', 'delayed', 'waiting']);
    expect(ear.about('waiting')).toEqual([{ jobId: job.id, prev: 'delayed' }]);
  });

  it('tell progress of any kind', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    const job = await bench.queue().add('x', {});
    for (const progress of [0, 50, 'half', false, { page: 3, at: new Date(5) }]) await job.updateProgress(progress);
    await ear.untilHeard('progress', 5);
    expect(ear.about('progress').map(({ data }) => data)).toEqual([0, 50, 'half', false, { page: 3, at: new Date(5) }]);
  });

  it('tell pause, resume, removal, cleaning and deduplication', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    const queue = bench.queue();
    await queue.pause();
    await queue.add('x', {}, { jobId: 'gone' });
    await queue.remove('gone');
    await queue.add('x', {}, { jobId: 'first', deduplication: { id: 'once' } });
    await queue.add('x', {}, { jobId: 'second', deduplication: { id: 'once' } });
    await queue.resume();
    bench.worker(async () => 1);
    await ear.untilHeard('completed');
    await queue.clean(0, 0, 'completed');
    await ear.untilHeard('cleaned');

    expect(ear.about('paused')).toEqual([{}]);
    expect(ear.about('resumed')).toEqual([{}]);
    expect(ear.about('removed')).toMatchObject([{ jobId: 'gone' }]);
    expect(ear.about('deduplicated')).toEqual([{ jobId: 'first', deduplicationId: 'once', deduplicatedJobId: 'second' }]);
    expect(ear.about('cleaned')).toEqual([{ count: '1' }]);
    expect(ear.about('added').map(({ jobId }) => jobId)).toEqual(['gone', 'first']);
  });

  it('tell stalled jobs', async () => {
    const bench = new Bench();
    const ear = new Ear(await bench.readyEvents());
    await bench.queue().add('x', {}, { jobId: 'j' });
    const job = await bench.worker(null).getNextJob('token');
    await job?.extendLock('token', 1);
    bench.worker(async () => 'second try', { stalledInterval: 50 });
    await ear.untilHeard('completed');

    expect(ear.story.slice(3, 7)).toEqual([
      ['waiting', { jobId: 'j', prev: 'active' }],
      ['stalled', { jobId: 'j' }],
      ['active', { jobId: 'j', prev: 'waiting' }],
      ['completed', { jobId: 'j', returnvalue: 'second try', prev: 'active' }],
    ]);
  });

  it('are also told per job', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    const queue = bench.queue();
    const done = new Promise((resolve) => events.on('completed:mine', (args, id) => resolve([args.returnvalue, id])));
    await queue.addBulk([{ name: 'x', data: 1, opts: { jobId: 'other' } }, { name: 'x', data: 2, opts: { jobId: 'mine' } }]);
    bench.worker(async (job) => job.data as number);
    expect(await done).toEqual([2, expect.stringMatching(/^\d+-\d+(\.\d+)?$/)]);
  });

  it('come in full and in order for ten thousand jobs', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    const ended: number[] = [];
    const all = new Promise<void>((resolve) => events.on('completed', ({ returnvalue }) => {
      if (ended.push(returnvalue as number) === 10_000) resolve();
    }));
    const queue = bench.queue({ streams: { events: { maxLen: 1_000_000 } } });
    await queue.addBulk(Array.from({ length: 10_000 }, (_, i) => ({ name: 'x', data: i, opts: { removeOnComplete: true } })));
    bench.worker((async (job) => job.data as number), { concurrency: 200 });
    await all;
    expect(new Set(ended).size).toBe(10_000);
  });
});

describe('listeners', () => {
  it('that throw or reject are reported and hurt nobody', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    events.on('added', () => {
      throw new Error('first');
    });
    events.on('added', async () => {
      throw new Error('second');
    });
    const ear = new Ear(events);
    const queue = bench.queue();
    await queue.add('x', {});
    await queue.add('x', {});
    await ear.untilHeard('waiting', 2);
    expect(bench.errors.map(({ message }) => message).sort()).toEqual(['first', 'first', 'second', 'second']);
  });

  it('that throw without anybody who hears of errors hurt nobody', async () => {
    const bench = new Bench();
    const events = bench.bareEvents();
    await events.waitUntilReady();
    events.on('added', () => {
      throw new Error('nobody hears me');
    });
    const ear = new Ear(events);
    await bench.queue().add('x', {});
    await ear.untilHeard('waiting');
  });

  it('can be removed, and be called once only', async () => {
    const bench = new Bench();
    const events = await bench.readyEvents();
    const calls: string[] = [];
    const removed = (): void => void calls.push('removed');
    events.on('added', removed).off('added', removed);
    events.once('added', () => void calls.push('once'));
    const ear = new Ear(events);
    const queue = bench.queue();
    await queue.add('x', {});
    await queue.add('x', {});
    await ear.untilHeard('added', 2);
    expect(calls).toEqual(['once']);
  });
});

describe('options', () => {
  it.each([
    [{ lastEventId: 'yesterday' }, 'lastEventId'],
    [{ blockingTimeout: 0 }, 'blockingTimeout'],
    [{ autorun: 1 as unknown as boolean }, 'autorun'],
  ])('%j is refused', (opts, field) => {
    expect(() => new Bench().events(opts)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION', field }));
  });

  it('autorun: false reads nothing until run, which may be called once', async () => {
    const bench = new Bench();
    const events = bench.events({ autorun: false });
    const ear = new Ear(events);
    await events.waitUntilReady();
    const queue = bench.queue();
    await queue.add('before', {});
    const running = events.run();
    await expect(events.run()).rejects.toMatchObject({ code: 'ALREADY_RUNNING' });
    await events.waitUntilReady();
    await queue.add('after', {});
    await ear.untilHeard('added');
    expect(ear.about('added').map(({ name }) => name)).toEqual(['after']);
    await events.close();
    await running;
  });
});
