import { emails } from '../payload.js';
import { drain, fill } from './drain.js';
import { mainPeers, throughput, type Row, type Workload } from './workload.js';

function processing(concurrency: number, size: Workload['size'], rows: readonly Row[]): Workload {
  return {
    name: `process-${concurrency}`,
    needs: ['single'],
    size,
    rows,
    run: async (round, jobs) => {
      const queue = await round.queue();
      const payloads = emails(jobs);
      const adding = await round.probe.measure(jobs, () => fill(queue, payloads));
      const processing = await drain(round, queue, { jobs, concurrency });
      return { ...processing, redisCpuUsAddToFinish: adding.redisCpuUs + processing.redisCpuUs };
    },
  };
}

export const process100 = processing(100, { full: 50_000, quick: 10_000 }, [
  throughput('process, concurrency 100', { atLeast: 5 }),
  { metric: 'redisCpuUsAddToFinish', label: 'Redis CPU per job, add to finish', unit: 'µs', better: 'lower', target: { atMost: 1 / 6 } },
  { metric: 'nodeCpuUs', label: 'Node CPU per job processed', unit: 'µs', better: 'lower', target: { atMost: 1 / 6 } },
]);

export const process10: Workload = {
  ...processing(10, { full: 20_000, quick: 5_000 }, [throughput('process, concurrency 10')]),
  quickPeers: [...mainPeers, 'floor'],
};

export const process1: Workload = {
  ...processing(1, { full: 10_000, quick: 1_000 }, [throughput('process, concurrency 1', { atLeast: 4 })]),
  quickPeers: [...mainPeers, 'floor'],
};
