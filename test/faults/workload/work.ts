import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError, Worker, type Job } from '../../../src/index.js';
import type { HistoryWriter } from '../infra/history.js';
import { connectionOf, mostStalls, type JobData, type Spec } from './spec.js';

export interface WorkOptions {
  readonly spec: Spec;
  readonly history: HistoryWriter;
  readonly concurrency: number;
  /** Hears the code of each error that the worker reports. */
  readonly reported: (code: string) => void;
}

/** A worker that runs jobs and writes down when each handler began and ended, and under which lease. */
export function openWorker(queue: string, { spec, history, concurrency, reported }: WorkOptions): Worker<JobData> {
  const worker = new Worker<JobData>(queue, (job) => handle(queue, job, history), {
    connection: connectionOf(spec), name: spec.name, concurrency, lockDuration: spec.leaseMs,
    maxStalledCount: mostStalls, removeOnComplete: { count: 2_000 }, removeOnFail: { count: 2_000 }, closeTimeout: 60_000,
  });
  worker.on('error', (error) => reported(error instanceof DroverError ? error.code : `untyped: ${error.message.slice(0, 200)}`));
  return worker;
}

async function handle(queue: string, job: Job<JobData>, history: HistoryWriter): Promise<{ epoch: number }> {
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
