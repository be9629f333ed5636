import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { baseline, subject } from './peers/index.js';
import { drawRatios, type RatioBar } from './chart.js';
import type { Probe } from './measure.js';
import type { Options } from './options.js';
import type { PeerResult, WorkloadResult } from './run.js';
import { spread, type Summary } from './statistics.js';
import type { Row, Target } from './workloads/workload.js';

/** One line of the table, with its judgement. */
export interface Line {
  readonly row: Row;
  readonly result: WorkloadResult;
  readonly ratio?: number;
  readonly met?: boolean;
}

/** Where the run took place: figures of different machines cannot be compared, ratios can. */
export interface Surroundings {
  readonly date: string;
  readonly node: string;
  readonly redis: string;
  readonly persistence: string;
  readonly cpu: string;
  readonly cores: number;
  readonly mode: 'full' | 'quick';
  readonly rounds: number;
  readonly versions: Record<string, string>;
}

const none = '–';

export async function surroundings(options: Options, probe: Probe): Promise<Surroundings> {
  const info = await probe.info('server', 'persistence');
  const versions = await Promise.all(options.peers.map(async (peer) => [peer.name, await peer.version().catch(() => 'not built')] as const));
  return {
    date: new Date().toISOString(),
    node: process.version,
    redis: info['redis_version'] ?? 'unknown',
    persistence: info['aof_enabled'] === '1' ? 'AOF' : 'no AOF',
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    mode: options.quick ? 'quick' : 'full',
    rounds: options.rounds,
    versions: Object.fromEntries(versions),
  };
}

