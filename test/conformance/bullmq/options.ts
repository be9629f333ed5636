import { accepted, once } from '../observe.js';
import type { Scenarios } from './bench.js';

/** Values of options: which are accepted, and what they do. */

/** Job options that a program may give, one by one. */
const jobOptions: Record<string, unknown[]> = {
  attempts: [0, 1, 3, 1.5, -1, null, '3', NaN],
  delay: [0, 1, 1.5, -5, null, '5'],
  priority: [0, 1, 2_097_151, 2_097_152, -1, 1.5, null, '1'],
  backoff: [0, 5, 1.5, -1, null, {}, { type: 'fixed' }, { type: 'fixed', delay: 5 }, { type: 'exponential', delay: 5, jitter: 0.5 }, { type: 'exponential', delay: 5, jitter: 2 }, { type: 'own' }, 'fixed'],
  lifo: [true, false, null, 1],
  removeOnComplete: [true, false, 0, 5, -1, {}, { age: 1 }, { count: 5 }, { age: 1, count: 5, limit: 5 }, { age: 0 }, { count: 0 }, { age: 0.5 }, null],
  removeOnFail: [true, 5, { age: 1 }, { count: -1 }],
  keepLogs: [0, 1, -1, null],
  stackTraceLimit: [0, 1, null],
  sizeLimit: [0, 10_000, null],
  jobId: ['a', '', 'with:colon', 'a:b:c', '5', 'x5', '0', 5, null, undefined],
  timestamp: [0, 1_600_000_000_000, null, -1],
  deduplication: [{ id: 'one' }, { id: '' }, { id: 'two', ttl: 0 }, { id: 'three', ttl: 10 }, {}, null, { id: 'four', ttl: 5, extend: true, replace: true }, { id: 'five', keepLastIfActive: true }],
  parent: [null, undefined],
  failParentOnFailure: [true, false], ignoreDependencyOnFailure: [true], removeDependencyOnFailure: [true], continueParentOnFailure: [true],
  telemetry: [{}, { metadata: 'a' }, { omitContext: true }, null],
  debounce: [{ id: 'a' }],
  repeat: [{ every: 1000 }],
  prevMillis: [5], repeatJobKey: ['key'],
  unknown: [1],
};

const workerOptions: Record<string, unknown[]> = {
  concurrency: [1, 0, -1, 1.5, 100, '5', Infinity, null],
  limiter: [{ max: 1, duration: 5 }, { max: 0, duration: 5 }, { max: 1 }, {}, null],
  metrics: [{ maxDataPoints: 5 }, {}, { maxDataPoints: 0 }, null],
  maximumRateLimitDelay: [0, 1, null],
  maxStartedAttempts: [0, 1, null],
  maxStalledCount: [0, 1, -1, null],
  stalledInterval: [0, 1, -1, null],
  removeOnComplete: [{ count: 5 }, { age: 5 }, { age: 5, count: 1 }, {}, null],
  removeOnFail: [{ count: 0 }],
  skipStalledCheck: [true, null], skipLockRenewal: [true, null],
  drainDelay: [0, 1, 0.5, 5, -1, null],
  lockDuration: [1, 50, 1000, 0, null],
  lockRenewTime: [0, 1, 500, 60_000, null],
  runRetryDelay: [0, 1, null],
  name: ['a', '', null],
  settings: [{}, null, { backoffStrategy: () => 5 }],
  useWorkerThreads: [true, null], workerForkOptions: [{}, null], workerThreadsOptions: [{}],
  prefix: ['conf', ''],
  skipVersionCheck: [true], skipWaitingForReady: [true], blockingConnection: [false],
  unknown: [1],
};

const queueOptions: Record<string, unknown[]> = {
  defaultJobOptions: [{}, { attempts: 3 }, { attempts: 0 }, null, undefined],
  streams: [{}, { events: {} }, { events: { maxLen: 0 } }, { events: { maxLen: 5 } }, null],
  skipMetasUpdate: [true], skipVersionCheck: [true], skipWaitingForReady: [true],
  settings: [{}, null, { repeatStrategy: () => undefined }],
  telemetry: [null, undefined],
  prefix: ['conf', '', null], blockingConnection: [true],
  unknown: [1],
};

const eventsOptions: Record<string, unknown[]> = {
  autorun: [false, null], lastEventId: ['$', '0', '0-0'], blockingTimeout: [1, 0, 1000, null], prefix: ['conf'], skipVersionCheck: [true], unknown: [1],
};

