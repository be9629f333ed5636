import { Probe } from './measure.js';
import { parseOptions, redisUrl, usage, type Options } from './options.js';
import { knownReasons } from './reasons.js';
import { costTable, describe, errorLines, linesOf, save, surroundings, table, type Line } from './report.js';
import { runWorkload, type WorkloadResult } from './run.js';
import { expectCleanExit, refuseUsedDatabase } from './safety.js';

const results = new URL('./results/', import.meta.url);
const print = (text = ''): void => void process.stdout.write(`${text}\n`);

async function run(options: Options): Promise<void> {
  const url = redisUrl();
  const probe = await Probe.open(url);
  try {
    await refuseUsedDatabase(probe);
    const where = await surroundings(options, probe);
    print(describe(where));
    const measured = await measureAll(options, { probe, url });
    const lines = measured.flatMap(linesOf);
    await printReport(lines, measured, options);
    const names = await save(results, { where, lines, results: measured, options });
    print(`written to benchmarks/results: ${names.join(', ')}`);
    await probe.flush();
  } finally {
    await probe.close();
  }
}

async function measureAll(options: Options, { probe, url }: { probe: Probe; url: string }): Promise<WorkloadResult[]> {
  const measured: WorkloadResult[] = [];
  for (const workload of options.workloads) {
    const startedAt = performance.now();
    const result = await runWorkload(workload, { probe, url, options });
    measured.push(result);
    process.stderr.write(`  ${workload.name}: ${((performance.now() - startedAt) / 1_000).toFixed(1)} s\n`);
  }
  return measured;
}

async function printReport(lines: readonly Line[], measured: readonly WorkloadResult[], options: Options): Promise<void> {
  const names = options.peers.map((peer) => peer.name);
  print(`\n${table(lines, names)}`);
  print(`\n${costTable(measured, names)}\n`);
  for (const line of errorLines(measured)) print(`error in ${line}`);
  const judged = lines.filter((line) => line.met !== undefined);
  if (judged.length === 0) return;
  print(`${judged.filter((line) => line.met).length} of ${judged.length} targets met`);
  if (options.quick) return print('A quick run is one round of half-warm code: it shows whether something broke. Whether a target is met, a whole run shows.');
  const reasons = await knownReasons();
  for (const { row } of judged.filter((line) => !line.met)) print(`not met: ${row.label}: ${reasons.get(row.label) ?? 'no reason is known; docs/performance.md tells of other rows'}`);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') print(usage);
  else await run(options);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
expectCleanExit();
