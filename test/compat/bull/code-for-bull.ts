import Bull, { type Job, type JobOptions, type Queue, type QueueOptions } from 'bull';

/** Never run. A test compiles it against Bull's declarations and against Drover's: code that only Bull's users wrote. */

interface Mail {
  to: string;
}

const limiter: Bull.RateLimiter = { max: 10, duration: 1000, bounceBack: true, groupKey: 'to' };
const settings: Bull.AdvancedSettings = {
  lockDuration: 30_000, lockRenewTime: 15_000, stalledInterval: 0, maxStalledCount: 1, guardInterval: 5000, retryProcessDelay: 5000, drainDelay: 5,
  backoffStrategies: { jitter: (attemptsMade: number, error: Error, options?: { most: number }) => (error.message ? attemptsMade * (options?.most ?? 1) : -1) },
};
const keep: Bull.KeepJobsOptions = { age: 3600, count: 1000 };
const jobOptions: JobOptions = {
  attempts: 3, backoff: { type: 'jitter', options: { most: 5 } }, delay: 10, priority: 1, lifo: true, timeout: 1000, jobId: 5, removeOnComplete: keep,
  removeOnFail: 100, stackTraceLimit: 3, preventParsingData: false, debounce: { id: 'one', ttl: 5 },
};
const options: QueueOptions = {
  redis: { host: 'localhost', port: 6379, password: 'secret', tls: {} }, prefix: 'shop', limiter, settings, defaultJobOptions: jobOptions, metrics: { maxDataPoints: 60 },
};

export async function produce(): Promise<void> {
  const queue: Queue<Mail> = new Bull<Mail>('mail', 'redis://localhost', options);
  const called: Bull.Queue<Mail> = Bull('mail', options);
  await called.isReady().then((ready) => ready.close(true));
  const job: Job<Mail> = await queue.add({ to: 'ann' }, jobOptions);
  const named: Bull.Job<Mail> = await queue.add('welcome', { to: 'ann' });
  const many: Bull.Job<Mail>[] = await queue.addBulk([{ name: 'welcome', data: { to: 'bob' }, opts: { delay: 5 } }, { data: { to: 'eve' } }]);
  const cron: Bull.CronRepeatOptions = { cron: '0 3 * * *', tz: 'Europe/Berlin', startDate: new Date(), endDate: '2030-01-01', limit: 5 };
  const every: Bull.EveryRepeatOptions = { every: 1000, limit: 3, count: 0 };
  await queue.add('nightly', { to: 'all' }, { repeat: cron });
  await queue.removeRepeatable('nightly', { ...cron, jobId: 1 });
  await queue.removeRepeatable(every);
  const next: number[] = (await queue.getRepeatableJobs(0, -1, true)).map((information: Bull.JobInformation) => information.next);
  await queue.removeRepeatableByKey('nightly:::0 3 * * *');
  const counts: Bull.JobCounts = await queue.getJobCounts();
  const total: number = counts.waiting + counts.active + counts.completed + counts.failed + counts.delayed + (await queue.count());
  const waiting: Bull.Job<Mail>[] = await queue.getJobs(['waiting', 'paused'], 0, 10, true);
  const { logs, count }: { logs: string[]; count: number } = await queue.getJobLogs(job.id, 0, 10);
  const metrics: number = (await queue.getMetrics('completed', 0, 10)).meta.prevTS;
  const status: Bull.JobStatusClean = 'wait';
  await queue.clean(1000, status, 10);
  await queue.obliterate({ force: true });
  await queue.pause(true, true);
  await queue.resume(true);
  await queue.removeJobs('mail*');
  const text: string | null = await queue.client.get(queue.toKey('id'));
  const workers: { [index: string]: string }[] = await queue.getWorkers();
  console.log(named.name, many.length, next, total, waiting.length, logs, count, metrics, text, workers, queue.clients.length, queue.base64Name());
}

export async function consume(queue: Bull.Queue<Mail>): Promise<void> {
  void queue.process(async (job) => job.data.to);
  void queue.process('welcome', 5, (job: Job<Mail>, done: Bull.DoneCallback) => done(null, job.data.to));
  void queue.process(5, (job, done) => done(new Error(job.data.to)));
  void queue.process('file', 2, '/handlers/mail.js');
  const promised: Bull.ProcessPromiseFunction<Mail> = async (job) => void (await job.progress({ done: 1 }));
  const called: Bull.ProcessCallbackFunction<Mail> = (job, done) => done(undefined, job.id);
  void queue.process('promised', promised);
  void queue.process('called', called);
  const completed: Bull.CompletedEventCallback<Mail> = (job, result) => console.log(job.data.to, result);
  const failed: Bull.FailedEventCallback<Mail> = (job, error) => console.log(job.failedReason, error.message);
  queue.on('completed', completed).on('failed', failed).on('error', (error: Error) => console.error(error));
  queue.on('active', (job, promise) => (job.data.to === '' ? promise?.cancel() : undefined));
  queue.on('waiting', (jobId: Bull.JobId) => console.log(jobId));
  queue.on('stalled', (job: Job<Mail>) => console.log(job.id)).on('progress', (job: Job<Mail>, progress: number) => console.log(job.id, progress));
  queue.on('global:completed', (jobId: string, result: string) => console.log(jobId, JSON.parse(result)));
  queue.once('drained', () => console.log('drained'));
  await queue.whenCurrentJobsFinished();
}

export async function handle(job: Job<Mail>): Promise<void> {
  const { id, name, data, opts, attemptsMade, timestamp, stacktrace, processedOn, finishedOn } = job.toJSON();
  const state: Bull.JobStatus | 'stuck' = await job.getState();
  await job.log('row');
  await job.update({ to: 'bob' });
  await job.discard();
  await job.promote();
  await job.retry();
  const taken: number | false = await job.takeLock();
  const extended: number = await job.extendLock(1000);
  const next: [unknown, Bull.JobId] | null = await job.moveToCompleted('done', true, true);
  await job.moveToFailed({ message: 'no' }, true);
  await job.releaseLock();
  await job.remove();
  console.log(id, name, data.to, opts.attempts, attemptsMade, timestamp, stacktrace, processedOn, finishedOn, state, taken, extended, next, job.lockKey());
  console.log(await job.finished(), await job.isCompleted(), job.queue.name, job.returnvalue, await job.isStuck());
}

export async function byHand(queue: Bull.Queue<Mail>): Promise<void> {
  const job = await queue.getNextJob();
  const again: Bull.Job<Mail> | null = job ? await queue.getJob(job.id) : null;
  const clustered = new Bull('mail', { createClient: () => queue.client });
  console.log(again?.data.to, await clustered.getCountsPerPriority([1, 2]));
}
