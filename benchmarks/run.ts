import type { Options } from './options.js';
import type { Probe } from './measure.js';
import type { Peer } from './peers/peer.js';
import { Round } from './round.js';
import { summarize, type Summary } from './statistics.js';
import type { Metrics, Workload } from './workloads/workload.js';

/** What one peer reached in one workload. */
export interface PeerResult {
  readonly metrics: Record<string, Summary>;
  /** Why there are no figures, or fewer rounds than asked for. */
  readonly error?: string;
}

export interface WorkloadResult {
  readonly workload: Workload;
  readonly size: number;
  /** By peer name; absent for a peer that lacks the feature. */
  readonly peers: Record<string, PeerResult>;
}

const limitMs = { full: 120_000, quick: 20_000 };
const warmUpShare = { full: 0.2, quick: 0.4 };

/** Runs one workload: a warm-up of every peer, then rounds that visit the peers in turn (A B C A B C). */
export async function runWorkload(workload: Workload, context: { probe: Probe; url: string; options: Options }): Promise<WorkloadResult> {
  const { options } = context;
  const mode = options.quick ? 'quick' : 'full';
  const size = workload.size[mode];
  const able = options.peers.filter((peer) => canRun(peer, workload, options.quick));
  const samples = new Map<Peer, Metrics[]>(able.map((peer) => [peer, []]));
  const errors = new Map<Peer, string>();

  const attempt = async (peer: Peer, jobs: number): Promise<Metrics | undefined> => {
    if (errors.has(peer)) return undefined;
    try {
      return await new Round(peer, context.probe, context.url).run(limitMs[mode], (round) => workload.run(round, jobs));
    } catch (error) {
      errors.set(peer, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };

  try {
    if (!workload.cold) for (const peer of able) await attempt(peer, Math.ceil(size * warmUpShare[mode]));
    for (let round = 0; round < Math.min(options.rounds, workload.maxRounds ?? Infinity); round++) {
      for (const peer of able) {
        const metrics = await attempt(peer, size);
        if (metrics) samples.get(peer)?.push(metrics);
      }
    }
  } finally {
    await workload.close?.();
  }
  return { workload, size, peers: Object.fromEntries(able.map((peer) => [peer.name, peerResult(samples.get(peer) ?? [], errors.get(peer))])) };
}

function canRun(peer: Peer, workload: Workload, quick: boolean): boolean {
  if (quick && workload.quickPeers && !workload.quickPeers.includes(peer.name)) return false;
  return workload.needs.every((feature) => peer.features.has(feature));
}

function peerResult(samples: readonly Metrics[], error: string | undefined): PeerResult {
  const names = Object.keys(samples[0] ?? {});
  const metrics = Object.fromEntries(names.map((name) => [name, summarize(samples.map((sample) => sample[name] ?? NaN))]));
  return { metrics, ...(error !== undefined && { error }) };
}
