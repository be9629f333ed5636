import type { Fault } from '../infra/nemesis.js';
import type { ProcessPool } from '../infra/kinds/kill-worker.js';

/** The event loop of a worker stands still for up to twice its lease. */
export function blockWorker(pool: Pick<ProcessPool, 'workers'>, leaseMs: number): Fault {
  return {
    kind: 'block-worker',
    async inject(random) {
      const worker = random.pick(pool.workers());
      const blockMs = random.integer(leaseMs / 4, leaseMs * 2);
      await worker.send({ blockMs });
      return { detail: { name: worker.name, pid: worker.pid, blockMs }, heal: () => undefined };
    },
  };
}
