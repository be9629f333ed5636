import { describe, expect, onTestFinished, test } from 'vitest';
import { Job, type Queue, type Worker } from 'drover';
import { addNumbered, gate, idleWorkers, openQueue, openWorker, redisUrl, refusal } from '../support/behaviour.js';
import { startRedis } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';

function hand(queue: Queue, opts = {}): Worker {
  return openWorker(queue, null, opts);
}

describe('getNextJob', () => {
  test('takes jobs in order, under the caller’s token', async () => {
    const queue = openQueue();
    const worker = hand(queue);
    await addNumbered(queue, 2);
    const first = await worker.getNextJob('t1');
    const second = await worker.getNextJob('t2');
    expect([first, second].map((job) => [job?.data as number, job?.token])).toEqual([[0, 't1'], [1, 't2']]);
    expect(first).toMatchObject({ attemptsStarted: 1, attemptsMade: 0 });
    expect(await queue.getActiveCount()).toBe(2);
  });

  test('answers nothing at once when told not to wait', async () => {
    expect(await hand(openQueue()).getNextJob('t', { block: false })).toBeUndefined();
  });

  test('waits for a job', async () => {
    const queue = openQueue();
    const taking = hand(queue).getNextJob('t');
    await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
    const added = await queue.add('a', 1);
    expect((await taking)?.id).toBe(added.id);
  });

  test('waits no longer than drainDelay', async () => {
    expect(await hand(openQueue(), { drainDelay: 0.05 }).getNextJob('t')).toBeUndefined();
  });

  test('ends with the worker', async () => {
    const queue = openQueue();
    const worker = hand(queue, { drainDelay: 600 });
    const taking = worker.getNextJob('t');
    await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
    await worker.close();
    expect(await taking).toBeUndefined();
  });

  test('ends with a worker that is alone on its connection', async () => {
    const queue = openQueue();
    const worker = hand(queue, { drainDelay: 600, connection: { url: redisUrl, connectionName: 'alone' } });
    const taking = worker.getNextJob('t');
    await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
    await worker.close();
    expect(await taking).toBeUndefined();
  });

  test('hands out jobs that have begun: one whose takers disappear stalls, and does not go round for ever', async () => {
    const queue = openQueue();
    const taker = hand(queue, { lockDuration: 100 });
    const rescuer = hand(queue, { stalledInterval: 20, maxStalledCount: 1 });
    const stalls: unknown[] = [];
    rescuer.on('stalled', (id) => void stalls.push(id));
    await rescuer.startStalledCheckTimer();
    const { id } = await queue.add('a', 1);
    expect((await taker.getNextJob('first'))?.stalledCounter).toBe(0);
    expect((await taker.getNextJob('second'))?.stalledCounter).toBe(1);
    await until('it has failed', async () => (await queue.getJobState(id)) === 'failed');
    expect(stalls).toEqual([id, id]);
    expect(await queue.getJob(id)).toMatchObject({ stalledCounter: 2, attemptsMade: 0, failedReason: 'job stalled more than allowable limit' });
  });

  test('heeds a pause', async () => {
    const queue = openQueue();
    await queue.add('a', 1);
    await queue.pause();
    expect(await hand(queue).getNextJob('t', { block: false })).toBeUndefined();
  });

  test('called twice at a time waits twice, without asking all the while', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const queue = openQueue({ connection: { host: server.host, port: server.port } });
    const worker = hand(queue, { drainDelay: 600 });
    const taking = ['a', 'b'].map((token) => worker.getNextJob(token));
    await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
    const control = await server.control();
    await control.config('RESETSTAT');
    let looks = 0;
    await until('some time has passed', () => ++looks > 30);
    const calls = Number(/cmdstat_evalsha:calls=(\d+)/.exec(await control.info('commandstats'))?.[1] ?? 0);
    expect(calls).toBeLessThan(10);
    await addNumbered(queue, 2);
    const jobs = await Promise.all(taking);
    expect(jobs.map((job) => job?.data as number).sort()).toEqual([0, 1]);
  });

  test('leaves nothing behind in Redis for each call', async () => {
    const queue = openQueue();
    const worker = hand(queue);
    await addNumbered(queue, 50);
    for (let i = 0; i < 50; i++) {
      const job = await worker.getNextJob(`t${i}`);
      await job?.moveToCompleted(i, `t${i}`);
    }
    const sessions = Number(await queue.connection.command('hlen', [queue.toKey('sessions')], 'look'));
    expect(sessions).toBeLessThan(10);
  });
});

