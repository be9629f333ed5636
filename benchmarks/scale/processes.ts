import { WorkerPool } from '../worker-pool.js';
import { fillTo, onEmptyDatabase, perSecond, type Session } from './session.js';

export interface ProcessesPoint {
  readonly processes: number;
  readonly jobsPerSecond: number;
}

const concurrency = 100;
const warmUpShare = 0.1;

/** Throughput of one queue by the number of processes that work on it. */
export async function measureProcesses(session: Session, counts: readonly number[], jobs: number): Promise<ProcessesPoint[]> {
  const points: ProcessesPoint[] = [];
  for (const processes of counts) {
    const pool = await WorkerPool.start(processes);
    try {
      await drainWith(session, pool, Math.ceil(jobs * warmUpShare));
      const jobsPerSecond = await drainWith(session, pool, jobs);
      if (jobsPerSecond === undefined) continue;
      session.print(`  ${processes} worker process(es): ${perSecond(jobsPerSecond)}`);
      points.push({ processes, jobsPerSecond });
    } finally {
      await pool.close();
    }
  }
  return points;
}

function drainWith(session: Session, pool: WorkerPool, jobs: number): Promise<number | undefined> {
  return onEmptyDatabase(session, async (round) => {
    await fillTo(await round.queue(), jobs);
    return (await pool.drain(round, { jobs, concurrency })).jobsPerSecond;
  });
}
