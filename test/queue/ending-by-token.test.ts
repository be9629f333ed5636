import { describe, expect, test } from 'vitest';
import { FlowProducer, UnrecoverableError, type Job, type Queue } from 'drover';
import { openQueue, openRedis, openWorker, redisUrl, refusal } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

/** A job that is held under the token `t`, as a queue's handle that was read before and one that is read after. */
async function held(queue: Queue, opts = {}): Promise<{ before: Job; after: Job }> {
  const before = await queue.add('a', 1, opts);
  await openWorker(queue, null).getNextJob('t');
  const after = await queue.getJob(before.id);
  if (!after) throw new Error('gone');
  return { before, after };
}

const moves: [name: string, move: (job: Job, token: string) => Promise<unknown>][] = [
  ['complete', (job, token) => job.moveToCompleted('done', token)],
  ['fail', (job, token) => job.moveToFailed(new Error('bad'), token)],
  ['delay', (job, token) => job.moveToDelayed(Date.now() + 100_000, token)],
  ['give back', (job, token) => job.moveToWait(token)],
  ['extend', (job, token) => job.extendLock(token, 60_000)],
  ['hold back', (job, token) => job.moveToWaitingChildren(token)],
];

describe.each(['before', 'after'] as const)('a handle of a queue that was read %s the take, with the token of the lease', (which) => {
  test('completes the job', async () => {
    const queue = openQueue();
    const job = (await held(queue))[which];
    expect(await job.moveToCompleted({ ok: 0 }, 't')).toEqual([]);
    expect(job).toMatchObject({ returnvalue: { ok: 0 }, attemptsMade: 1 });
    const stored = await queue.getJob(job.id);
    expect(stored).toMatchObject({ returnvalue: { ok: 0 }, attemptsMade: 1, attemptsStarted: 1 });
    expect(stored?.processedOn).toBeGreaterThan(0);
    expect(await job.getState()).toBe('completed');
  });

  test('fails it, for a retry and for good, counting on from what Redis knows', async () => {
    const queue = openQueue();
    const job = (await held(queue, { attempts: 2, backoff: 1 }))[which];
    await job.moveToFailed(new Error('first'), 't');
    expect(await job.getState()).toBe('delayed');
    const worker = openWorker(queue, null);
    await worker.startStalledCheckTimer();
    await until('it waits again', async () => (await job.getState()) === 'waiting');
    await worker.getNextJob('u');
    await job.moveToFailed(new Error('second'), 'u');
    expect(await job.getState()).toBe('failed');
    expect(await queue.getJob(job.id)).toMatchObject({ attemptsMade: 2, failedReason: 'second', stacktrace: [expect.any(String), expect.any(String)] });
  });

  test('delays it, gives it back and extends its lease, which are no attempts', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, null);
    const job = (await held(queue))[which];
    expect(await job.extendLock('t', 500_000)).toBe(1);
    expect(Number(await queue.connection.command('zscore', [queue.toKey('active'), job.id], 'look'))).toBeGreaterThan(Date.now() + 400_000);
    expect(await job.moveToWait('t')).toBe(0);
    await worker.getNextJob('u');
    await job.moveToDelayed(Date.now() + 100_000, 'u');
    expect(await job.getState()).toBe('delayed');
    expect((await queue.getJob(job.id))?.attemptsMade).toBe(0);
  });

  test('with another token, or none, is refused and changes nothing', async () => {
    const queue = openQueue();
    const job = (await held(queue))[which];
    for (const [, move] of moves) expect(await refusal(() => move(job, 'other'))).toMatchObject({ code: 'LEASE_LOST' });
    expect(await refusal(() => job.moveToDelayed(Date.now() + 1))).toMatchObject({ code: 'WRONG_STATE', field: 'token', message: expect.stringMatching(/getNextJob/) });
    expect(await refusal(() => job.moveToWait())).toMatchObject({ code: 'WRONG_STATE' });
    expect(await queue.getJob(job.id)).toMatchObject({ token: 't', attemptsMade: 0 });
    await job.moveToCompleted(1, 't');
  });
});

describe('a handle of a queue', () => {
  test('refuses jobs that nobody holds, that have ended and that are gone', async () => {
    const queue = openQueue();
    const waiting = await queue.add('a', 1);
    for (const [, move] of moves) {
      expect(await refusal(() => move(waiting, 't'))).toMatchObject({ code: 'WRONG_STATE', message: expect.stringMatching(/not in the active state: could not [a-z ]+ it, for it is waiting/) });
    }
    const { after } = await held(openQueue());
    await after.moveToCompleted(1, 't');
    expect(await refusal(() => after.moveToCompleted(2, 't'))).toMatchObject({ code: 'WRONG_STATE' });
    await after.remove();
    expect(await refusal(() => after.moveToFailed(new Error('x'), 't'))).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  test('takes no next job, and then ends none either', async () => {
    const { after } = await held(openQueue());
    expect(await refusal(() => after.moveToCompleted(1, 't', true))).toMatchObject({ code: 'WRONG_STATE', message: expect.stringMatching(/belongs to no worker/) });
    expect(await after.getState()).toBe('active');
  });

  test('asks the queue’s backoffStrategy, and refuses to guess without one', async () => {
    const opts = { attempts: 2, backoff: { type: 'own' } };
    const queue = openQueue({ settings: { backoffStrategy: () => 100_000 } });
    const { after } = await held(queue, opts);
    await after.moveToFailed(new Error('x'), 't');
    expect(await after.getState()).toBe('delayed');
    const without = (await held(openQueue(), opts)).after;
    expect(await refusal(() => without.moveToFailed(new Error('x'), 't'))).toMatchObject({ code: 'INVALID_OPTION', field: 'settings.backoffStrategy' });
    expect(await without.getState()).toBe('active');
  });

  test('ends a child of a flow, which its parent hears of at once; a parent waits', async () => {
    const queue = openQueue();
    const flows = new FlowProducer({ connection: redisUrl });
    try {
      const { job: parent } = await flows.add({ name: 'p', queueName: queue.name, children: [{ name: 'c', queueName: queue.name, data: 1 }] });
      const child = await openWorker(queue, null).getNextJob('t');
      await (await queue.getJob(child?.id ?? ''))?.moveToCompleted('value', 't');
      expect(await parent.getState()).toBe('waiting');
      await openWorker(queue, null).getNextJob('p');
      expect(await parent.moveToWaitingChildren('p')).toBe(false);
      await parent.moveToFailed(new UnrecoverableError('enough'), 'p');
      expect(await parent.getState()).toBe('failed');
    } finally {
      await flows.close();
    }
  });

  test('of a job that a handler runs takes it away from its worker, which is told', async () => {
    const queue = openQueue();
    const token = new Promise<string>((resolve) => {
      openWorker(queue, async (_job, given) => {
        resolve(given ?? '');
        await until('someone else has ended it', async () => (await queue.getCompletedCount()) === 1);
        return 'too late';
      });
    });
    const { id } = await queue.add('a', 1);
    const known = await token;
    const job = await queue.getJob(id);
    await job?.moveToCompleted('mine', known);
    expect((await queue.getJob(id))?.returnvalue).toBe('mine');
  });

  test('leaves one session behind, however many it ends', async () => {
    const queue = openQueue();
    for (let i = 0; i < 5; i++) await (await held(queue)).after.moveToCompleted(i, 't');
    const names = await openRedis().hkeys(queue.toKey('sessions'));
    expect(names.filter((name) => name.startsWith('c'))).toHaveLength(1);
  });
});
