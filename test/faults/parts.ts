import type { RunOptions } from './workload/run-stage.js';
import { openCluster, openSentinel, openSingle, type Stage, type StageOptions } from './workload/stage.js';

/** A stage of each round. */
export interface Part {
  readonly name: string;
  /** Its share of the time. */
  readonly share: number;
  readonly kinds?: readonly string[];
  /** Of the jobs that it would add at the pace of all: where times are taken, nothing is to queue up. Default 1. */
  readonly pace?: number;
  readonly open: (options: StageOptions) => Promise<Stage>;
}

export const parts: readonly Part[] = [
  { name: 'single', share: 55, open: (options) => openSingle(options) },
  // One kind alone shows how long recovery takes.
  { name: 'crash', share: 8, pace: 0.2, kinds: ['kill-worker'], open: (options) => openSingle(options) },
  { name: 'restart', share: 7, pace: 0.2, kinds: ['restart-redis', 'freeze-redis'], open: (options) => openSingle(options) },
  { name: 'storage', share: 8, open: (options) => openSingle(options, { storage: true }) },
  { name: 'clock', share: 6, open: (options) => openSingle(options, { clock: true }) },
  { name: 'sentinel', share: 8, pace: 0.6, open: openSentinel },
  { name: 'cluster', share: 8, open: openCluster },
];

export interface Round {
  readonly seed: number;
  readonly minutes: number;
  readonly jobs: number;
  /** Only these kinds of faults, of those that a part is about. */
  readonly kinds: readonly string[] | undefined;
}

/** What each part does in a round: together they take its minutes and add its jobs. */
export function planRound(chosen: readonly Part[], { seed, minutes, jobs, kinds }: Round): { part: Part; options: RunOptions }[] {
  const time = chosen.reduce((sum, { share }) => sum + share, 0);
  const work = chosen.reduce((sum, { share, pace = 1 }) => sum + share * pace, 0);
  return chosen.map((part) => {
    const durationMs = (minutes * 60_000 * part.share) / time;
    const most = Math.ceil((jobs * part.share * (part.pace ?? 1)) / work);
    const own = kinds ? (part.kinds ?? kinds).filter((kind) => kinds.includes(kind)) : part.kinds;
    return { part, options: { seed, durationMs, most, jobsPerS: most / (durationMs / 1_000), ...(own ? { kinds: own } : {}) } };
  });
}
