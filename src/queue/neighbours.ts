import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';

/** Looks for jobs at once, and answers whether it will; a worker that rests does. */
export type Nudge = () => boolean;

const resting = new WeakMap<Connection, Map<string, Set<Nudge>>>();

/**
 * Lets a worker be nudged by jobs that are added in its own process over its own connection. Its call for jobs then
 * travels right behind theirs, and has not to wait until Redis has woken it. Answers what ends that.
 */
export function listenToNeighbours(connection: Connection, { base }: QueueKeys, nudge: Nudge): () => void {
  const queues = resting.get(connection) ?? new Map<string, Set<Nudge>>();
  resting.set(connection, queues);
  const workers = queues.get(base) ?? new Set();
  queues.set(base, workers.add(nudge));
  return () => {
    workers.delete(nudge);
    if (workers.size === 0) queues.delete(base);
  };
}

/** Jobs of this queue are on their way to Redis: the first neighbour that rests looks for them. */
export function nudgeNeighbour(connection: Connection, { base }: QueueKeys): void {
  for (const nudge of resting.get(connection)?.get(base) ?? []) if (nudge()) return;
}
