import { Countdown } from '../workloads/drain.js';
import { fillTo, onEmptyDatabase, type Session } from './session.js';

export interface MemoryPoint {
  readonly processed: number;
  readonly rssMb: number;
}

const points = 100;
const concurrency = 100;

/** The resident memory of this process while it works through `jobs` jobs. */
export async function measureMemory(session: Session, jobs: number): Promise<MemoryPoint[]> {
  const measured = await onEmptyDatabase(session, async (round) => {
    const queue = await round.queue();
    await fillTo(queue, jobs);
    const completed = new Countdown(jobs);
    const curve: MemoryPoint[] = [];
    const every = Math.ceil(jobs / points);
    let processed = 0;
    const onCompleted = (): void => {
      if (++processed % every === 0) curve.push({ processed, rssMb: process.memoryUsage.rss() / 1e6 });
      completed.hit();
    };
    const worker = await round.worker(queue, { concurrency, handler: () => undefined, onCompleted });
    worker.start();
    await completed.done;
    const half = curve.slice(curve.length / 2).map(({ rssMb }) => rssMb);
    session.print(`  memory over ${jobs.toLocaleString('en')} jobs: second half between ${Math.min(...half).toFixed(0)} and ${Math.max(...half).toFixed(0)} MB`);
    return curve;
  });
  return measured ?? [];
}
