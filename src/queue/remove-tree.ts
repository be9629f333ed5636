import { StateError } from '../core/errors.js';
import { QueueKeys } from '../redis/keys.js';
import { list } from '../redis/script.js';
import { forgetChildren } from '../redis/scripts/forget-children.js';
import type { ChildEntry } from '../redis/scripts/plant.js';
import type { Removal, RemoveOnly } from '../redis/scripts/remove.js';
import { everyChild, talliesOf, type BookEntry } from './books.js';
import { JobStore, pageSize } from './job-store.js';

/** Jobs of one queue, at most a page of them. */
interface Group {
  jobs: JobStore;
  ids: string[];
  /** Those of them that have children. */
  parents: string[];
}

/** One depth of a tree. */
type Level = Group[];

/**
 * Takes a job out of its queue, with all its descendants unless told otherwise. Throws JOB_LOCKED, before anything is
 * removed, when a worker holds a descendant; one that a worker takes meanwhile stays, and is told of in the same way.
 */
export async function removeJob(jobs: JobStore, id: string, withChildren: boolean): Promise<Removal> {
  const [removal = 'missing'] = await jobs.remove([id], withChildren ? 'childless' : '');
  return removal === 'spared' ? removeTree(jobs, id) : removal;
}

async function removeTree(jobs: JobStore, id: string): Promise<Removal> {
  const levels = await collect(jobs, [{ jobs, ids: [id], parents: [id] }], { spareHeld: false, wanted: () => true });
  // From the top: a parent without children left would run.
  const [root] = await removeLevels(levels.slice(0, 1), '');
  if (root === 'held') return 'held';
  const rest = await removeLevels(levels.slice(1), '');
  if (rest.includes('held')) throw lockedDescendant(id);
  return root ?? 'missing';
}

/** Takes the children of a job that have not begun out of their queues, with their descendants. */
export async function removeUnprocessed(jobs: JobStore, parent: string): Promise<void> {
  const wanted = ({ kind }: BookEntry): boolean => kind === 'open';
  const levels = await collect(jobs, [{ jobs, ids: [], parents: [parent] }], { spareHeld: true, wanted });
  await removeLevels(levels.slice(1), 'unfinished');
}

function lockedDescendant(id: string): StateError {
  return new StateError('JOB_LOCKED', { field: 'job', message: `Job ${id} could not be removed because a worker holds one of its descendants.` });
}

interface Collecting {
  /** Leave out what a worker holds, rather than refuse. */
  spareHeld: boolean;
  wanted: (entry: BookEntry) => boolean;
}

/** Reads a tree level by level. A job that is in it twice is met once. */
async function collect(home: JobStore, top: Level, { spareHeld, wanted }: Collecting): Promise<Level[]> {
  const levels = [top];
  const met = new Set<string>();
  for (let level = top; level.length > 0;) {
    const children = new Map<string, ChildEntry>();
    for (const { jobs, parents } of level) {
      for (const parent of parents) {
        for await (const entries of everyChild(jobs, parent)) {
          for (const entry of entries) if (wanted(entry) && !met.has(entry.key)) children.set(entry.key, entry);
        }
      }
    }
    for (const key of children.keys()) met.add(key);
    level = await groupsOf(home, [...children.values()], spareHeld);
    if (level.length > 0) levels.push(level);
  }
  return levels;
}

async function groupsOf(home: JobStore, children: readonly ChildEntry[], spareHeld: boolean): Promise<Level> {
  const byQueue = new Map<string, { prefix: string; queue: string; ids: string[] }>();
  for (const { prefix, queue, id } of children) {
    const name = `${prefix}\n${queue}`;
    const group = byQueue.get(name);
    if (group) group.ids.push(id);
    else byQueue.set(name, { prefix, queue, ids: [id] });
  }
  const groups = [...byQueue.values()].flatMap(({ prefix, queue, ids }) => {
    const jobs = new JobStore(home.connection, new QueueKeys(prefix, queue));
    return Array.from({ length: Math.ceil(ids.length / pageSize) }, (_, i) => ({ jobs, ids: ids.slice(i * pageSize, (i + 1) * pageSize) }));
  });
  return Promise.all(groups.map((group) => inspect(group, spareHeld)));
}

async function inspect({ jobs, ids }: { jobs: JobStore; ids: string[] }, spareHeld: boolean): Promise<Group> {
  const { connection, keys } = jobs;
  const leases = list(await connection.command('hmget', [keys.key('run'), ...ids], 'look for held jobs'));
  const held = ids.find((_, i) => leases[i] !== null);
  if (held !== undefined && !spareHeld) throw lockedDescendant(held);
  const free = ids.filter((_, i) => leases[i] === null);
  const tallies = free.length > 0 ? await talliesOf(jobs, free) : [];
  return { jobs, ids: free, parents: free.filter((_, i) => tallies[i]) };
}

async function removeLevels(levels: readonly Level[], only: RemoveOnly): Promise<Removal[]> {
  const removals: Removal[] = [];
  for (const level of levels) {
    for (const { jobs, ids, parents } of level) {
      if (ids.length === 0) continue;
      removals.push(...(await jobs.remove(ids, only)));
      for (let from = 0; from < parents.length; from += pageSize) {
        await jobs.connection.run(forgetChildren, jobs.keys, { ids: parents.slice(from, from + pageSize) });
      }
    }
  }
  return removals;
}
