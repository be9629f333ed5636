import { emails } from '../payload.js';
import { fill } from './drain.js';
import { throughput, type Workload } from './workload.js';

export const addBulk: Workload = {
  name: 'add-bulk',
  needs: ['bulk'],
  size: { full: 50_000, quick: 10_000 },
  rows: [throughput('addBulk of 1,000', { atLeast: 6 })],
  run: async (round, size) => {
    const queue = await round.queue();
    const jobs = emails(size);
    return round.probe.measure(size, () => fill(queue, jobs));
  },
};
