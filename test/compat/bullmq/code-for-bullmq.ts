import {
  CONNECTION_CLOSED_ERROR_MSG, ConnectionClosedError, getNextMillis, isRedisInstance, DelayedError, FlowProducer, Job, JobScheduler, MetricsTime, Queue, QueueEvents, QueueEventsProducer, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError, Worker,
  type BackoffStrategy, type BulkJobOptions, type ConnectionOptions, type DeduplicationOptions, type FlowJob, type JobNode, type JobProgress, type JobsOptions,
  type JobState, type KeepJobs, type Metrics, type Processor, type QueueEventsListener, type QueueEventsOptions, type QueueOptions, type RateLimiterOptions,
  type JobSchedulerJobOptions, type MinimalQueue, type Parent, type RepeatBaseOptions, type RepeatableOptions, type RedisOptions, type RepeatOptions, type Telemetry, type WorkerListener, type WorkerOptions,
} from 'bullmq';

/** Never run. A test compiles it against BullMQ's declarations and against Drover's: code that only BullMQ's users wrote. */

interface Mail {
  to: string;
}
interface Receipt {
  at: number;
}

const connection: ConnectionOptions = { host: 'localhost', port: 6379, maxRetriesPerRequest: null };
const keep: KeepJobs = { age: 3600, count: 1000 };
const deduplication: DeduplicationOptions = { id: 'one', ttl: 1000 };
const jobOptions: JobsOptions = {
  attempts: 3, backoff: { type: 'exponential', delay: 100, jitter: 0.5 }, removeOnComplete: keep, removeOnFail: false, priority: 1, lifo: true, delay: 10,
  deduplication, telemetry: { omitContext: true },
};
const queueOptions: QueueOptions = { connection, prefix: 'shop', defaultJobOptions: { attempts: 2 }, streams: { events: { maxLen: 100 } } };
const limiter: RateLimiterOptions = { max: 10, duration: 1000 };
const backoffStrategy: BackoffStrategy = (attemptsMade, type, error, job) => (type === 'own' && error && job ? attemptsMade * job.attemptsMade : -1);
const workerOptions: WorkerOptions = {
  connection, concurrency: 5, limiter, autorun: false, metrics: { maxDataPoints: MetricsTime.ONE_WEEK }, settings: { backoffStrategy }, lockDuration: 30_000,
};

export async function produce(telemetry: Telemetry): Promise<void> {
  const queue = new Queue<Mail, Receipt, 'send' | 'resend'>('mail', { ...queueOptions, telemetry });
  const job: Job<Mail, Receipt, 'send' | 'resend'> = await queue.add('send', { to: 'ann' }, jobOptions);
  const bulk: { name: 'send' | 'resend'; data: Mail; opts?: BulkJobOptions }[] = [{ name: 'resend', data: { to: 'bob' } }];
  await queue.addBulk(bulk);
  const repeat: RepeatOptions = { pattern: '0 3 * * *', tz: 'Europe/Berlin', limit: 3 };
  await queue.upsertJobScheduler('nightly' as 'send', repeat, { name: 'send', data: { to: 'all' }, opts: { attempts: 1 } });
  const schedulers = await queue.getJobSchedulers(0, 10, true);
  const next: number | undefined = schedulers[0]?.next;
  queue.on('error', (error: Error) => console.error(error.message, next));
  queue.on('waiting', (waiting) => console.log(waiting.data.to));
  const counts: Record<string, number> = await queue.getJobCounts('wait', 'active');
  const jobs: Job<Mail, Receipt>[] = await queue.getJobs(['completed'], 0, -1, true);
  const metrics: Metrics = await queue.getMetrics('completed', 0, MetricsTime.ONE_HOUR);
  const state: JobState | 'unknown' = await job.getState();
  await queue.clean(1000, 10, 'failed');
  await queue.obliterate({ force: true });
  const events = new QueueEvents('mail', { connection });
  const receipt: Receipt = await job.waitUntilFinished(events, 1000);
  console.log(counts, jobs.length, metrics.data[0], state, receipt.at, job.returnvalue.at, queue.qualifiedName, queue.toKey('wait'), queue.closing);
  await Promise.all([queue.close(), events.close()]);
}

const processor: Processor<Mail, Receipt> = async (job: Job<Mail, Receipt>, token?: string, signal?: AbortSignal) => {
  if (signal?.aborted) throw new UnrecoverableError('aborted');
  await job.updateProgress({ done: 1 });
  await job.log('sending');
  if (job.attemptsMade > 3) {
    await job.moveToDelayed(Date.now() + 1000, token);
    throw new DelayedError();
  }
  if (token && (await job.moveToWaitingChildren(token))) throw new WaitingChildrenError();
  const values: Record<string, number> = await job.getChildrenValues<number>();
  const { processed, nextProcessedCursor } = await job.getDependencies({ processed: { count: 10, cursor: 0 } });
  if (job.name === 'later') throw new WaitingError();
  console.log(values, processed, nextProcessedCursor, job.opts.attempts, job.parentKey, job.stalledCounter);
  return { at: job.timestamp };
};

