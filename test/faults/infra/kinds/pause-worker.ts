import type { Fault } from '../nemesis.js';
import type { ProcessPool } from './kill-worker.js';

/** SIGSTOP of one process: it resumes in the belief that no time has passed. */
export function pauseWorker(pool: Pick<ProcessPool, 'workers'>): Fault {
  return {
    kind: 'pause-worker',
    async inject(random) {
      const worker = random.pick(pool.workers());
      await worker.freeze();
      return { detail: { name: worker.name, pid: worker.pid }, heal: () => worker.thaw() };
    },
  };
}