const repeatOptions: unknown[] = [
  { every: 60_000 }, { every: '60000' }, { every: 0 }, { every: -1 }, { every: 1.5 }, { pattern: '0 3 * * *' }, { pattern: '*/5 * * * * *' }, { pattern: 'never' }, {},
  { every: 60_000, pattern: '0 3 * * *' }, { pattern: '0 3 * * *', tz: 'Europe/Berlin' }, { pattern: '0 3 * * *', tz: 'Nowhere' },
  { every: 60_000, limit: 5 }, { every: 60_000, limit: 0 }, { every: 60_000, limit: null }, { every: 60_000, endDate: '2040-01-01' }, { every: 60_000, endDate: new Date('2040-01-01') },
  { every: 60_000, endDate: 1 }, { every: 60_000, startDate: '2040-01-01' }, { every: 60_000, startDate: new Date('2040-01-01') }, { every: 60_000, startDate: 5 },
  { every: 60_000, immediately: true }, { pattern: '0 3 * * *', immediately: true }, { pattern: '0 3 * * *', startDate: '2040-01-01', immediately: true },
  { every: 60_000, offset: 5 }, { every: 60_000, count: 3 }, { every: 60_000, key: 'k' }, { every: 60_000, jobId: 'j' }, { every: 60_000, prevMillis: 5 },
  { every: 60_000, utc: true }, { pattern: '0 3 * * *', currentDate: new Date() }, { pattern: '@daily' }, { pattern: '0 0 L * *' }, { pattern: '0 0 * * 1#1' }, { pattern: '0 0 * * 5L' },
  { pattern: '0 3 * * *', hashSeed: 'a' }, { pattern: 'H 3 * * *', hashSeed: 'a' }, { pattern: '0 3 * * *', strict: true },
];

async function judge(values: unknown[], call: (value: unknown) => unknown): Promise<Record<string, boolean>> {
  const verdicts: Record<string, boolean> = {};
  for (const value of values) verdicts[JSON.stringify(value, (_key, each: unknown) => (typeof each === 'function' ? 'function' : Number.isNaN(each) ? 'NaN' : each))] = await accepted(() => call(value));
  return verdicts;
}

async function judgeAll(options: Record<string, unknown[]>, call: (opts: Record<string, unknown>) => unknown): Promise<Record<string, unknown>> {
  const verdicts: Record<string, unknown> = {};
  for (const [name, values] of Object.entries(options)) verdicts[name] = await judge(values, (value) => call({ [name]: value }));
  return verdicts;
}

export const options: Scenarios = {
  'which values of job options add accepts': async (bench) => {
    const queue = bench.queue();
    return judgeAll(jobOptions, (opts) => queue.add('a', 1, opts));
  },
  'which values of worker options are accepted': (bench) => judgeAll(workerOptions, (opts) => bench.worker(async () => 1, opts)),
  'which values of queue options are accepted': (bench) => judgeAll(queueOptions, (opts) => bench.queue(opts)),
  'which values of queue events options are accepted': (bench) => judgeAll(eventsOptions, (opts) => bench.silentEvents(opts)),
  'which repeat options are accepted': async (bench) => {
    const queue = bench.queue();
    let count = 0;
    return judge(repeatOptions, (opts) => queue.upsertJobScheduler(`s${count++}`, opts as object, { name: 'a' }));
  },
  'which names of queues, jobs and schedulers are accepted': async (bench) => ({
    queues: await judge(['a', '', 'a:b', 'a b', 'a/b', 'ä', null, 5, 'x'.repeat(200)], (name) => bench.queue({}, name as string)),
    jobs: await judge(['a', '', 'a:b', 'a b', null, undefined, 5, 'x'.repeat(200)], (name) => bench.queue().add(name as string, 1)),
    data: await judge([1, null, undefined, 'a', [], {}, true], (data) => bench.queue().add('a', data)),
  }),
  'a job without attempts, and with 0, is tried once': async (bench) => {
    const queue = bench.queue();
    const worker = bench.worker(async () => {
      throw new Error('no');
    });
    await queue.add('a', 1, { jobId: 'none' });
    await queue.add('a', 1, { jobId: 'zero', attempts: 0 }).catch(() => undefined);
    const failed = once(worker, 'failed', 2);
    void worker.run();
    await failed;
    const jobs = await Promise.all(['none', 'zero'].map((id) => queue.getJob(id)));
    return jobs.map((job) => [job?.attemptsMade, job?.attemptsStarted, job?.opts.attempts, job?.failedReason, job?.stacktrace?.length]);
  },
  'defaults of jobs, as stored': async (bench) => {
    const queue = bench.queue({ defaultJobOptions: { attempts: 3, backoff: 5, removeOnFail: 5 } });
    const added = await queue.add('a', { n: 1 }, { attempts: 2, jobId: 'x' });
    const read = await queue.getJob('x');
    return [added.opts.attempts, added.opts.backoff, read?.opts.attempts, read?.opts.backoff, read?.opts.removeOnFail];
  },
};
