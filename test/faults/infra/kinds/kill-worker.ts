import type { Fault } from '../nemesis.js';
import type { NodeProcess } from '../processes.js';

/** The processes of a run, and how a dead one is replaced. */
export interface ProcessPool {
  workers(): readonly NodeProcess[];
  respawn(dead: NodeProcess): Promise<void>;
}

/** kill -9 of one process; another takes its place when the fault ends. */
export function killWorker(pool: ProcessPool): Fault {
  return {
    kind: 'kill-worker',
    async inject(random) {
      const worker = random.pick(pool.workers());
      await worker.kill9();
      return { detail: { name: worker.name, pid: worker.pid }, heal: () => pool.respawn(worker) };
    },
  };
}
