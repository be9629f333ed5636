import { describe, expect, test } from 'vitest';
import { type Job, type Queue } from 'drover';
import { addNumbered, finished, gate, openQueue, openWorker, refusal, tallyOf } from '../support/behaviour.js';

describe('logs', () => {
  test('count up, page and turn around', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const counts = [];
    for (const row of ['one', 'two', 'three', 'four']) counts.push(await job.log(row));
    expect(counts).toEqual([1, 2, 3, 4]);
    expect(await queue.getJobLogs(job.id)).toEqual({ logs: ['one', 'two', 'three', 'four'], count: 4 });
    expect((await queue.getJobLogs(job.id, 1, 2)).logs).toEqual(['two', 'three']);
    expect((await queue.getJobLogs(job.id, 0, -2)).logs).toEqual(['one', 'two', 'three']);
    expect((await queue.getJobLogs(job.id, -2, -1)).logs).toEqual(['three', 'four']);
    expect((await queue.getJobLogs(job.id, 0, 1, false)).logs).toEqual(['four', 'three']);
    expect((await queue.getJobLogs(job.id, 9, 12)).logs).toEqual([]);
  });

  test('hold numbers, flags and errors as text', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    for (const row of [5, false, 10n, new TypeError('told')]) await job.log(row as unknown as string);
    expect((await queue.getJobLogs(job.id)).logs).toEqual(['5', 'false', '10', 'TypeError: told']);
  });

  test('keep the newest rows that the job allows', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { keepLogs: 2 });
    for (const row of ['one', 'two', 'three']) await job.log(row);
    expect(await queue.getJobLogs(job.id)).toEqual({ logs: ['two', 'three'], count: 2 });
    expect(await queue.addJobLog(job.id, 'four', 1)).toBe(1);
    expect((await queue.getJobLogs(job.id)).logs).toEqual(['four']);
  });

  test('are cleared, or cut to their newest', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    for (const row of ['one', 'two', 'three']) await job.log(row);
    await job.clearLogs(1);
    expect((await queue.getJobLogs(job.id)).logs).toEqual(['three']);
    await job.clearLogs();
    expect(await queue.getJobLogs(job.id)).toEqual({ logs: [], count: 0 });
  });

  test('stay bounded at a mebibyte and go with the job', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    for (let i = 0; i < 12; i++) await job.log(`${i}`.padEnd(100_000, '.'));
    const { logs, count } = await queue.getJobLogs(job.id);
    expect(logs.length).toBe(count);
    expect(logs.join('').length).toBeLessThanOrEqual(1 << 20);
    expect(logs.at(-1)?.startsWith('11')).toBe(true);
    await job.remove();
    expect((await queue.getJobLogs(job.id)).count).toBe(0);
  });

  test('of a job that is gone are refused', async () => {
    const queue = openQueue();
    expect(await refusal(() => queue.addJobLog('nobody', 'row'))).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});

describe('progress', () => {
  test('is stored and announced to the worker’s listeners', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const worker = openWorker(queue, async (running) => {
      await running.updateProgress(50);
      await running.updateProgress({ step: 'last' });
    });
    const heard: unknown[] = [];
    worker.on('progress', (_job, progress: unknown) => heard.push(progress));
    await finished(worker, job.id);
    expect(heard).toEqual([50, { step: 'last' }]);
    expect((await queue.getJob(job.id))?.progress).toEqual({ step: 'last' });
  });

  test('can be set from the queue, on jobs that exist', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    await queue.updateJobProgress(job.id, 'half');
    expect((await queue.getJob(job.id))?.progress).toBe('half');
    expect(await refusal(() => queue.updateJobProgress('nobody', 1))).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  test('starts at 0', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    expect((await queue.getJob(job.id))?.progress).toBe(0);
  });
});

describe('updateData', () => {
  test('replaces the data and nothing else', async () => {
    const queue = openQueue();
    const job = await queue.add('a', { v: 1 }, { jobId: 'mine', attempts: 3, backoff: 5, timestamp: 77, removeOnFail: 4 });
    const before = await queue.getJob('mine');
    await job.updateData({ v: 2 });
    const after = await queue.getJob('mine');
    expect(after?.data).toEqual({ v: 2 });
    expect(after?.opts).toEqual(before?.opts);
    expect(after?.timestamp).toBe(77);
  });

  test('leaves a number as backoff working', async () => {
    const queue = openQueue();
    const job = await queue.add('a', { v: 1 }, { attempts: 2, backoff: 1 });
    await job.updateData({ v: 2 });
    const worker = openWorker(queue, (running) => {
      if (running.attemptsMade === 0) throw new Error('first');
      return 'second';
    });
    expect((await finished(worker, job.id)).returnvalue).toBe('second');
  });

  test('respects the size limit of the job', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 'x', { sizeLimit: 500 });
    expect(await refusal(() => job.updateData('x'.repeat(1_000)))).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect((await queue.getJob(job.id))?.data).toBe('x');
  });

  test('refuses a job that is gone', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    await job.remove();
    expect(await refusal(() => job.updateData(2))).toMatchObject({ code: 'JOB_NOT_FOUND' });
    expect(await queue.getJob(job.id)).toBeUndefined();
  });
});

async function failedJob(queue: Queue, opts = {}): Promise<Job> {
  const job = await queue.add('fails', 1, opts);
  const worker = openWorker(queue, () => {
    throw new Error('no');
  });
  await finished(worker, job.id).catch(() => undefined);
  await worker.close();
  return (await queue.getJob(job.id)) as Job;
}

