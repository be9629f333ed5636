// A process that runs jobs and writes down when each handler began and ended, and under which lease.
import { setTimeout as work } from 'node:timers/promises';
import { DroverError, Worker } from '../../../src/index.js';
import { HistoryWriter } from '../infra/history.js';
import { signalParent } from '../infra/processes.js';
import { connectionOf, mostStalls, readSpec, type JobData, type WorkerSpec } from './spec.js';

const spec = readSpec<WorkerSpec>();
const history = new HistoryWriter(spec.folder, spec.name);
const reported = new Map<string, number>();

const worker = new Worker<JobData>(spec.queue, async (job) => {
  const { tag, ms, fails } = job.data;
  const run = { queue: spec.queue, job: job.id, epoch: job.processedOn ?? 0 };
  history.append({ type: 'start', ...run, value: { tag, made: job.attemptsMade } });
  if (ms > 0) await work(ms);
  const failing = job.attemptsMade < fails;
  history.append({ type: 'end', ...run, value: failing ? 'failed' : 'done' });
  if (failing) throw new Error('told to fail');
  return { epoch: run.epoch };
}, {
  connection: connectionOf(spec), name: spec.name, concurrency: spec.concurrency, lockDuration: spec.leaseMs,
  maxStalledCount: mostStalls, removeOnComplete: { count: 2_000 }, removeOnFail: { count: 2_000 }, closeTimeout: 60_000,
});

worker.on('error', (error) => {
  const code = error instanceof DroverError ? error.code : `untyped: ${error.message.slice(0, 200)}`;
  reported.set(code, (reported.get(code) ?? 0) + 1);
});

process.on('message', (message) => {
  if (message === 'stop') void stop();
  if (typeof message === 'object' && message !== null && 'blockMs' in message) block(Number(message.blockMs));
});

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
  await worker.close();
  note();
  signalParent('stopped');
  process.disconnect();
}
