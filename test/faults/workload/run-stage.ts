import { cpSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Cluster, Redis } from 'ioredis';
import { QueueKeys } from '../../../src/redis/keys.js';
import { temporaryDirectory } from '../../support/servers/guardian.js';
import { HistoryWriter } from '../infra/history.js';
import { killWorker } from '../infra/kinds/kill-worker.js';
import { pauseWorker } from '../infra/kinds/pause-worker.js';
import { runNemesis, type FaultRecord, type NemesisReport } from '../infra/nemesis.js';
import { audit, type Census } from '../oracle/audit.js';
import { checkHistory, type Figures } from '../oracle/history-check.js';
import { Tape } from '../oracle/tape.js';
import { Violations } from '../oracle/violations.js';
import { blockWorker } from './block-worker.js';
import { Fleet, Producers } from './fleet.js';
import { childrenOf, limitedOf, limits, nearOf } from './spec.js';
import { Starvation } from './starvation.js';
import type { Stage, StageOptions, Weighted } from './stage.js';

export interface RunOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly jobsPerS: number;
  /** Adding ends after so many jobs. Default: no bound. */
  readonly most?: number;
  /** Only these kinds of faults. Default: all that the stage has. */
  readonly kinds?: readonly string[];
  readonly workers?: number;
  readonly concurrency?: number;
  readonly leaseMs?: number;
}

export interface StageReport {
  readonly stage: string;
  readonly seed: number;
  readonly seconds: number;
  readonly figures: Figures;
  readonly faults: Readonly<Record<string, number>>;
  /** Faults that could not be done: why, and how often. */
  readonly notDone: Readonly<Record<string, number>>;
  readonly skipped: readonly { kind: string; reason: string }[];
  readonly census: Census | undefined;
  readonly violations: ReturnType<Violations['toJSON']>;
  readonly violationCount: number;
  /** Where the histories lie; they are kept when something is wrong. */
  readonly folder: string | undefined;
}

const queue = 'faults';
const queues = [queue, childrenOf(queue), limitedOf(queue), nearOf(queue)].map((name) => new QueueKeys('drover', name));
/** How long adding and closing have to come to their end. */
const drainMs = 90_000;
/** After the last fault something ends at least this often: longer than what was put off while the clock was a minute ahead. */
const stillMs = 75_000;

/** Lets producers and workers work on a stage while faults come, waits until all is done, and judges. */
export async function runStage(openStage: (options: StageOptions) => Promise<Stage>, options: RunOptions): Promise<StageReport> {
  const { seed, workers = 2, concurrency = 10, leaseMs = 2_000 } = options;
  const startedAt = performance.now();
  const stage = await openStage({ seed, workers, keys: queues.map((each) => each.key('meta')) });
  const folder = temporaryDirectory('histories');
  const violations = new Violations();
  const observer = stage.observer();
  const strict = stage.durable && stage.honestClock;
  const tapes = queues.map((each) => new Tape({
    client: observer, stream: each.key('events'), violations, strict, ...(each.queue === limitedOf(queue) ? { concurrency: limits.concurrency } : {}),
  }));
  const open = (): number => tapes.reduce((sum, tape) => sum + tape.open, 0);
  const starvation = new Starvation({ client: stage.observer(), key: `{drover:${queue}}:meta`, longMs: leaseMs / 4 });
  const fleet = new Fleet(stage.workerEnv);
  const producers = new Producers();
  const base = { folder, queue, leaseMs };
  try {
    await fleet.start(stage.ways.workers.map((connection, i) => ({ ...base, name: `worker${i}`, connection, concurrency })));
    await producers.start([{
      ...base, name: 'producer', connection: stage.ways.producers, seed: String(seed), flows: stage.durable, jobsPerS: options.jobsPerS, most: options.most ?? Number.MAX_SAFE_INTEGER,
    }]);
    for (const tape of tapes) tape.start();
    starvation.start();
    const reports = await strike(stage, fleet, folder, { ...options, leaseMs });
    await stage.heal();
    const { hung } = await producers.stop(drainMs);
    for (const who of hung) violations.add('I10', `adding did not come to an end: ${who}`);
    const leftOver = await drain(async () => (stage.durable ? open() : countLeft(observer)));
    if (leftOver > 0) violations.add('I10', `${leftOver} jobs are left, and none ended for ${stillMs} ms`);
    for (const { name, output } of fleet.fallen()) violations.add('crash', `${name} ended by itself: ${output.slice(-1_000)}`);
    for (const who of await fleet.stop(drainMs)) violations.add('I10', `close did not come to an end: ${who}`);
    await Promise.all(tapes.map((tape) => tape.stop()));
    await starvation.stop();
    const [census] = await Promise.all(queues.map((each) => audit(observer, each, { violations, durable: stage.durable })));
    const lives = new Map(tapes.flatMap((tape) => [...tape.lives]));
    const faults = reports.flatMap((report) => report.records);
    const done = faults.filter(({ error }) => error === undefined);
    const figures = await checkHistory({
      folder, queue, lives, faults, starved: starvation.records, leaseMs, concurrency: 2 * concurrency, durable: stage.durable, violations,
      clockOffsetMs: stage.honestClock ? Date.now() - Number(process.hrtime.bigint()) / 1e6 : undefined,
    });
    const kept = violations.count === 0 ? undefined : keepHistories(folder, `${stage.name}-${seed}`);
    rmSync(folder, { recursive: true, force: true });
    return {
      stage: stage.name, seed, seconds: Math.round((performance.now() - startedAt) / 1000), figures,
      faults: tally(done, ({ kind }) => kind),
      notDone: tally(faults.filter(({ error }) => error !== undefined), ({ kind, error }) => `${kind}: ${String(error).slice(0, 120)}`),
      skipped: reports.flatMap((report) => report.skipped), census,
      violations: violations.toJSON(), violationCount: violations.count, folder: kept,
    };
  } finally {
    await Promise.all([fleet.kill(), producers.kill()]);
    await stage.stop();
  }
}

