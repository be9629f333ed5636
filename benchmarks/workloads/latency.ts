import { email } from '../payload.js';
import { sleep } from '../round.js';
import { percentile } from '../statistics.js';
import { mainPeers, type Workload } from './workload.js';

const warmUpJobs = 20;

/** One job at a time for a worker that has gone back to waiting. */
export const latency: Workload = {
  name: 'latency',
  needs: ['single'],
  size: { full: 300, quick: 50 },
  cold: true,
  quickPeers: [...mainPeers, 'floor'],
  rows: [
    { metric: 'p50Ms', label: 'add → handler start when idle, p50', unit: 'ms', better: 'lower', target: { below: 1 } },
    { metric: 'p99Ms', label: 'add → handler start when idle, p99', unit: 'ms', better: 'lower', target: { atMost: 0.7 } },
  ],
  run: async (round, size) => {
    const queue = await round.queue();
    let started: () => void = () => undefined;
    const worker = await round.worker(queue, { concurrency: 1, handler: () => started(), onCompleted: () => undefined });
    worker.start();

    const latencies: number[] = [];
    for (let index = 0; index < size + warmUpJobs; index++) {
      await sleep(10 + Math.random() * 10);
      const startOfHandler = new Promise<number>((resolve) => {
        started = () => resolve(performance.now());
      });
      const addedAt = performance.now();
      await queue.add({ data: email(index) });
      latencies.push((await startOfHandler) - addedAt);
    }
    const sorted = latencies.slice(warmUpJobs).sort((a, b) => a - b);
    return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) };
  },
};
