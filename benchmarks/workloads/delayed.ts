import { emails } from '../payload.js';
import { sleep } from '../round.js';
import { drain, fill } from './drain.js';
import { addedAndProcessed } from './added-and-processed.js';
import { mainPeers, throughput, type Workload } from './workload.js';

const longestDelayMs = 500;

/** The jobs become due before the worker starts, so that what is timed is work and not waiting. */
export const delayed: Workload = {
  name: 'delayed',
  needs: ['delay'],
  size: { full: 20_000, quick: 5_000 },
  quickPeers: mainPeers,
  rows: [throughput('delayed jobs, added and processed', { atLeast: 5 })],
  run: async (round, size) => {
    const queue = await round.queue();
    const jobs = emails(size, (index) => ({ delayMs: 1 + (index % longestDelayMs) }));
    const adding = await round.probe.measure(size, () => fill(queue, jobs));
    await sleep(longestDelayMs);
    return addedAndProcessed(adding, await drain(round, queue, { jobs: size, concurrency: 100, delays: true }));
  },
};
