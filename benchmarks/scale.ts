import { mkdir, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { drawCurves, type Panel } from './curves.js';
import { Probe } from './measure.js';
import { list, positive, redisUrl } from './options.js';
import { peerNamed } from './peers/index.js';
import { expectCleanExit, refuseUsedDatabase } from './safety.js';
import { measureBacklogs, type BacklogPoint } from './scale/backlogs.js';
import { measureMemory, type MemoryPoint } from './scale/process-memory.js';
import { measureProcesses, type ProcessesPoint } from './scale/processes.js';
import { ScriptClock } from './scale/script-clock.js';

const usage = `usage: tsx benchmarks/scale.ts [options]
  --peers drover               whom to measure
  --backlogs 10k,1m,5m         sizes at which add and process are measured; 'none' leaves it out
  --priorities 1m              backlog of prioritized jobs
  --delays 1m                  backlog of delayed jobs
  --processes 1,2,3,4          numbers of worker processes
  --process-jobs 400k          jobs for each number of worker processes
  --drain 5m                   jobs processed while the memory of the process is watched
  --sample 50k                 jobs added and processed per measurement
  --rounds 3                   measurements per backlog; the median counts`;

interface ScaleResult {
  readonly backlogs: readonly BacklogPoint[];
  readonly processes: readonly ProcessesPoint[];
  readonly memory: readonly MemoryPoint[];
}

const { values } = parseArgs({
  options: {
    peers: { type: 'string', default: 'drover' },
    backlogs: { type: 'string', default: '10k,1m,5m' },
    priorities: { type: 'string', default: '1m' },
    delays: { type: 'string', default: '1m' },
    processes: { type: 'string', default: '1,2,3,4' },
    'process-jobs': { type: 'string', default: '400k' },
    drain: { type: 'string', default: '5m' },
    sample: { type: 'string', default: '50k' },
    rounds: { type: 'string', default: '3' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** '10k' → 10,000; '5m' → 5,000,000. */
function size(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([km]?)$/i.exec(text) ?? [];
  if (digits === '') throw new Error(`not a size: '${text}'; write 10000, 10k or 5m`);
  return Number(digits) * ({ '': 1, k: 1e3, m: 1e6 }[unit.toLowerCase()] ?? 1);
}

const sizes = (text: string): number[] => (text === 'none' ? [] : list(text).map(size));

async function measurePeer(name: string, context: { probe: Probe; url: string }): Promise<ScaleResult> {
  const scripts = await ScriptClock.start(context.probe);
  const shared = { ...context, scripts, peer: peerNamed(name), sample: size(values.sample), rounds: positive('--rounds', values.rounds), print };
  try {
    const backlogs = [
      ...(await measureBacklogs(shared, 'plain', sizes(values.backlogs))),
      ...(await measureBacklogs(shared, 'prioritized', sizes(values.priorities))),
      ...(await measureBacklogs(shared, 'delayed', sizes(values.delays))),
    ];
    const processes = await measureProcesses(shared, sizes(values.processes), size(values['process-jobs']));
    const [drain] = sizes(values.drain);
    const memory = drain === undefined ? [] : await measureMemory(shared, drain);
    return { backlogs, processes, memory };
  } finally {
    await scripts.stop();
    await context.probe.flush();
  }
}

function panels(results: Record<string, ScaleResult>): Panel[] {
  const curves = <Point>(points: (result: ScaleResult) => readonly Point[], xy: (point: Point) => readonly [number, number]): Panel['curves'] =>
    Object.entries(results).map(([name, result]) => ({ name, points: points(result).map(xy) }));
  const plain = (result: ScaleResult): readonly BacklogPoint[] => result.backlogs.filter(({ kind }) => kind === 'plain');
  return [
    { title: 'add by backlog', x: 'waiting jobs', y: 'jobs/s', logarithmic: true, curves: curves(plain, (point) => [point.backlog, point.addsPerSecond]) },
    { title: 'process by backlog', x: 'waiting jobs', y: 'jobs/s', logarithmic: true, curves: curves(plain, (point) => [point.backlog, point.processedPerSecond]) },
    { title: 'process by worker processes', x: 'processes', y: 'jobs/s', curves: curves((result) => result.processes, (point) => [point.processes, point.jobsPerSecond]) },
    { title: 'memory of the worker process', x: 'jobs processed', y: 'MB', curves: curves((result) => result.memory, (point) => [point.processed, point.rssMb]) },
  ];
}

async function save(results: Record<string, ScaleResult>): Promise<void> {
  const directory = new URL('./results/', import.meta.url);
  const date = new Date().toISOString();
  const name = `${date.slice(0, 16).replace('T', '-').replace(':', '')}-scale`;
  await mkdir(directory, { recursive: true });
  await writeFile(new URL(`${name}.json`, directory), `${JSON.stringify({ date, node: process.version, settings: values, results }, undefined, 2)}\n`);
  await writeFile(new URL(`${name}.svg`, directory), drawCurves(panels(results), `Scale · ${date.slice(0, 10)} · Node ${process.version}`));
  print(`written to benchmarks/results: ${name}.json, ${name}.svg`);
}

async function run(): Promise<void> {
  const url = redisUrl();
  const probe = await Probe.open(url);
  try {
    await refuseUsedDatabase(probe);
    const results: Record<string, ScaleResult> = {};
    for (const name of list(values.peers)) {
      print(`\n${name}`);
      results[name] = await measurePeer(name, { probe, url });
    }
    await save(results);
  } finally {
    await probe.close();
  }
}

try {
  if (values.help) print(usage);
  else await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
expectCleanExit();
