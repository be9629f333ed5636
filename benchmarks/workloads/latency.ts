import { monotonicMs } from '../measure.js';
import { email } from '../payload.js';
import type { PeerQueue } from '../peers/peer.js';
import { sleep } from '../round.js';
import { percentile } from '../statistics.js';
import { WorkerPool } from '../worker-pool.js';
import { mainPeers, type Metrics, type Workload } from './workload.js';

/**
 * For each job that is measured, so many run before, one right after the other. V8 compiles what has run often in threads
 * of its own; on a small machine these keep Redis and the event loop waiting for milliseconds, which only says how long
 * a process has lived.
 */
const warmUpShare = 4;
const size = { full: 1_000, quick: 50 };
/** A round takes half a minute a peer. */
const maxRounds = 3;

/** One job at a time for a worker that has gone back to waiting. */
export const latency: Workload = {
  name: 'latency',
  needs: ['single'],
  size,
  maxRounds,
  cold: true,
  quickPeers: [...mainPeers, 'floor'],
  rows: [
    { metric: 'p50Ms', label: 'add → handler start when idle, p50', unit: 'ms', better: 'lower', target: { below: 1 } },
    { metric: 'p99Ms', label: 'add → handler start when idle, p99', unit: 'ms', better: 'lower', target: { atMost: 0.7 } },
  ],
  run: async (round, jobs) => {
    const queue = await round.queue();
    const starts = new Starts();
    const worker = await round.worker(queue, { concurrency: 1, handler: () => starts.hear(monotonicMs()), onCompleted: () => undefined });
    worker.start();
    return oneByOne(queue, starts, jobs);
  },
};

let pool: WorkerPool | undefined;

/** The same with the worker in a process of its own. */
export const latencyApart: Workload = {
  name: 'latency-apart',
  needs: ['single', 'processes'],
  size,
  maxRounds,
  cold: true,
  quickPeers: mainPeers,
  rows: [
    { metric: 'p50Ms', label: 'the same, worker in another process, p50', unit: 'ms', better: 'lower' },
    { metric: 'p99Ms', label: 'the same, worker in another process, p99', unit: 'ms', better: 'lower' },
  ],
  run: async (round, jobs) => {
    pool ??= await WorkerPool.start(1);
    const queue = await round.queue();
    const starts = new Starts();
    await pool.serve(round, { concurrency: 1, started: (atMs) => starts.hear(atMs) });
    return oneByOne(queue, starts, jobs);
  },
  close: async () => {
    await pool?.close();
    pool = undefined;
  },
};

/** Hears when handlers begin, one after the other. */
class Starts {
  hear: (atMs: number) => void = () => undefined;

  next(): Promise<number> {
    return new Promise((resolve) => {
      this.hear = resolve;
    });
  }
}

async function oneByOne(queue: PeerQueue, starts: Starts, jobs: number): Promise<Metrics> {
  const startOf = async (index: number): Promise<number> => {
    const start = starts.next();
    const addedAt = monotonicMs();
    await queue.add({ data: email(index) });
    return (await start) - addedAt;
  };
  for (let index = 0; index < warmUpShare * jobs; index++) {
    await sleep(1);
    await startOf(index);
  }
  const latencies: number[] = [];
  for (let index = 0; index < jobs; index++) {
    await sleep(10 + Math.random() * 10);
    latencies.push(await startOf(index));
  }
  latencies.sort((a, b) => a - b);
  return { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
}