describe('ending a job by hand', () => {
  test('takes the next one along when asked to, which goes on as a handle', async () => {
    const queue = openQueue();
    const worker = hand(queue);
    await addNumbered(queue, 3);
    const first = await worker.getNextJob('t');
    const [json, id] = (await first?.moveToCompleted('one', 't', true)) ?? [];
    if (!json) throw new Error('nothing was taken along');
    const second = Job.fromJSON(worker, json, id);
    expect(second).toMatchObject({ id, data: 1, attemptsStarted: 1 });
    expect(await queue.getActiveCount()).toBe(1);
    expect(await second.moveToFailed(new Error('two'), 't')).toEqual([]);
    expect(await queue.getActiveCount()).toBe(0);
    const third = await worker.getNextJob('t');
    expect(await third?.moveToCompleted('three', 't', true)).toEqual([]);
    expect(await queue.getJobCounts('completed', 'failed', 'active', 'waiting')).toEqual({ completed: 2, failed: 1, active: 0, waiting: 0 });
  });

  test('completes it under its token', async () => {
    const queue = openQueue();
    const worker = hand(queue);
    await queue.add('a', 1);
    const job = await worker.getNextJob('t');
    const heard: unknown[] = [];
    worker.on('completed', (_done, result) => heard.push(result));
    await job?.moveToCompleted({ ok: true }, 't');
    expect(heard).toEqual([{ ok: true }]);
    expect(await queue.getJob(job?.id ?? '')).toMatchObject({ returnvalue: { ok: true }, attemptsMade: 1 });
  });

  test('fails the attempt, or the job', async () => {
    const queue = openQueue();
    const worker = hand(queue);
    await queue.add('a', 1, { attempts: 2 });
    const first = await worker.getNextJob('t');
    await first?.moveToFailed(new Error('first'), 't');
    expect(await first?.getState()).toBe('waiting');
    const second = await worker.getNextJob('u');
    await second?.moveToFailed(new Error('second'), 'u');
    expect(await queue.getJob(second?.id ?? '')).toMatchObject({ failedReason: 'second', attemptsMade: 2 });
    expect(await second?.getState()).toBe('failed');
  });

  test('moves it to a later time or back, without an attempt', async () => {
    const queue = openQueue();
    const worker = hand(queue);
    await queue.add('a', 1);
    const job = await worker.getNextJob('t');
    await job?.moveToDelayed((job.processedOn ?? 0) + 100_000, 't');
    expect(await job?.getState()).toBe('delayed');
    await job?.promote();
    const again = await worker.getNextJob('u');
    await again?.moveToWait('u');
    expect(await again?.getState()).toBe('waiting');
    expect(await queue.getJob(job?.id ?? '')).toMatchObject({ attemptsMade: 0 });
  });

  test('with the wrong token is refused, and changes nothing', async () => {
    const queue = openQueue();
    const worker = hand(queue);
    await queue.add('a', 1);
    const job = await worker.getNextJob('right');
    const tries = [
      () => job?.moveToCompleted(1, 'wrong'), () => job?.moveToFailed(new Error('x'), 'wrong'),
      () => job?.moveToDelayed(Date.now() + 1e6, 'wrong'), () => job?.moveToWait('wrong'), () => job?.extendLock('wrong', 10_000),
    ];
    for (const attempt of tries) expect(await refusal(attempt)).toMatchObject({ code: 'LEASE_LOST' });
    expect(await job?.getState()).toBe('active');
    await job?.moveToCompleted(1, 'right');
  });

  test('with the wrong token is refused inside a handler too', async () => {
    const queue = openQueue();
    await queue.add('a', 1);
    const outcome = gate<unknown>();
    openWorker(queue, async (job) => {
      outcome.open(await job.moveToCompleted('forged', 'wrong').then(() => 'accepted', (error: { code?: string }) => error.code));
    });
    expect(await outcome.promise).toBe('LEASE_LOST');
  });

  test('twice is refused', async () => {
    const queue = openQueue();
    const worker = hand(queue);
    await queue.add('a', 1);
    const job = await worker.getNextJob('t');
    await job?.moveToCompleted(1, 't');
    expect(await refusal(() => job?.moveToCompleted(2, 't'))).toMatchObject({ code: 'LEASE_LOST' });
    expect((await queue.getJob(job?.id ?? ''))?.returnvalue).toBe(1);
  });

  test('after the worker was closed is refused, never left hanging', async () => {
    const queue = openQueue();
    const worker = hand(queue);
    await queue.add('a', 1);
    const job = await worker.getNextJob('t');
    await worker.close();
    expect(await refusal(() => job?.moveToCompleted(1, 't'))).toMatchObject({ code: 'CLOSED' });
  });
});

describe('leases held by hand', () => {
  test('are extended under their token', async () => {
    const queue = openQueue();
    const worker = hand(queue, { lockDuration: 1_000 });
    await addNumbered(queue, 2);
    const [a, b] = [await worker.getNextJob('ta'), await worker.getNextJob('tb')];
    expect(await a?.extendLock('ta', 100_000)).toBe(1);
    expect(await worker.extendJobLocks([a?.id ?? '', b?.id ?? '', 'nobody'], ['ta', 'wrong', 'x'], 200_000)).toEqual([b?.id, 'nobody']);
    const deadline = Number(await queue.connection.command('zscore', [queue.toKey('active'), a?.id ?? ''], 'look'));
    expect(deadline).toBeGreaterThan((a?.processedOn ?? 0) + 150_000);
  });

  test('run out, and the job goes to another worker', async () => {
    const queue = openQueue();
    const worker = hand(queue, { lockDuration: 200 });
    await queue.add('a', 1);
    const job = await worker.getNextJob('t');
    const other = openWorker(queue, () => 'second', { lockDuration: 1_000 });
    await new Promise((resolve) => other.on('completed', resolve));
    expect(await refusal(() => job?.moveToCompleted('first', 't'))).toMatchObject({ code: 'LEASE_LOST' });
    expect((await queue.getJob(job?.id ?? ''))?.returnvalue).toBe('second');
  });
});
