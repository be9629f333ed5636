import { parseArgs } from 'node:util';
import { peerNamed, peers } from './peers/index.js';
import type { Peer } from './peers/peer.js';
import { workloads, workloadsNamed } from './workloads/index.js';
import type { Workload } from './workloads/workload.js';

export interface Options {
  readonly quick: boolean;
  readonly rounds: number;
  readonly peers: readonly Peer[];
  readonly workloads: readonly Workload[];
  /** Not all peers or workloads: the result is kept apart from those of whole runs. */
  readonly partial: boolean;
}

export const usage = `usage: npm run bench -- [--quick] [--only <workload,…>] [--peers <peer,…>] [--rounds <n>]
  workloads: ${workloads.map((each) => each.name).join(', ')}; a prefix such as 'process' means all that start with it
  peers:     ${peers.map((each) => each.name).join(', ')}`;

export function parseOptions(args: string[]): Options | 'help' {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      peers: { type: 'string' },
      rounds: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  return {
    quick: values.quick,
    rounds: values.rounds === undefined ? (values.quick ? 1 : 5) : positive('--rounds', values.rounds),
    peers: values.peers === undefined ? peers : peers.filter((peer) => list(values.peers).map(peerNamed).includes(peer)),
    workloads: values.only === undefined ? workloads : workloadsNamed(list(values.only)),
    partial: values.only !== undefined || values.peers !== undefined,
  };
}

export const list = (text = ''): string[] => text.split(',').filter(Boolean);

export function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a whole number from 1, not '${text}'`);
  return value;
}

/** The server that was named for this. It gets flushed between rounds, so one that holds anything is refused. */
export function redisUrl(): string {
  const url = process.env['REDIS_URL'];
  if (!url) throw new Error('REDIS_URL is not set: `npm run bench` starts a private Redis and sets it');
  return url;
}