export function describe(where: Surroundings): string {
  const versions = Object.entries(where.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${where.mode} run, ${where.rounds} round(s) · Node ${where.node} · Redis ${where.redis}, ${where.persistence} · ${where.cores} × ${where.cpu}`,
    versions.join(' · '),
  ].join('\n');
}

export function linesOf(result: WorkloadResult): Line[] {
  return result.workload.rows.map((row) => {
    const ratio = ratioOf(result, row, subject);
    return {
      row,
      result,
      ...(ratio !== undefined && { ratio }),
      ...(ratio !== undefined && row.target && { met: isMet(ratio, row.target) }),
    };
  });
}

/** Throughput and the other rows: a column per peer, then the ratio, the target and whether it is met. */
export function table(lines: readonly Line[], peers: readonly string[]): string {
  const header = ['workload', 'unit', ...peers, `${subject}/${baseline}`, 'target', 'met', 'of floor'];
  const body = lines.map(({ row, result, ratio, met }) => [
    row.label,
    row.unit,
    ...peers.map((name) => cell(result.peers[name], row.metric)),
    ratio === undefined ? none : `${ratio.toFixed(2)} ×`,
    row.target ? targetText(row.target) : none,
    met === undefined ? none : met ? 'yes' : 'NO',
    ofFloor(result, row),
  ]);
  return align([header, ...body]);
}

const costs = [
  ['redisCpuUs', 'Redis µs'],
  ['nodeCpuUs', 'Node µs'],
  ['commands', 'commands'],
  ['scriptCalls', 'script calls'],
  ['bytes', 'bytes'],
] as const;

/** What each throughput row cost per job, taken in the same windows. */
export function costTable(results: readonly WorkloadResult[], peers: readonly string[]): string {
  const header = ['cost per job', '', ...peers];
  const body = results.flatMap((result) =>
    costs
      .filter(([metric]) => Object.values(result.peers).some((peer) => peer.metrics[metric]))
      .map(([metric, label]) => [
        result.workload.name,
        label,
        ...peers.map((name) => {
          const summary = result.peers[name]?.metrics[metric];
          return summary ? number(summary.median) : none;
        }),
      ]),
  );
  return align([header, ...body]);
}

export function errorLines(results: readonly WorkloadResult[]): string[] {
  return results.flatMap((result) =>
    Object.entries(result.peers).flatMap(([name, { error }]) => (error === undefined ? [] : [`${result.workload.name}, ${name}: ${error}`])),
  );
}

/** Writes `<date>.json` and the chart beside it, and returns their names. */
export async function save(directory: URL, { where, lines, results, options }: { where: Surroundings; lines: readonly Line[]; results: readonly WorkloadResult[]; options: Options }): Promise<string[]> {
  const kind = `${options.quick ? '-quick' : ''}${options.partial ? '-partial' : ''}`;
  const name = `${where.date.slice(0, 16).replace('T', '-').replace(':', '')}${kind}`;
  await mkdir(directory, { recursive: true });
  await writeFile(new URL(`${name}.json`, directory), `${JSON.stringify({ ...where, rows: rowsForJson(lines), workloads: workloadsForJson(results) }, undefined, 2)}\n`);
  await writeFile(new URL(`${name}.svg`, directory), drawRatios(bars(lines), { subject, baseline, subtitle: chartSubtitle(where) }));
  return [`${name}.json`, `${name}.svg`];
}

function rowsForJson(lines: readonly Line[]): unknown {
  return lines.map(({ row, result, ratio, met }) => ({
    workload: result.workload.name,
    label: row.label,
    unit: row.unit,
    better: row.better,
    peers: Object.fromEntries(Object.entries(result.peers).map(([name, peer]) => [name, peer.metrics[row.metric]?.median ?? null])),
    ratio: ratio ?? null,
    target: row.target ?? null,
    met: met ?? null,
  }));
}

function workloadsForJson(results: readonly WorkloadResult[]): unknown {
  return Object.fromEntries(results.map(({ workload, size, peers }) => [workload.name, { size, peers }]));
}

function chartSubtitle(where: Surroundings): string {
  return `${where.date.slice(0, 10)} · ${where.mode} run, median of ${where.rounds} · Node ${where.node} · Redis ${where.redis} · ${where.cores} cores`;
}

/** Every ratio as "times better than the baseline", whichever way the row points. */
function bars(lines: readonly Line[]): RatioBar[] {
  return lines.map(({ row, result, met }) => {
    const better = (name: string): number | undefined => {
      const ratio = ratioOf(result, row, name);
      return ratio === undefined || ratio <= 0 ? undefined : row.better === 'higher' ? ratio : 1 / ratio;
    };
    const others = Object.keys(result.peers).filter((name) => ![subject, baseline, 'floor'].includes(name));
    return {
      label: row.label,
      value: better(subject),
      target: row.target && targetAsBetter(row.target),
      met,
      others: others.map((name) => ({ name, value: better(name) })),
    };
  });
}

function ratioOf(result: WorkloadResult, row: Row, name: string): number | undefined {
  const own = result.peers[name]?.metrics[row.metric]?.median;
  const base = result.peers[baseline]?.metrics[row.metric]?.median;
  return own === undefined || base === undefined || base === 0 ? undefined : own / base;
}

/** How much of the floor's figure is reached: 100 % would be raw commands that promise nothing. */
function ofFloor(result: WorkloadResult, row: Row): string {
  const own = result.peers[subject]?.metrics[row.metric]?.median;
  const limit = result.peers['floor']?.metrics[row.metric]?.median;
  if (own === undefined || limit === undefined) return none;
  return `${Math.round(100 * (row.better === 'higher' ? own / limit : limit / own))} %`;
}

function isMet(ratio: number, target: Target): boolean {
  if ('atLeast' in target) return ratio >= target.atLeast;
  if ('atMost' in target) return ratio <= target.atMost;
  return ratio < target.below;
}

function targetText(target: Target): string {
  if ('atLeast' in target) return `≥ ${target.atLeast} ×`;
  if ('atMost' in target) return `≤ ${target.atMost.toFixed(2)} ×`;
  return `< ${target.below} ×`;
}

function targetAsBetter(target: Target): number {
  if ('atLeast' in target) return target.atLeast;
  return 1 / ('atMost' in target ? target.atMost : target.below);
}

function cell(peer: PeerResult | undefined, metric: string): string {
  if (!peer) return none;
  const summary = peer.metrics[metric];
  if (!summary) return 'error';
  return `${number(summary.median)}${spreadText(summary)}${peer.error === undefined ? '' : ' !'}`;
}

function spreadText(summary: Summary): string {
  return summary.samples.length < 2 ? '' : ` ±${Math.round(100 * spread(summary))}%`;
}

function number(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)}k`;
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The first column to the left, all others to the right. */
function align(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    row.map((text, column) => (column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0))).join('  ');
  return rows.map((row, index) => (index === 0 ? `${line(row)}\n${widths.map((width) => '─'.repeat(width)).join('  ')}` : line(row))).join('\n');
}