/** Out of the temporary directory, which goes with this process. */
function keepHistories(folder: string, name: string): string {
  const kept = fileURLToPath(new URL(`../results/histories-${name}`, import.meta.url));
  cpSync(folder, kept, { recursive: true });
  return kept;
}

/** Where what was acknowledged may be lost, only Redis itself knows what is left to do. */
async function countLeft(client: Redis | Cluster): Promise<number> {
  const counts = await Promise.all(queues.flatMap((each) => (['wait', 'delayed', 'active'] as const).map((set) => client.zcard(each.key(set)))));
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Waits as long as something ends; answers how many jobs are left. */
async function drain(left: () => Promise<number>): Promise<number> {
  for (let [least, since] = [Infinity, performance.now()]; performance.now() - since < stillMs; await pause(100)) {
    const now = await left();
    if (now === 0) return 0;
    if (now < least) [least, since] = [now, performance.now()];
  }
  return left();
}

/** Three hands at once: one on the ways, one at the servers, one at the processes. */
async function strike(stage: Stage, fleet: Fleet, folder: string, options: RunOptions & { leaseMs: number }): Promise<NemesisReport[]> {
  const { seed, durationMs, leaseMs } = options;
  const wanted = ({ fault }: Weighted): boolean => options.kinds?.includes(fault.kind) ?? true;
  const atProcesses: Weighted[] = [
    { fault: killWorker(fleet), weight: 2 }, { fault: pauseWorker(fleet), weight: 2 }, { fault: blockWorker(fleet, leaseMs), weight: 1 },
  ];
  const history = new HistoryWriter(folder, 'nemesis');
  const hands = [
    { faults: stage.onTheWay, holdMs: [50, 900], gapMs: [10, 150] },
    { faults: stage.atTheServer, holdMs: [50, 1_500], gapMs: [200, 1_200] },
    { faults: atProcesses, holdMs: [leaseMs / 2, leaseMs * 1.5], gapMs: [500, 2_000] },
  ] as const;
  const strikes = hands.map(({ faults, holdMs, gapMs }, i) =>
    runNemesis({ seed: BigInt(seed) * 10n + BigInt(i), faults: faults.filter(wanted), durationMs, holdMs, gapMs, history }));
  try {
    return await Promise.all(strikes);
  } finally {
    await Promise.allSettled(strikes);
    history.close();
  }
}

function tally(records: readonly FaultRecord[], name: (record: FaultRecord) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const record of records) counts[name(record)] = (counts[name(record)] ?? 0) + 1;
  return counts;
}
