// The long form: random runs against the model, and what of the Lua they reached. `npm run test:model`.
import { parseArgs } from 'node:util';
import { Bench } from './play/bench.js';
import { coverageOf, shownCoverage } from './play/coverage.js';
import { tryMissing, trySlips } from './play/mutants.js';
import { meetRetyped, summaryOf, tornRows } from './play/retyped.js';
import { play, type Failure } from './play/run.js';
import { runScenarios } from './scenarios.js';

const usage = `npm run test:model -- [--seed N] [--path P] [--runs N] [--length N] [--mutants | --slips | --retyped] [--every N] [--in F]

--seed    everything that is drawn comes from it (default: a random one, printed)
--path    of a failure that was printed: only that run is made
--runs    how many runs (default 1,000)
--length  the most steps of a run (default 120)
--mutants leaves out one Lua statement after the other, and counts how many of them the runs miss
--slips   writes one operator or number after the other wrongly, and counts as well
--retyped makes a key of another type before a call, and lists the scripts that had written before they met it
--every   only each N-th of them is tried (default 1)
--in      only those in this file, e.g. sweep.lua`;

/** What is left are statements that only save time, or that nothing but the wording of an error depends on. */
const leastKilled = 0.95;

const { values } = parseArgs({
  options: { seed: { type: 'string' }, path: { type: 'string' }, runs: { type: 'string' }, length: { type: 'string' }, help: { type: 'boolean' },
    mutants: { type: 'boolean' }, slips: { type: 'boolean' }, retyped: { type: 'boolean' }, every: { type: 'string' }, in: { type: 'string' },
  },
});

if (values.help) console.log(usage);
else process.exitCode = await main();

async function main(): Promise<number> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const [runs, length] = [Number(values.runs ?? 1000), Number(values.length ?? 120)];
  if (![seed, runs, length].every(Number.isInteger)) {
    console.error(usage);
    return 2;
  }
  if (values.mutants || values.slips) return mutate(seed, { runs: Number(values.runs ?? 150), length });
  if (values.retyped) return retype(seed, { runs, length });
  console.log(`seed ${seed}: ${runs} runs of up to ${length} steps`);
  const bench = await Bench.open();
  try {
    const report = await play(bench, { seed, path: values.path, runs, length });
    console.log(`${report.runs} runs, ${report.commands} commands in ${report.seconds.toFixed(1)} s: ${Math.round(report.commands / report.seconds)} a second`);
    if (report.failure) return shown(report.failure, length);
    if (values.path !== undefined) return 0;
    await runScenarios(bench);
    const coverage = coverageOf(bench);
    console.log(shownCoverage(coverage));
    return coverage.missed.length > 0 ? 1 : 0;
  } finally {
    await bench.close();
  }
}

async function mutate(seed: number, { runs, length }: { runs: number; length: number }): Promise<number> {
  console.log(`seed ${seed}: ${runs} runs of up to ${length} steps against each mutant`);
  const { tried, killed, survivors } = await (values.slips ? trySlips : tryMissing)({ seed, runs, length, every: Number(values.every ?? 1), file: values.in });
  for (const place of survivors) console.log(`  not noticed: ${place}`);
  console.log(`${killed} of ${tried} are noticed when they are ${values.slips ? 'wrong' : 'left out'} (${((killed / tried) * 100).toFixed(1)} %)`);
  return killed / tried >= leastKilled ? 0 : 1;
}

/** The rows of the table in docs/model-test.md. */
async function retype(seed: number, { runs, length }: { runs: number; length: number }): Promise<number> {
  const bench = await Bench.open();
  try {
    const meetings = await meetRetyped(bench, { seed, runs, length, tries: 12 });
    for (const { script, key, written } of tornRows(summaryOf(meetings))) console.log(`| \`${script}\` | \`${key}\` | ${written} |`);
    const count = (outcome: string): number => meetings.filter((meeting) => meeting.outcome === outcome).length;
    console.error(`seed ${seed}: ${meetings.length} calls with a key of another type: ${count('kept')} changed nothing, ${count('torn')} had written, ${count('passed')} did not meet it`);
    return 0;
  } finally {
    await bench.close();
  }
}

function shown({ seed, path, message, steps, damaged }: Failure, length: number): number {
  console.error(`Redis and the model differ at ${message}`);
  console.error(`${damaged ? 'damaged' : 'undamaged'} steps, one a line, for test/model/regressions:`);
  for (const step of steps) console.error(JSON.stringify(step));
  console.error(`again: npm run test:model -- --seed ${seed} --path ${path} --length ${length}`);
  return 1;
}
