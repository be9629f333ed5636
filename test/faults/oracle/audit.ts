import type { Cluster, Redis } from 'ioredis';
import type { QueueKeys } from '../../../src/redis/keys.js';
import type { Violations } from './violations.js';

const sets = ['wait', 'delayed', 'active', 'parents', 'completed', 'failed'] as const;
/** Columns by job id: each may only speak of jobs that exist. */
const columns = ['state', 'outcome', 'history', 'progress', 'logs'] as const;
/** Keys that a queue at rest may have besides. */
const others = ['meta', 'job', 'run', 'expire', 'sessions', 'dedup', 'marker', 'events', 'rate', 'orphans', 'outbox', 'pending'];

/** What is left where the end of a schedule was acknowledged and then lost in a failover. */
const ofSchedules = ['schedules', 'schedule', 'scheduleRuns'];

/** How many jobs are in each state. */
export type Census = Record<(typeof sets)[number], number>;

/** Compares everything that Redis holds of a queue at rest: each job in exactly one state, and no key out of reach (I6, I7). */
export async function audit(client: Redis | Cluster, keys: QueueKeys, { violations, durable }: { violations: Violations; durable: boolean }): Promise<Census> {
  const census = {} as Census;
  const places = new Map<string, string>();
  for (const set of sets) {
    const ids = await client.zrange(keys.key(set), '0', '-1');
    census[set] = ids.length;
    for (const id of ids) {
      const place = places.get(id);
      if (place !== undefined) violations.add('I6', `${id} is in ${place} and in ${set}`);
      places.set(id, set);
    }
  }
  const records = new Set(await client.hkeys(keys.key('job')));
  for (const [id, place] of places) if (!records.has(id)) violations.add('I6', `${id} is in ${place} without a record`);
  for (const id of records) if (!places.has(id)) violations.add('I7', `${id} has a record and is in no state`);
  for (const column of columns) {
    for (const id of await client.hkeys(keys.key(column))) if (!records.has(id)) violations.add('I7', `${column} of ${id}, which does not exist`);
  }
  // The nameless entry of `run` holds no lease: it keeps Redis from a slower way to store small hashes.
  for (const id of await client.hkeys(keys.key('run'))) if (id !== '' && places.get(id) !== 'active') violations.add('I7', `a lease of ${id}, which is not active`);
  for (const id of await client.zrange(keys.key('expire'), '0', '-1')) if (!records.has(id)) violations.add('I7', `an age of ${id}, which does not exist`);
  // The letters of children are delivered, and the books of parents lie as long as these are known.
  for (const id of await client.hkeys(keys.key('outbox'))) violations.add('I7', `a letter of ${id} that nobody has delivered`);
  const parents = await client.hkeys(keys.key('pending'));
  for (const id of parents) if (!records.has(id)) violations.add('I7', `counts of the children of ${id}, which does not exist`);
  const books = new Set([...parents, ...(await client.smembers(keys.key('orphans')))].map((id) => keys.children(id)));
  const known = new Set<string>([...sets, ...columns, ...others, ...(durable ? [] : ofSchedules)].map((name) => keys.key(name)));
  for (const key of await keysUnder(client, keys.base)) if (!known.has(key) && !books.has(key)) violations.add('I7', `key ${key}`);
  return census;
}

async function keysUnder(client: Redis | Cluster, base: string): Promise<string[]> {
  const nodes = 'nodes' in client ? client.nodes('master') : [client];
  const found: string[] = [];
  for (const node of nodes) {
    for (let cursor = '0', first = true; first || cursor !== '0'; first = false) {
      const [next, page] = await node.scan(cursor, 'MATCH', `${base}*`, 'COUNT', 1000);
      found.push(...page);
      cursor = next;
    }
  }
  return found;
}
