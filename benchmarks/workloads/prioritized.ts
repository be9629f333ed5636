import { emails } from '../payload.js';
import { addedAndProcessed } from './added-and-processed.js';
import { drain, fill } from './drain.js';
import { throughput, type Workload } from './workload.js';

const priorities = 10;

export const prioritized: Workload = {
  name: 'prioritized',
  needs: ['priority'],
  size: { full: 20_000, quick: 5_000 },
  rows: [throughput('prioritized jobs, added and processed', { atLeast: 5 })],
  run: async (round, size) => {
    const queue = await round.queue();
    const jobs = emails(size, (index) => ({ priority: 1 + (index % priorities) }));
    const adding = await round.probe.measure(size, () => fill(queue, jobs));
    return addedAndProcessed(adding, await drain(round, queue, { jobs: size, concurrency: 100 }));
  },
};
