import { emails } from '../payload.js';
import { addEach } from './drain.js';
import { throughput, type Workload } from './workload.js';

export const addAwaited: Workload = {
  name: 'add-awaited',
  needs: ['single'],
  size: { full: 50_000, quick: 10_000 },
  rows: [throughput('add, awaited, 500 in flight', { atLeast: 3 })],
  run: async (round, size) => {
    const queue = await round.queue();
    const jobs = emails(size);
    return round.probe.measure(size, () => addEach(queue, jobs, 500));
  },
};
