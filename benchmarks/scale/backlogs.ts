import { emails, type NewJob } from '../payload.js';
import type { Feature, PeerQueue } from '../peers/peer.js';
import { sleep, type Round } from '../round.js';
import { summarize } from '../statistics.js';
import { Countdown, fill } from '../workloads/drain.js';
import { fillTo, onEmptyDatabase, perSecond, type Session } from './session.js';
import { letTablesGrow } from './tables.js';

export type Kind = 'plain' | 'prioritized' | 'delayed';

interface Rates {
  readonly addsPerSecond: number;
  readonly processedPerSecond: number;
}

export interface BacklogPoint extends Rates {
  readonly kind: Kind;
  readonly backlog: number;
  /** The same right after the backlog was added, while Redis may still move its entries to larger hash tables. */
  readonly whileTablesGrow: Rates;
  /** The longest time that any script held Redis while adding and processing. */
  readonly longestScriptMs: number;
}

const concurrency = 100;
const hourMs = 3_600_000;
const shortDelayMs = 1;

const featureOf: Record<Kind, Feature | undefined> = { plain: undefined, prioritized: 'priority', delayed: 'delay' };

/** What fills the backlog, and what is added to it and processed again: delayed jobs lie among others that are not due. */
const jobsOf: Record<Kind, { backlog?: (index: number) => Omit<NewJob, 'data'>; sample?: (index: number) => Omit<NewJob, 'data'> }> = {
  plain: {},
  prioritized: { backlog: (index) => ({ priority: 1 + (index % 100) }), sample: (index) => ({ priority: 1 + (index % 100) }) },
  delayed: { backlog: () => ({ delayMs: hourMs + Math.floor(Math.random() * hourMs) }), sample: () => ({ delayMs: shortDelayMs }) },
};

/** Throughput of add and process with so many jobs in the queue all the while. */
export async function measureBacklogs(session: Session, kind: Kind, backlogs: readonly number[]): Promise<BacklogPoint[]> {
  const needed = featureOf[kind];
  if (backlogs.length === 0 || (needed && !session.peer.features.has(needed))) return [];
  await onEmptyDatabase(session, (round) => measureBacklog(session, round, { kind, backlog: session.sample })); // warm-up
  const points: BacklogPoint[] = [];
  for (const backlog of backlogs) {
    const point = await onEmptyDatabase(session, (round) => measureBacklog(session, round, { kind, backlog }));
    if (!point) continue;
    session.print(
      `  ${kind}, backlog ${backlog.toLocaleString('en')}: ${shown(point)}, right after the fill ${shown(point.whileTablesGrow)}, longest script ${point.longestScriptMs.toFixed(1)} ms`,
    );
    points.push(point);
  }
  return points;
}

const shown = ({ addsPerSecond, processedPerSecond }: Rates): string => `add ${perSecond(addsPerSecond)}, process ${perSecond(processedPerSecond)}`;

async function measureBacklog(session: Session, round: Round, { kind, backlog }: { kind: Kind; backlog: number }): Promise<BacklogPoint> {
  const queue = await round.queue();
  await fillTo(queue, backlog, jobsOf[kind].backlog);
  await session.scripts.reset();
  const whileTablesGrow = await measureRates(session, round, queue, { kind, rounds: 1 });
  const longestAtFirst = await session.scripts.longestMs();
  await letTablesGrow(session.probe.redis);
  await session.scripts.reset();
  const rates = await measureRates(session, round, queue, { kind, rounds: session.rounds });
  return { kind, backlog, ...rates, whileTablesGrow, longestScriptMs: Math.max(longestAtFirst, await session.scripts.longestMs()) };
}

/** Adds some jobs and processes as many, so that the backlog stays as it is. */
async function measureRates(session: Session, round: Round, queue: PeerQueue, { kind, rounds }: { kind: Kind; rounds: number }): Promise<Rates> {
  const adds: number[] = [];
  const processed: number[] = [];
  for (let count = 0; count < rounds; count++) {
    const jobs = emails(session.sample, jobsOf[kind].sample);
    const adding = await session.probe.measure(session.sample, () => fill(queue, jobs));
    adds.push(adding.jobsPerSecond);
    await sleep(shortDelayMs);
    processed.push(await processSome(round, queue, { jobs: session.sample, delays: kind === 'delayed' }));
  }
  return { addsPerSecond: summarize(adds).median, processedPerSecond: summarize(processed).median };
}

/** Processes at least `jobs` jobs and stops; the few beyond are taken while the worker closes. */
async function processSome(round: Round, queue: PeerQueue, { jobs, delays }: { jobs: number; delays: boolean }): Promise<number> {
  const completed = new Countdown(jobs);
  const worker = await queue.worker({ concurrency, delays, handler: () => undefined, onCompleted: completed.hit });
  try {
    const { jobsPerSecond } = await round.probe.measure(jobs, async () => {
      const startedAt = performance.now();
      worker.start();
      await completed.done;
      return completed.lastAt - startedAt;
    });
    return jobsPerSecond;
  } finally {
    await worker.close();
  }
}
