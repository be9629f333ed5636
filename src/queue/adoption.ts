import { StateError } from '../core/errors.js';
import { packNewFacts, policyOf, type ParentRef } from '../core/job-record.js';
import { QueueKeys } from '../redis/keys.js';
import { adopt } from '../redis/scripts/adopt.js';
import { jobKey, plant, type ChildEntry } from '../redis/scripts/plant.js';
import { newsOf, receive } from '../redis/scripts/receive.js';
import { newFacts, type Draft } from './draft.js';
import { pageSize, type JobStore } from './job-store.js';

/** A job on its way into a queue whose options name a parent. */
interface Child {
  draft: Draft;
  /** The parent as the options name it: id, and prefix and queue joined. */
  named: { id: string; queue: string };
}

/**
 * Enters jobs in the books of the parents that their options name, before they are added: so the end of a child is
 * always expected. Throws PARENT_NOT_FOUND before any of them is added.
 */
export async function enterChildren(jobs: JobStore, drafts: readonly Draft[]): Promise<void> {
  const groups = byParent(drafts);
  // Of several parents one may be missing: then none is to wait for children that never come.
  if (groups.length > 1) for (const group of groups) await enterGroup(jobs, group, []);
  for (const group of groups) {
    const parent = await enterGroup(jobs, group);
    for (const { draft } of group) setParent(draft, parent);
  }
}

function byParent(drafts: readonly Draft[]): Child[][] {
  const groups = new Map<string, Child[]>();
  for (const draft of drafts) {
    const named = draft.opts.parent;
    if (!named) continue;
    const name = `${named.queue}\n${named.id}`;
    const group = groups.get(name);
    if (group) group.push({ draft, named });
    else groups.set(name, [{ draft, named }]);
  }
  return [...groups.values()];
}

/** Enters `children`, by default all of the group; with none it only looks for the parent. */
async function enterGroup({ connection, keys }: JobStore, group: readonly Child[], entered = group): Promise<ParentRef> {
  const [first] = group;
  const named = first?.named ?? { id: '', queue: '' };
  const children = entered.map(({ draft }) => ({ prefix: keys.prefix, queue: keys.queue, id: draft.request.id }));
  for (const parent of candidates(named, keys.prefix)) {
    const target = new QueueKeys(parent.prefix, parent.queue);
    let found = true;
    for (let from = 0; (from < children.length || from === 0) && found; from += pageSize) {
      const page = children.slice(from, from + pageSize);
      const [planted] = await connection.run(plant, target, { parents: [{ id: parent.id, children: page }] });
      found = planted !== 'missing';
    }
    if (found) return parent;
  }
  throw parentNotFound(`${named.queue}:${named.id}`);
}

/** The parents that a joined name may mean: "a:b:c" is queue "b:c" under "a", or "c" under "a:b". */
function candidates({ id, queue }: { id: string; queue: string }, ownPrefix: string): ParentRef[] {
  const parts = queue.split(':');
  const splits = parts.slice(1).map((_, i) => ({
    prefix: parts.slice(0, i + 1).join(':'), queue: parts.slice(i + 1).join(':'), id,
  }));
  const own = splits.filter(({ prefix }) => prefix === ownPrefix);
  const others = splits.filter(({ prefix, queue: name }) => prefix !== ownPrefix && prefix !== '' && name !== '');
  return splits.length === 0 ? [{ prefix: ownPrefix, queue, id }] : [...own, ...others];
}

export function parentNotFound(parentKey: string): StateError {
  return new StateError('PARENT_NOT_FOUND', { field: 'opts.parent', message: `Missing key for parent job ${parentKey}.` });
}

function setParent(draft: Draft, parent: ParentRef): void {
  draft.parent = parent;
  const { request: { special }, opts } = draft;
  if (special) special.facts = packNewFacts(newFacts(opts, parent));
}

/** A child whose place was taken when it was added: by the job with its id, or its deduplication id. */
export interface TakenPlace {
  parent: ParentRef;
  /** The child as the parent's books name it. */
  id: string;
  /** The job that stands in its place. */
  standing: string;
  policy: string;
}

/**
 * Makes the jobs that stand in the place of children the children. One that has ended tells its parent at once; one that
 * has another parent stays with it, and this one waits for it no more.
 */
export async function adoptStanding(jobs: JobStore, taken: readonly TakenPlace[]): Promise<void> {
  for (const place of taken) await adoptOne(jobs, place);
}

async function adoptOne({ connection, keys, courier }: JobStore, { parent, id, standing, policy }: TakenPlace): Promise<void> {
  const target = new QueueKeys(parent.prefix, parent.queue);
  const entry = (child: string): ChildEntry => ({ prefix: keys.prefix, queue: keys.queue, id: child });
  if (standing !== id) await connection.run(plant, target, { parents: [{ id: parent.id, children: [entry(standing)] }] });
  const { adoptions, letters } = await connection.run(adopt, keys, { parent, policy, ids: [standing] });
  const dropped = new Set([...(standing === id ? [] : [id]), ...(adoptions[0] === 'adopted' ? [] : [standing])]);
  await forgetEntries({ connection }, parent, [...dropped].map(entry));
  await courier.deliver(letters);
}

/** Lets a parent wait no more for these children; answers how many it waited for. */
export async function forgetEntries({ connection }: Pick<JobStore, 'connection'>, parent: ParentRef, children: readonly ChildEntry[]): Promise<number> {
  if (children.length === 0) return 0;
  const news = newsOf('removed', children.map(jobKey));
  return connection.run(receive, new QueueKeys(parent.prefix, parent.queue), { mail: [{ parent: parent.id, news: [news] }] });
}

/** The places of drafts that were taken, as `enqueue` answered. */
export function takenPlaces(drafts: readonly Draft[], standing: readonly string[]): TakenPlace[] {
  return drafts.flatMap((draft, i) => {
    const { parent } = draft;
    const stands = standing[i] ?? '';
    return stands === '' || !parent ? [] : [{ parent, id: draft.request.id, standing: stands, policy: policyOf(draft.opts) ?? '' }];
  });
}

/** Ends the wait of a job's parent for it; false when there is none that waits. Throws PARENT_NOT_FOUND. */
export async function leaveParent(jobs: JobStore, id: string): Promise<boolean> {
  const parent = await jobs.parentOf(id);
  if (!parent) return false;
  const { connection, keys } = jobs;
  const target = new QueueKeys(parent.prefix, parent.queue);
  if ((await connection.command('hexists', [target.key('job'), parent.id], 'look for a parent')) === 0) {
    throw parentNotFound(jobKey(parent));
  }
  const forgotten = await forgetEntries(jobs, parent, [{ prefix: keys.prefix, queue: keys.queue, id }]);
  if (forgotten > 0) await connection.run(adopt, keys, { parent: { prefix: '', queue: '', id: '' }, policy: '', ids: [id] });
  return forgotten > 0;
}
