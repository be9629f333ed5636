import { QueueKeys } from '../redis/keys.js';
import { valueOf, type BookEntry } from './books.js';
import { rangeOf } from './dependencies.js';
import type { Job, JobOwner } from './job.js';
import type { JobView } from './job-json.js';
import { JobStore } from './job-store.js';
import { readJob } from './read-job.js';

/** A page of a job's children. */
export interface ChildrenPage {
  /** Keys of the children (`prefix:queue:id`), and the results of those that completed. */
  items: { id: string; v?: any; err?: string }[]; // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's type
  /** The children that their queues still know. */
  jobs: JobView[];
  /** How many children of this kind there are. */
  total: number;
}

/** Reads a page of one kind of a job's children, with the jobs themselves. */
export async function readChildren(
  owner: JobOwner, parent: string, { relation, start, end }: { relation: 'processed' | 'unprocessed'; start: number; end: number },
): Promise<ChildrenPage> {
  const { entries, total } = await rangeOf(owner.jobs, parent, relation, { start, end });
  const found = await readEntries(owner, entries);
  return {
    items: entries.map((entry) => ({ id: entry.key, ...(relation === 'processed' ? { v: valueOf(entry) } : undefined) })),
    jobs: entries.flatMap(({ key }) => found.get(key)?.toJSON() ?? []),
    total,
  };
}

/** The jobs behind entries, by their keys, in as many calls as there are queues. */
export async function readEntries(owner: JobOwner, entries: readonly BookEntry[]): Promise<Map<string, Job>> {
  const byQueue = new Map<string, BookEntry[]>();
  for (const entry of entries) {
    const name = `${entry.prefix}\n${entry.queue}`;
    byQueue.set(name, [...(byQueue.get(name) ?? []), entry]);
  }
  const found = new Map<string, Job>();
  await Promise.all([...byQueue.values()].map(async (group) => {
    const queue = ownerOf(owner, group[0]);
    const stored = await queue.jobs.fetch(group.map(({ id }) => id));
    for (const job of stored) found.set(`${queue.qualifiedName}:${job.id}`, readJob(queue, job));
  }));
  return found;
}

/** The queue that a child lives in, as the owner of its handle. */
function ownerOf(owner: JobOwner, entry: BookEntry | undefined): JobOwner {
  if (!entry) return owner;
  const { prefix, queue } = entry;
  return queueOwner(new JobStore(owner.jobs.connection, new QueueKeys(prefix, queue)));
}

/** A queue that is known only by its keys. */
export function queueOwner(jobs: JobStore): JobOwner {
  return { name: jobs.keys.queue, qualifiedName: `${jobs.keys.prefix}:${jobs.keys.queue}`, jobs };
}
