import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';

/** A worker of the same process, on the same connection. */
export interface Neighbour {
  /** It has nothing to do, and would take a job. */
  readonly rests: boolean;
  /** Looks for jobs at once. */
  look(): void;
}

const all = new WeakMap<Connection, Map<string, Set<Neighbour>>>();

/**
 * Lets a worker look for jobs that are added in its own process over its own connection. Its call for them then travels
 * right behind theirs, and has not to wait until Redis has woken it. Answers what ends that.
 */
export function joinNeighbours(connection: Connection, { base }: QueueKeys, neighbour: Neighbour): () => void {
  const queues = all.get(connection) ?? new Map<string, Set<Neighbour>>();
  all.set(connection, queues);
  const workers = queues.get(base) ?? new Set();
  queues.set(base, workers.add(neighbour));
  return () => {
    workers.delete(neighbour);
    if (workers.size === 0) queues.delete(base);
  };
}

/** The first worker that rests, if jobs of this queue have one near. */
export function restingNeighbour(connection: Connection, { base }: QueueKeys): Neighbour | undefined {
  for (const neighbour of all.get(connection)?.get(base) ?? []) if (neighbour.rests) return neighbour;
  return undefined;
}