export async function consume(): Promise<void> {
  const worker = new Worker<Mail, Receipt>('mail', processor, workerOptions);
  const completed: WorkerListener<Mail, Receipt>['completed'] = (job, result) => console.log(job.id, result.at);
  worker.on('completed', completed).once('failed', (job, error) => console.log(job?.failedReason, error.message));
  worker.on('progress', (job: Job<Mail, Receipt>, progress: JobProgress) => console.log(job.id, progress));
  worker.on('ioredis:close', () => console.log('closed'));
  const running = worker.run();
  await worker.rateLimit(100);
  worker.concurrency = 10;
  worker.cancelJob('1', 'no longer needed');
  await worker.pause();
  await worker.resume();
  await worker.close();
  await running;
  const inferred = new Worker('mail', async (job: Job<Mail>) => job.data.to.length, { connection });
  inferred.on('completed', (job) => console.log(job.data.to));
  const limited = new Worker('mail', new URL('file:///handler.js'), { connection, useWorkerThreads: true });
  throw limited.isRunning() ? Worker.RateLimitError() : new RateLimitError();
}

class MailWorker extends Worker<Mail, Receipt> {
  constructor(options: WorkerOptions) {
    super('mail', processor, options);
  }
}

interface OwnEvents extends QueueEventsListener {
  bounced: (args: { address: string }, id: string) => void;
}

export async function observe(options: QueueEventsOptions): Promise<void> {
  const events = new QueueEvents('mail', options);
  events.on('completed', ({ jobId, returnvalue }, id) => console.log(jobId, returnvalue, id));
  events.on<OwnEvents, 'bounced'>('bounced', ({ address }) => console.log(address));
  events.on('progress', ({ jobId, data }) => console.log(jobId, data));
  const producer = new QueueEventsProducer('mail', { connection });
  await producer.publishEvent({ eventName: 'bounced', address: 'ann' });
  await new MailWorker(workerOptions).waitUntilReady();
}

export async function flows(): Promise<JobNode> {
  const flow: FlowJob = {
    name: 'order', queueName: 'orders', data: { id: 1 },
    children: [{ name: 'charge', queueName: 'payments', opts: { failParentOnFailure: true } }, { name: 'pack', queueName: 'parcels' }],
  };
  const producer = new FlowProducer({ connection });
  const node = await producer.add(flow, { queuesOptions: { payments: { defaultJobOptions: { attempts: 2 } } } });
  console.log(node.job.id, node.children?.[0]?.job.data);
  return node;
}

export async function schedules(queue: Queue<Mail, Receipt>, worker: Worker<Mail, Receipt>, options: RepeatBaseOptions): Promise<void> {
  const scheduler: JobScheduler = await queue.jobScheduler;
  const own = new JobScheduler('mail', options);
  const job = await own.upsertJobScheduler<Mail, Receipt>('nightly', { pattern: '0 3 * * *' }, 'send', { to: 'all' }, { attempts: 2 }, { override: true });
  const opts: JobSchedulerJobOptions = job?.opts ?? {};
  console.log(opts.repeat?.count, job?.data.to, (await scheduler.getJobSchedulers<Mail>(0, 10, true))[0]?.template?.data?.to, await scheduler.getSchedulersCount());
  console.log((await (await worker.jobScheduler).getScheduler('nightly'))?.next, await own.removeJobScheduler('nightly'), await own.isJobScheduler('nightly'));
}

/** What helpers of an application say of queues and options. */
export function describe(queue: MinimalQueue, parent: Parent<Mail>, { pattern, every }: RepeatableOptions, options: QueueOptions<RedisOptions>): string {
  queue.on('error', (error: Error) => {
    if (!(error instanceof ConnectionClosedError) && !error.message.startsWith(CONNECTION_CLOSED_ERROR_MSG)) throw error;
  });
  return [queue.name, queue.toKey('wait'), queue.qualifiedName, parent.queue, parent.data?.to, pattern ?? every, options.connection.host].join();
}

export async function statics(queue: Queue<Mail, Receipt>): Promise<void> {
  const job = await Job.fromId<Mail, Receipt>(queue, '1');
  // As editors spell the type out.
  const spelled: Queue<Mail, Receipt, string, Mail, Receipt, string> = queue;
  console.log(getNextMillis(Date.now(), { every: 1000 }), job?.parent?.fpof, isRedisInstance(connection), (await spelled.add('send', { to: 'ann' })).data.to);
  await Job.addJobLog(queue, '1', 'row');
  console.log(job?.data.to, (await Job.create(queue, 'send', { to: 'ann' })).id);
}
