import { emails } from '../payload.js';
import { WorkerPool } from '../worker-pool.js';
import { fill } from './drain.js';
import { mainPeers, throughput, type Workload } from './workload.js';

const processes = 4;
let pool: WorkerPool | undefined;

export const processProcesses: Workload = {
  name: 'process-4x100',
  needs: ['processes'],
  size: { full: 100_000, quick: 20_000 },
  quickPeers: mainPeers,
  rows: [throughput('process, 4 worker processes, concurrency 100 each', { atLeast: 5 })],
  run: async (round, jobs) => {
    pool ??= await WorkerPool.start(processes);
    const queue = await round.queue();
    await fill(queue, emails(jobs));
    return pool.drain(round, { jobs, concurrency: 100 });
  },
  close: async () => {
    await pool?.close();
    pool = undefined;
  },
};
