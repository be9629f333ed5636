import { expect, expectTypeOf, test } from 'vitest';
import Bull, { type Job, type JobOptions, type Queue, type QueueOptions } from 'drover/bull';
import { redisUrl, uniqueName } from '../../support/behaviour.js';

interface Mail {
  to: string;
}

/** Code as users of `@types/bull` write it. It is compiled; that it also runs is tested elsewhere. */
export async function asUsersWrite(): Promise<void> {
  const opts: QueueOptions = { redis: { host: 'localhost', tls: {} }, limiter: { max: 1, duration: 2 }, settings: { lockDuration: 5 } };
  const queue = new Bull<Mail>('mail', 'redis://localhost', opts);
  const same: Bull.Queue<Mail> = Bull<Mail>('mail', opts);
  const any: Queue = same;
  const jobOptions: JobOptions = { attempts: 3, backoff: { type: 'exponential', delay: 5 }, repeat: { cron: '* * * * *' }, removeOnComplete: { age: 5 } };

  void queue.process((job, done) => {
    expectTypeOf(job).toEqualTypeOf<Job<Mail>>();
    done(null, job.data.to);
  });
  void queue.process('a', 5, async (job) => job.data.to);
  void queue.process(5, '/a/file.js');
  const processor: Bull.ProcessPromiseFunction<Mail> = async (job) => void job.data;
  const callback: Bull.ProcessCallbackFunction<Mail> = (job, done) => done(undefined, job.id);
  void queue.process('b', processor);
  void queue.process('c', 2, callback);

  const job: Bull.Job<Mail> = await queue.add('mail', { to: 'a' }, jobOptions);
  expectTypeOf(job.data).toEqualTypeOf<Mail>();
  // @ts-expect-error there is no address
  await queue.add({ subject: 'a' });
  await job.progress(5);
  expectTypeOf(job.progress()).toBeAny();
  expectTypeOf(await job.getState()).toEqualTypeOf<Bull.JobStatus | 'stuck'>();
  expectTypeOf(job.id).toEqualTypeOf<Bull.JobId>();

  queue
    .on('completed', (done, result) => {
      expectTypeOf(done).toEqualTypeOf<Job<Mail>>();
      expectTypeOf(result).toBeAny();
    })
    .on('failed', (failed, error) => void [failed.failedReason, error.message])
    .on('active', (_job, attempt) => attempt?.cancel())
    .on('global:completed', (id: string, result: string) => void [id, result])
    .on('error', (error) => void error.message);
  const counts: Bull.JobCounts = await any.getJobCounts();
  const repeatable: Bull.JobInformation[] = await queue.getRepeatableJobs();
  const cleaned = await queue.clean(5, 'failed', 10);
  expectTypeOf(cleaned).toEqualTypeOf<string[]>();
  void [counts, repeatable];
}

test('Bull’s types describe what there is', async () => {
  const queue = new Bull<Mail>(uniqueName(), redisUrl);
  const job = await queue.add({ to: 'a' });
  expect(job).toBeInstanceOf(Bull.Job);
  expectTypeOf(queue).toEqualTypeOf<Bull.Queue<Mail>>();
  await queue.obliterate();
  await queue.close();
});
