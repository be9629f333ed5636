import type { Feature } from '../peers/peer.js';
import type { Round } from '../round.js';

export type Metrics = Record<string, number>;

/** A figure of the table, and what it must be in relation to BullMQ's in the same run. */
export interface Row {
  readonly metric: string;
  readonly label: string;
  readonly unit: 'jobs/s' | 'µs' | 'bytes' | 'ms' | 'commands/s';
  readonly better: 'higher' | 'lower';
  readonly target?: Target;
}

export type Target = { readonly atLeast: number } | { readonly atMost: number } | { readonly below: number };

export interface Workload {
  readonly name: string;
  readonly needs: readonly Feature[];
  /** How much one round does: jobs, unless the workload says otherwise. */
  readonly size: { readonly full: number; readonly quick: number };
  readonly rows: readonly Row[];
  /** Set where there is nothing to warm up, or each round does so itself. */
  readonly cold?: boolean;
  /** At most so many rounds, where a round is long and the figure hardly varies. */
  readonly maxRounds?: number;
  /** Peers measured in a quick run, where measuring all takes too long. */
  readonly quickPeers?: readonly string[];
  run(round: Round, size: number): Promise<Metrics>;
  /** Ends what outlives a round, such as worker processes. */
  close?(): Promise<void>;
}

/** The two that the targets are about. */
export const mainPeers: readonly string[] = ['drover', 'bullmq'];

export const throughput = (label: string, target?: Target): Row => ({
  metric: 'jobsPerSecond',
  label,
  unit: 'jobs/s',
  better: 'higher',
  ...(target && { target }),
});
