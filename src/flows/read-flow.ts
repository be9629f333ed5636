import type { BookEntry, ChildKind } from '../queue/books.js';
import { readPage } from '../queue/books.js';
import type { Job } from '../queue/job.js';
import type { StoredJob } from '../redis/scripts/fetch.js';
import { readJob } from '../queue/read-job.js';
import type { FlowQueue, FlowQueues } from './flow-queue.js';

/** A job of a flow with its children, as far as they were read. */
export interface JobNode {
  job: Job;
  children?: JobNode[];
}

/** Which part of a flow to read. */
export interface NodeOpts {
  /** The queue of the root. */
  queueName: string;
  /** Its prefix. Default: the producer's. */
  prefix?: string;
  /** The id of the root. */
  id: string;
  /** How many levels, the root's included, from 1. Default 10. */
  depth?: number;
  /** About how many children of each kind (completed, failed, ignored, not ended) per job, from 1. Default 20. */
  maxChildren?: number;
}

/** Reads a tree level by level, in a few calls per level and queue. Undefined when there is no such job. */
export async function readFlow(queues: FlowQueues, root: { prefix: string; queue: string; id: string }, depth: number, maxChildren: number): Promise<JobNode | undefined> {
  const [top] = await readNodes(queues, [root]);
  let level = top ? [top] : [];
  for (let left = depth - 1; left > 0 && level.length > 0; left--) level = await readLevel(queues, level, maxChildren);
  return top?.node;
}

interface Found {
  node: JobNode;
  queue: FlowQueue;
}

interface Location {
  prefix: string;
  queue: string;
  id: string;
}

async function readLevel(queues: FlowQueues, parents: readonly Found[], maxChildren: number): Promise<Found[]> {
  const read = await Promise.all(parents.map(async ({ queue, node }) => {
    const entries = await someChildren(queue, node.job.id, maxChildren);
    const children = await readNodes(queues, entries);
    if (entries.length > 0) node.children = children.map((child) => child.node);
    return children;
  }));
  return read.flat();
}

/** About `most` children of each kind. */
async function someChildren({ jobs }: FlowQueue, parent: string, most: number): Promise<BookEntry[]> {
  const kept = new Map<string, BookEntry>();
  const counts = new Map<ChildKind, number>();
  let cursor = 0;
  do {
    const page = await readPage(jobs, parent, cursor, Math.max(100, most));
    for (const entry of page.entries) {
      const count = counts.get(entry.kind) ?? 0;
      if (count >= most || kept.has(entry.key)) continue;
      counts.set(entry.kind, count + 1);
      kept.set(entry.key, entry);
    }
    cursor = page.cursor;
  } while (cursor !== 0);
  return [...kept.values()];
}

/** The jobs that their queues still know, in the order asked for. */
async function readNodes(queues: FlowQueues, wanted: readonly Location[]): Promise<Found[]> {
  const groups = new Map<FlowQueue, string[]>();
  for (const { prefix, queue: name, id } of wanted) {
    const queue = queues.get(prefix, name);
    groups.set(queue, [...(groups.get(queue) ?? []), id]);
  }
  const stored = new Map<FlowQueue, Map<string, StoredJob>>();
  await Promise.all([...groups].map(async ([queue, ids]) => {
    stored.set(queue, new Map((await queue.jobs.fetch(ids)).map((job) => [job.id, job])));
  }));
  return wanted.flatMap(({ prefix, queue: name, id }) => {
    const queue = queues.get(prefix, name);
    const job = stored.get(queue)?.get(id);
    return job ? [{ queue, node: { job: readJob(queue, job) } }] : [];
  });
}
