import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import type { Holder } from '../redis/scripts/enqueue.js';

/** A worker of the same process, on the same connection. */
export interface Neighbour {
  /** Whether it has nothing to do and would take a job. It is asked when one is added, so it learns that jobs come from near. */
  isFree(): boolean;
  /** Looks for jobs at once. */
  look(): void;
  /** Keeps slots free for so many new jobs, which it is to be given with the call that adds them; undefined when it has not as many. */
  reserve(count: number): Reservation | undefined;
}

/** Slots that wait for jobs which are handed over. */
export interface Reservation extends Holder {
  /** These are under way: they are made ready while Redis works. */
  expect(ids: readonly string[], records: readonly Buffer[]): void;
  /** They were handed over under this lease. */
  fill(lease: string): void;
  cancel(): void;
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
  for (const neighbour of all.get(connection)?.get(base) ?? []) if (neighbour.isFree()) return neighbour;
  return undefined;
}