describe('retry', () => {
  test('puts a failed job back, keeping its attempts', async () => {
    const queue = openQueue();
    const job = await failedJob(queue);
    await job.retry();
    expect(await queue.getJob(job.id)).toMatchObject({ attemptsMade: 1, finishedOn: undefined, returnvalue: null });
    expect(await job.getState()).toBe('waiting');
    const worker = openWorker(queue, () => 'now');
    expect((await finished(worker, job.id)).attemptsMade).toBe(2);
  });

  test('can start the count anew', async () => {
    const queue = openQueue();
    const job = await failedJob(queue);
    await job.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    expect(await queue.getJob(job.id)).toMatchObject({ attemptsMade: 0, attemptsStarted: 0 });
  });

  test('runs a completed job again', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const worker = openWorker(queue, () => 'x');
    await finished(worker, job.id);
    await worker.close();
    await (await queue.getJob(job.id))?.retry('completed');
    expect(await job.getState()).toBe('waiting');
    expect((await queue.getJob(job.id))?.returnvalue).toBeNull();
  });

  test('keeps the priority', async () => {
    const queue = openQueue();
    const job = await failedJob(queue, { priority: 5 });
    await job.retry();
    expect(await job.getState()).toBe('prioritized');
    expect((await queue.getJob(job.id))?.priority).toBe(5);
  });

  test.each(['waiting', 'delayed', 'active'])('refuses a job that is %s', async (state) => {
    const queue = openQueue();
    const job = await queue.add('a', 1, state === 'delayed' ? { delay: 100_000 } : {});
    if (state === 'active') await tallyOf('active', openWorker(queue, () => gate().promise)).reached(1);
    expect(await refusal(() => job.retry())).toMatchObject({ code: 'WRONG_STATE' });
    expect(await job.getState()).toBe(state);
  });

  test('refuses a job that is gone', async () => {
    const queue = openQueue();
    const job = await failedJob(queue);
    await job.remove();
    expect(await refusal(() => job.retry())).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});

describe('promote, changeDelay, changePriority', () => {
  test('promote lets a delayed job wait for its turn at once', async () => {
    const queue = openQueue();
    const [job, other] = await addNumbered(queue, 2, { delay: 100_000 });
    await job?.promote();
    expect(await job?.getState()).toBe('waiting');
    expect(await other?.getState()).toBe('delayed');
    expect(job?.delay).toBe(0);
    expect(await refusal(() => job?.promote())).toMatchObject({ code: 'WRONG_STATE' });
  });

  test('promote keeps the priority', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { delay: 100_000, priority: 3 });
    await job.promote();
    expect(await job.getState()).toBe('prioritized');
  });

  test('changeDelay counts from now and reorders', async () => {
    const queue = openQueue();
    const first = await queue.add('first', 1, { delay: 100_000 });
    await queue.add('second', 1, { delay: 200_000 });
    await first.changeDelay(300_000);
    expect((await queue.getDelayed()).map((job) => job.name)).toEqual(['second', 'first']);
  });

  test('changeDelay to nothing lets it run', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { delay: 100_000 });
    const worker = openWorker(queue, () => 'ran');
    const done = finished(worker, job.id);
    await job.changeDelay(0);
    expect((await done).returnvalue).toBe('ran');
  });

  test('changeDelay refuses what is not delayed, or gone', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    expect(await refusal(() => job.changeDelay(10))).toMatchObject({ code: 'WRONG_STATE' });
    await job.remove();
    expect(await refusal(() => job.changeDelay(10))).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  test('changePriority moves a waiting job at once, to the end or the front', async () => {
    const queue = openQueue();
    const [a, b, c] = await addNumbered(queue, 3, { priority: 5 });
    await c?.changePriority({ priority: 1 });
    await a?.changePriority({ priority: 1, lifo: true });
    await b?.changePriority({ priority: 0 });
    expect((await queue.getJobs(['waiting', 'prioritized'], 0, -1, true)).map((job) => job.id)).toEqual([b?.id, a?.id, c?.id]);
  });

  test('changePriority holds for a delayed job once it is due', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1, { delay: 100_000 });
    await job.changePriority({ priority: 4 });
    await job.promote();
    expect((await queue.getJob(job.id))?.priority).toBe(4);
    expect(await job.getState()).toBe('prioritized');
  });

  test('changePriority refuses a job that is gone', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    await job.remove();
    expect(await refusal(() => job.changePriority({ priority: 1 }))).toMatchObject({ code: 'JOB_NOT_FOUND' });
  });
});

describe('remove', () => {
  test('takes a job of any state but active out, with all that is known of it', async () => {
    const queue = openQueue();
    const waiting = await queue.add('a', 1);
    const delayed = await queue.add('b', 1, { delay: 100_000 });
    const heard: unknown[] = [];
    queue.on('removed', (id) => heard.push(id));
    expect(await queue.remove(waiting.id)).toBe(1);
    expect(await queue.remove(delayed.id)).toBe(1);
    expect(heard).toEqual([waiting.id, delayed.id]);
    const failed = await failedJob(queue);
    await failed.remove();
    expect(await queue.getJobs()).toEqual([]);
    const left = await queue.connection.command('exists', ['job', 'state', 'outcome', 'history', 'failed'].map((key) => queue.toKey(key)), 'look');
    expect(left).toBe(0);
  });

  test('refuses while a worker holds the job', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const end = gate();
    const worker = openWorker(queue, () => end.promise);
    const done = finished(worker, job.id);
    await tallyOf('active', worker).reached(1);
    expect(await refusal(() => job.remove())).toMatchObject({ code: 'JOB_LOCKED' });
    expect(await queue.remove(job.id)).toBe(0);
    end.open();
    await done;
    expect(await queue.remove(job.id)).toBe(1);
  });

  test('of a job that is gone is no error', async () => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    await job.remove();
    await expect(job.remove()).resolves.toBeUndefined();
  });
});
