import { count, duration, padEnd, padStart, paint, rate, visibleWidth } from './format.js';
import { countsOf, dueAt, jobsOf, states, type AnyQueue, type Counts } from './records.js';

export interface QueueReport {
  name: string;
  counts: Counts;
  perSecond: number;
  /** From the moment a job was due to its (last) start, sorted. */
  waitingMs: number[];
  /** From its (last) start to its end, sorted. */
  runningMs: number[];
}

export async function reportOn(queue: AnyQueue): Promise<QueueReport> {
  const finished = [...(await jobsOf(queue, 'completed')), ...(await jobsOf(queue, 'failed'))];
  const waitingMs: number[] = [];
  const runningMs: number[] = [];
  let firstStart = Infinity;
  let lastEnd = -Infinity;
  for (const job of finished) {
    const { processedOn, finishedOn } = job;
    if (processedOn === undefined || finishedOn === undefined) throw new Error(`${queue.name}: the finished job ${job.id} has no times`);
    waitingMs.push(processedOn - dueAt(job));
    runningMs.push(finishedOn - processedOn);
    firstStart = Math.min(firstStart, processedOn);
    lastEnd = Math.max(lastEnd, finishedOn);
  }
  return {
    name: queue.name,
    counts: await countsOf(queue),
    perSecond: finished.length / Math.max(0.001, (lastEnd - firstStart) / 1_000),
    waitingMs: waitingMs.sort(ascending),
    runningMs: runningMs.sort(ascending),
  };
}

export function printReports(reports: readonly QueueReport[]): void {
  print([
    ['', 'waiting', 'active', 'delayed', 'completed', 'failed', 'throughput'],
    ...reports.map(({ name, counts, perSecond }) => [name, ...states.map((state) => countCell(state, counts[state])), rate(perSecond)]),
  ]);
  console.log();
  print([
    ['', 'waited p50', 'p95', 'p99', 'ran p50', 'p95', 'p99'],
    ...reports.map(({ name, waitingMs, runningMs }) => [name, ...percentiles(waitingMs), ...percentiles(runningMs)]),
  ]);
  console.log(paint.dim('\n  waited: from the moment a job was due to its last start; ran: from there to its end'));
}

/** The smallest value that `percent` per cent of the values do not exceed (nearest rank). */
export function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}

export function ascending(a: number, b: number): number {
  return a - b;
}

function percentiles(sorted: readonly number[]): string[] {
  return [50, 95, 99].map((percent) => duration(percentile(sorted, percent)));
}

function countCell(state: keyof Counts, value: number): string {
  if (value === 0) return paint.dim('0');
  return state === 'failed' ? paint.yellow(count(value)) : count(value);
}

const minWidth = 7;

function print([header = [], ...rows]: readonly string[][]): void {
  const [first = 0, ...others] = header.map((title, column) => Math.max(minWidth, ...[title, ...rows.map((row) => row[column] ?? '')].map(visibleWidth)));
  const line = ([name = '', ...cells]: readonly string[]) => `  ${padEnd(name, first)}${cells.map((cell, column) => `  ${padStart(cell, others[column] ?? 0)}`).join('')}`;
  console.log(paint.bold(line(header)));
  for (const row of rows) console.log(line(row));
}
