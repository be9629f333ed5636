import { floor } from '../floor.js';
import { beeQueue } from './bee-queue.js';
import { bull } from './bull.js';
import { bullmq } from './bullmq.js';
import { drover } from './drover.js';
import { groupmq } from './groupmq.js';
import type { Peer } from './peer.js';

/** In the order in which a round visits them and the table shows them. */
export const peers: readonly Peer[] = [drover, bullmq, bull, beeQueue, groupmq, floor];

/** The peer that all ratios refer to. */
export const baseline = 'bullmq';
export const subject = 'drover';

export function peerNamed(name: string): Peer {
  const peer = peers.find((candidate) => candidate.name === name);
  if (!peer) throw new Error(`unknown peer '${name}': choose from ${peers.map((each) => each.name).join(', ')}`);
  return peer;
}
