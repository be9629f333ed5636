import { largeJobs } from '../payload.js';
import { addEach, drain } from './drain.js';
import { mainPeers, type Workload } from './workload.js';

const inFlight = 100;

function payload(kilobytes: number, size: Workload['size']): Workload {
  return {
    name: `payload-${kilobytes}k`,
    needs: ['single'],
    size,
    quickPeers: [...mainPeers, 'floor'],
    rows: [
      { metric: 'addsPerSecond', label: `payload of ${kilobytes} KB, add`, unit: 'jobs/s', better: 'higher', target: { atLeast: 1.5 } },
      { metric: 'jobsPerSecond', label: `payload of ${kilobytes} KB, process`, unit: 'jobs/s', better: 'higher', target: { atLeast: 1.5 } },
    ],
    run: async (round, jobs) => {
      const queue = await round.queue();
      const payloads = largeJobs(jobs, 1_000 * kilobytes);
      const adding = await round.probe.measure(jobs, () => addEach(queue, payloads, inFlight));
      let bytes = 0;
      const processing = await drain(round, queue, {
        jobs,
        concurrency: 100,
        handler: (data) => {
          bytes += data.body?.length ?? 0;
        },
      });
      if (bytes !== jobs * 1_000 * kilobytes) throw new Error(`handlers saw ${bytes} bytes of ${jobs * 1_000 * kilobytes}`);
      return { ...processing, addsPerSecond: adding.jobsPerSecond };
    },
  };
}

export const payload10k = payload(10, { full: 5_000, quick: 1_000 });
export const payload100k = payload(100, { full: 1_000, quick: 200 });
