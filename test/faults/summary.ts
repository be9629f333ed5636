import type { Spread } from './oracle/history-check.js';
import type { StageReport } from './workload/run-stage.js';

/** What the stages of one name came to, over all rounds. */
export interface Summary {
  readonly stage: string;
  readonly rounds: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  readonly runs: number;
  readonly extraRuns: number;
  readonly lost: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: number;
  /** From the end of a fault to the next job done: the longest of all. */
  readonly mostProgressMs: number;
  /** From a crash until its jobs wait again: the longest of all. */
  readonly mostCrashMs: number;
  readonly crashes: number;
}

export function summarize(reports: readonly StageReport[]): Summary[] {
  return [...new Set(reports.map(({ stage }) => stage))].map((stage) => {
    const mine = reports.filter((report) => report.stage === stage);
    const sum = (count: (report: StageReport) => number): number => mine.reduce((total, report) => total + count(report), 0);
    const most = (spread: (report: StageReport) => Spread): number => Math.max(0, ...mine.map((report) => spread(report).most));
    return {
      stage, rounds: mine.length,
      acknowledged: sum(({ figures }) => figures.acknowledged), unknown: sum(({ figures }) => figures.unknown), refused: sum(({ figures }) => figures.refused),
      runs: sum(({ figures }) => figures.runs), extraRuns: sum(({ figures }) => figures.extraRuns), lost: sum(({ figures }) => figures.lost),
      faults: addUp(mine.map(({ faults }) => faults)), violations: sum(({ violationCount }) => violationCount),
      mostProgressMs: most(({ figures }) => figures.progressMs), mostCrashMs: most(({ figures }) => figures.crashMs),
      crashes: sum(({ figures }) => figures.crashMs.count),
    };
  });
}

export function addUp(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const each of counts) for (const [name, count] of Object.entries(each)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** One stage in words. */
export function describe({ stage, seconds, figures, faults, violationCount, notDone }: StageReport): string {
  const list = (counts: object): string => Object.entries(counts).map(([name, count]) => `${name} ${String(count)}`).join(', ');
  const { acknowledged, unknown, refused, runs, extraRuns, stalls, lost, progressMs, crashMs, rerunMs } = figures;
  return [
    `${stage.padEnd(9)} ${seconds} s  jobs ${acknowledged} (+${unknown} unknown, ${refused} refused)  runs ${runs} (${extraRuns} extra, ${stalls} stalls)  violations ${violationCount}${lost > 0 ? `  lost ${lost}` : ''}${figures.starved > 0 ? `  machine too busy ${figures.starved}×` : ''}`,
    `          checked ${list(figures.covered)}`,
    `          faults ${sumOf(faults)}: ${list(faults)}`,
    `          progress after a fault: median ${progressMs.median} ms, most ${progressMs.most} ms of ${progressMs.count}`,
    `          after a crash its jobs wait again: median ${crashMs.median} ms, most ${crashMs.most} ms of ${crashMs.count}; and run: median ${rerunMs.median} ms, most ${rerunMs.most} ms later`,
    ...figures.slowRecoveries.map((what) => `          slow: ${what}`),
    ...Object.entries(notDone).map(([what, count]) => `          not done ${count}×: ${what}`),
  ].join('\n');
}
