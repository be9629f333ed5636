// A process that runs jobs and writes down when each handler began and ended, and under which lease.
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError, Worker, type Job } from '../../../src/index.js';
import { HistoryWriter } from '../infra/history.js';
import { signalParent } from '../infra/processes.js';
import { childrenOf, connectionOf, limitedOf, mostStalls, readSpec, type JobData, type WorkerSpec } from './spec.js';

const spec = readSpec<WorkerSpec>();
const history = new HistoryWriter(spec.folder, spec.name);
const reported = new Map<string, number>();

const workers = [
  work(spec.queue, { concurrency: spec.concurrency }),
  work(childrenOf(spec.queue), { concurrency: Math.ceil(spec.concurrency / 2) }),
  work(limitedOf(spec.queue), { concurrency: spec.concurrency }),
];

function work(queue: string, { concurrency }: { concurrency: number }): Worker<JobData> {
  const worker = new Worker<JobData>(queue, (job) => handle(queue, job), {
    connection: connectionOf(spec), name: spec.name, concurrency, lockDuration: spec.leaseMs,
    maxStalledCount: mostStalls, removeOnComplete: { count: 2_000 }, removeOnFail: { count: 2_000 }, closeTimeout: 60_000,
  });
  worker.on('error', (error) => {
    const code = error instanceof DroverError ? error.code : `untyped: ${error.message.slice(0, 200)}`;
    reported.set(code, (reported.get(code) ?? 0) + 1);
  });
  return worker;
}

async function handle(queue: string, job: Job<JobData>): Promise<{ epoch: number }> {
  const { tag, ms, fails, children } = job.data;
  const run = { queue, job: job.id, epoch: job.processedOn ?? 0 };
  history.append({ type: 'start', ...run, value: { tag, made: job.attemptsMade, ...(children === undefined ? {} : { heard: await heardOf(job), children }) } });
  if (ms > 0) await sleep(ms);
  const failing = job.attemptsMade < fails;
  history.append({ type: 'end', ...run, value: failing ? 'failed' : 'done' });
  if (failing) throw new Error('told to fail');
  return { epoch: run.epoch };
}

/** How many children have told their parent a result. Redis may be away just now. */
async function heardOf(job: Job<JobData>): Promise<number> {
  for (;;) {
    try {
      return Object.keys(await job.getChildrenValues()).length;
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
    }
  }
}

process.on('message', (message) => {
  if (message === 'stop') void stop();
  if (typeof message === 'object' && message !== null && 'blockMs' in message) block(Number(message.blockMs));
});

/** How late a timer may be: beyond, this process did not get to renew its leases in time. */
const tickMs = 100;
let tickedAt = performance.now();
const ticking = setInterval(() => {
  const lagMs = performance.now() - tickedAt - tickMs;
  tickedAt = performance.now();
  if (lagMs > spec.leaseMs / 4) history.append({ type: 'note', value: { lagMs } });
}, tickMs);
const pulse = setInterval(() => note(), 5_000);

signalParent('ready');

/** The event loop stands still: no timer fires, nothing is renewed, and the process does not know it. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function note(): void {
  history.append({ type: 'note', value: { rss: process.memoryUsage.rss(), errors: Object.fromEntries(reported) } });
}

async function stop(): Promise<void> {
  clearInterval(pulse);
  clearInterval(ticking);
  await Promise.all(workers.map((worker) => worker.close()));
  note();
  signalParent('stopped');
  process.disconnect();
}
