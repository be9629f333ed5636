import type { Queue as Engine } from '../../index.js';
import type { JobStatusClean } from './declarations.js';

const cleanable = ['completed', 'wait', 'active', 'paused', 'delayed', 'failed'];

/** Removes jobs of one of Bull's states; see `queue.clean`. Dashboards say `waiting`, as `getJobCounts` does, for `wait`. */
export async function clean(engine: Engine, grace: number, asked: JobStatusClean | 'waiting', limit = 0): Promise<string[]> {
  const type = asked === 'waiting' ? 'wait' : asked;
  if ((grace as number | null | undefined) === undefined || (grace as number | null) === null) throw new Error('You must define a grace period.');
  if (!cleanable.includes(type)) throw new Error(`Cannot clean unknown queue type ${type}`);
  if (type !== 'wait' && type !== 'paused') return engine.clean(grace, limit, type);
  if ((await engine.isPaused()) !== (type === 'paused')) return [];
  const first = await engine.clean(grace, limit, 'wait');
  if (limit > 0 && first.length >= limit) return first;
  return [...first, ...(await engine.clean(grace, limit > 0 ? limit - first.length : 0, 'prioritized'))];
}

/** Every set but that of the active jobs. */
const removable = ['wait', 'delayed', 'completed', 'failed'];

/** Removes the jobs whose ids match, page by page, and tells of each. */
export async function removeMatching(engine: Engine, pattern: string, removed: (id: string) => void): Promise<void> {
  const { client } = engine.getBackend();
  for (const set of removable) {
    let cursor = '0';
    do {
      const [next, found] = await client.zscan(engine.toKey(set), cursor, 'MATCH', pattern, 'COUNT', 1_000);
      cursor = next;
      const ids = found.filter((_, i) => i % 2 === 0);
      const removals = await Promise.all(ids.map((id) => engine.remove(id)));
      for (const [i, id] of ids.entries()) if (removals[i] === 1) removed(id);
    } while (cursor !== '0');
  }
}
