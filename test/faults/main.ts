// The long form: every kind of fault on every kind of server, one stage after the other. `npm run test:faults`.
import { parseArgs } from 'node:util';
import { serverBinary } from '../support/servers/binary.js';
import { parts, planRound, type Part } from './parts.js';
import { saveResult } from './results.js';
import { addUp, describe, summarize, sumOf } from './summary.js';
import { Endurance } from './workload/endurance.js';
import { runStage, type StageReport } from './workload/run-stage.js';

const usage = `npm run test:faults -- [--seed N] [--minutes M] [--jobs N] [--kinds a,b] [--stages a,b] [--round M]

--seed     everything that is drawn comes from it (default: a random one, printed)
--minutes  how long faults come, all stages together (default 3)
--jobs     how many jobs are tried to be added, all stages together (default 1,300 a second)
--kinds    only these kinds of faults
--stages   only these: ${parts.map(({ name }) => name).join(', ')}
--round    more minutes than this (default 5) are cut into rounds of all stages, each with the next seed; beside them a
           worker and a producer live through everything, so that the growth of their memory is seen`;

/** Progress is told this often. */
const tellMs = 60_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' }, minutes: { type: 'string' }, jobs: { type: 'string' }, kinds: { type: 'string' }, stages: { type: 'string' },
    round: { type: 'string' }, help: { type: 'boolean' },
  },
});

interface Settings {
  readonly seed: number;
  readonly minutes: number;
  readonly jobs: number;
  readonly rounds: number;
  readonly chosen: readonly Part[];
}

/** All that has been seen so far. */
class Run {
  readonly reports: StageReport[] = [];
  readonly broken: string[] = [];
  readonly #startedAt = performance.now();

  get minutes(): number {
    return (performance.now() - this.#startedAt) / 60_000;
  }

  get violations(): number {
    return this.reports.reduce((sum, { violationCount }) => sum + violationCount, 0);
  }

  get line(): string {
    const jobs = this.reports.reduce((sum, { figures }) => sum + figures.acknowledged, 0);
    return `${jobs} jobs, ${sumOf(addUp(this.reports.map(({ faults }) => faults)))} faults, ${this.violations} violations`;
  }
}

function settings(): Settings | undefined {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const minutes = Number(values.minutes ?? 3);
  const jobs = Number(values.jobs ?? minutes * 60 * 1_300);
  const rounds = Math.max(1, Math.round(minutes / Number(values.round ?? 5)));
  const chosen = parts.filter(({ name }) => values.stages?.split(',').includes(name) ?? true);
  return chosen.length > 0 && [seed, minutes, jobs, rounds].every((number) => Number.isFinite(number) && number >= 0) ? { seed, minutes, jobs, rounds, chosen } : undefined;
}

async function main(): Promise<number> {
  const chosen = settings();
  if (!chosen) {
    console.error(usage);
    return 2;
  }
  const { seed, minutes, jobs, rounds } = chosen;
  console.log(`seed ${seed}: ${minutes} minutes${rounds > 1 ? ` in ${rounds} rounds` : ''}, up to ${jobs} jobs, on ${serverBinary().product} ${serverBinary().version.join('.')}`);
  const run = new Run();
  const endurance = rounds > 1 ? Endurance.start(seed) : undefined;
  const telling = setInterval(() => console.log(`· ${run.minutes.toFixed(0)} min: ${run.line}${endurance ? `; ${endurance.now}` : ''}`), tellMs);
  for (let round = 0; round < rounds; round += 1) await goRound(run, chosen, round);
  clearInterval(telling);
  return conclude(run, chosen, endurance);
}

async function goRound(run: Run, { seed, minutes, jobs, rounds, chosen }: Settings, round: number): Promise<void> {
  const plan = planRound(chosen, { seed: seed + round, minutes: minutes / rounds, jobs: jobs / rounds, kinds: values.kinds?.split(',') });
  for (const { part, options } of plan) {
    try {
      const report = { ...(await runStage(part.open, options)), stage: part.name };
      run.reports.push(report);
      console.log(describe(report));
      if (report.violationCount > 0) console.log(`seed ${options.seed}`, JSON.stringify(report.violations, undefined, 1), `histories: ${report.folder}`);
    } catch (error) {
      run.broken.push(`${part.name}, seed ${options.seed}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      console.error(run.broken.at(-1));
    }
  }
}

async function conclude(run: Run, { seed, minutes, jobs, rounds }: Settings, endurance: Endurance | undefined): Promise<number> {
  const took = run.minutes;
  const lived = await endurance?.finish().catch((error: unknown) => void run.broken.push(`endurance: ${String(error)}`));
  run.broken.push(...(lived?.broken ?? []));
  for (const { process: name, growthPercentPerHour, meanMb } of lived?.curves ?? []) {
    console.log(`memory of the ${name}: ${meanMb.toFixed(0)} MB after warm-up, growth ${growthPercentPerHour?.toFixed(2) ?? '?'} % an hour over ${lived?.minutes.toFixed(0)} min, ${lived?.jobs} jobs`);
  }
  const summary = summarize(run.reports);
  const file = saveResult(`${rounds > 1 ? 'long' : 'faults'}-${seed}`, {
    seed, minutes, jobs, rounds, tookMinutes: took, args: values, server: serverBinary(), node: process.version,
    total: run.line, acknowledged: summary.reduce((sum, { acknowledged }) => sum + acknowledged, 0), faults: addUp(summary.map(({ faults }) => faults)), violations: run.violations,
    summary, endurance: lived, broken: run.broken, stages: run.reports,
  });
  console.log(`\nseed ${seed}: ${run.line} in ${took.toFixed(1)} min; ${file}`);
  const bad = run.violations > 0 || run.broken.length > 0;
  if (bad) console.log(`Again: npm run test:faults -- --seed ${seed} --minutes ${minutes} --jobs ${jobs}${values.stages ? ` --stages ${values.stages}` : ''}`);
  return bad ? 1 : 0;
}

if (values.help) console.log(usage);
// A client of a server that was killed may try to reconnect for ever; nothing of the run depends on it any more.
else process.exit(await main());
