import { emails } from '../payload.js';
import { addedAndProcessed } from './added-and-processed.js';
import { drain } from './drain.js';
import { throughput, type Workload } from './workload.js';

const children = 1_000;

/** The size counts flows; parent and children lie in the same queue. */
export const flow: Workload = {
  name: 'flow',
  needs: ['flow'],
  size: { full: 10, quick: 3 },
  rows: [throughput('flow of 1 + 1,000 children, added and processed', { atLeast: 5 })],
  run: async (round, flows) => {
    const queue = await round.queue();
    const addFlow = queue.addFlow;
    if (!addFlow) throw new Error('no flows');
    const family = emails(children);
    const jobs = flows * (children + 1);
    const adding = await round.probe.measure(jobs, async () => {
      for (let count = 0; count < flows; count++) await addFlow(family);
    });
    return addedAndProcessed(adding, await drain(round, queue, { jobs, concurrency: 100 }));
  },
};
