// The long form: every kind of fault on every kind of server, one stage after the other. `npm run test:faults`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { serverBinary } from '../support/servers/binary.js';
import type { RunOptions, StageReport } from './workload/run-stage.js';
import { runStage } from './workload/run-stage.js';
import { openCluster, openSentinel, openSingle, type Stage, type StageOptions } from './workload/stage.js';

const usage = `npm run test:faults -- [--seed N] [--minutes M] [--jobs N] [--kinds a,b] [--stages a,b]

--seed     everything that is drawn comes from it (default: a random one, printed)
--minutes  how long faults come, all stages together (default 3)
--jobs     how many jobs are tried to be added, all stages together (default 1,200 a second)
--kinds    only these kinds of faults
--stages   only these: single, crash, restart, storage, clock, sentinel, cluster`;

interface Part {
  readonly name: string;
  /** Its share of the time. */
  readonly share: number;
  readonly kinds?: readonly string[];
  /** Of the jobs that it would add at the pace of all: where times are taken, nothing is to queue up. Default 1. */
  readonly pace?: number;
  readonly open: (options: StageOptions) => Promise<Stage>;
}

const parts: readonly Part[] = [
  { name: 'single', share: 55, open: (options) => openSingle(options) },
  // One kind alone shows how long recovery takes.
  { name: 'crash', share: 8, pace: 0.3, kinds: ['kill-worker'], open: (options) => openSingle(options) },
  { name: 'restart', share: 7, pace: 0.3, kinds: ['restart-redis', 'freeze-redis'], open: (options) => openSingle(options) },
  { name: 'storage', share: 8, open: (options) => openSingle(options, { storage: true }) },
  { name: 'clock', share: 6, open: (options) => openSingle(options, { clock: true }) },
  { name: 'sentinel', share: 8, open: openSentinel },
  { name: 'cluster', share: 8, open: openCluster },
];

const { values } = parseArgs({
  options: {
    seed: { type: 'string' }, minutes: { type: 'string' }, jobs: { type: 'string' }, kinds: { type: 'string' }, stages: { type: 'string' }, help: { type: 'boolean' },
  },
});

if (values.help) console.log(usage);
else process.exitCode = await main();

async function main(): Promise<number> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const minutes = Number(values.minutes ?? 3);
  const jobs = Number(values.jobs ?? minutes * 60 * 1_200);
  const chosen = parts.filter(({ name }) => values.stages?.split(',').includes(name) ?? true);
  if (chosen.length === 0 || ![seed, minutes, jobs].every((number) => Number.isFinite(number) && number >= 0)) {
    console.error(usage);
    return 2;
  }
  console.log(`seed ${seed}: ${minutes} minutes, up to ${jobs} jobs, on ${serverBinary().product} ${serverBinary().version.join('.')}`);
  const whole = chosen.reduce((sum, { share }) => sum + share, 0);
  const reports: StageReport[] = [];
  const broken: string[] = [];
  for (const part of chosen) {
    const share = part.share / whole;
    const durationMs = minutes * 60_000 * share;
    const options: RunOptions = {
      seed, durationMs, jobsPerS: ((part.pace ?? 1) * jobs * share) / (durationMs / 1_000), most: Math.ceil(jobs * share),
      ...kindsOf(part),
    };
    try {
      const report = { ...(await runStage(part.open, options)), stage: part.name };
      reports.push(report);
      console.log(line(report));
      if (report.violationCount > 0) console.log(JSON.stringify(report.violations, undefined, 1), `histories: ${report.folder}`);
    } catch (error) {
      broken.push(`${part.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      console.error(broken.at(-1));
    }
  }
  const file = save(seed, { seed, minutes, jobs, args: values, server: serverBinary(), node: process.version, stages: reports, broken });
  const violations = reports.reduce((sum, { violationCount }) => sum + violationCount, 0);
  const total = (count: (report: StageReport) => number): number => reports.reduce((sum, report) => sum + count(report), 0);
  console.log(`\nseed ${seed}: ${total(({ figures }) => figures.acknowledged)} jobs, ${total(({ faults }) => sumOf(faults))} faults, ${violations} violations; ${file}`);
  if (violations > 0 || broken.length > 0) console.log(`Again: npm run test:faults -- --seed ${seed} --minutes ${minutes} --jobs ${jobs}${values.stages ? ` --stages ${values.stages}` : ''}`);
  return violations > 0 || broken.length > 0 ? 1 : 0;
}

/** What is named on the command line, within what the part is about. */
function kindsOf({ kinds }: Part): { kinds?: readonly string[] } {
  const asked = values.kinds?.split(',');
  if (!asked) return kinds ? { kinds } : {};
  return { kinds: kinds ? kinds.filter((kind) => asked.includes(kind)) : asked };
}

function line({ stage, seconds, figures, faults, violationCount, notDone }: StageReport): string {
  const kinds = Object.entries(faults).map(([kind, count]) => `${kind} ${count}`).join(', ');
  const { acknowledged, unknown, refused, runs, extraRuns, stalls, lost, progressMs, crashMs, rerunMs } = figures;
  return [
    `${stage.padEnd(9)} ${seconds} s  jobs ${acknowledged} (+${unknown} unknown, ${refused} refused)  runs ${runs} (${extraRuns} extra, ${stalls} stalls)  violations ${violationCount}${lost > 0 ? `  lost ${lost}` : ''}`,
    `          checked ${Object.entries(figures.covered).map(([what, count]) => `${what} ${count}`).join(', ')}`,
    `          faults ${sumOf(faults)}: ${kinds}`,
    `          progress after a fault: median ${progressMs.median} ms, most ${progressMs.most} ms of ${progressMs.count}`,
    `          after a crash its jobs wait again: median ${crashMs.median} ms, most ${crashMs.most} ms of ${crashMs.count}; and run: median ${rerunMs.median} ms, most ${rerunMs.most} ms later`,
    ...Object.entries(notDone).map(([what, count]) => `          not done ${count}×: ${what}`),
  ].join('\n');
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function save(seed: number, report: object): string {
  const folder = fileURLToPath(new URL('./results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const name = `${new Date().toISOString().slice(0, 10)}-${seed}.json`;
  writeFileSync(join(folder, name), `${JSON.stringify({ date: new Date().toISOString(), ...report }, undefined, 2)}\n`);
  return `test/faults/results/${name}`;
}
