import type { DefaultJobOptions, JobsOptions } from '../core/job-options.js';
import type { ParentRef } from '../core/job-record.js';
import { draftJob, type Draft } from '../queue/draft.js';
import { checkNode, type FlowNode, type FlowQueuesOpts } from './flow-job.js';
import type { FlowQueue, FlowQueues } from './flow-queue.js';

/** A job of a flow, checked and packed, with its place in the tree. */
export interface PlannedJob {
  node: FlowNode;
  queue: FlowQueue;
  draft: Draft;
  /** 0 for a root. */
  depth: number;
  children: PlannedJob[];
}

/** What a plan is made with. */
export interface PlanTerms {
  queues: FlowQueues;
  prefix: string;
  queuesOptions: FlowQueuesOpts | undefined;
  makeId: () => string;
  now: number;
}

/**
 * Checks and packs a tree, and gives every job its id. Nothing is written, so that everything wrong is found first.
 *
 * @param path where the tree stands in the caller's arguments, for error messages, e.g. `flows[3]`.
 */
export function planFlow(flow: unknown, terms: PlanTerms, path: string): PlannedJob {
  return planNode(flow, terms, { path, depth: 0, parent: undefined });
}

interface Place {
  path: string;
  depth: number;
  parent: ParentRef | undefined;
}

function planNode(node: unknown, terms: PlanTerms, { path, depth, parent }: Place): PlannedJob {
  checkNode(node, path, depth);
  const { name, data, opts, queueName, prefix = terms.prefix, children = [] } = node;
  const queue = terms.queues.get(prefix, queueName);
  const named: JobsOptions | undefined = parent ? { ...opts, parent: { id: parent.id, queue: `${parent.prefix}:${parent.queue}` } } : opts;
  const draft = draftJob({ name, data, opts: named, parent }, { ...terms, defaults: defaultsOf(terms, queueName) }, `${path}.`);
  const ref = { prefix, queue: queueName, id: draft.request.id };
  return {
    node, queue, draft, depth,
    children: children.map((child, i) => planNode(child, terms, { path: `${path}.children[${i}]`, depth: depth + 1, parent: ref })),
  };
}

function defaultsOf({ queuesOptions }: PlanTerms, queueName: string): DefaultJobOptions | undefined {
  return queuesOptions && Object.hasOwn(queuesOptions, queueName) ? queuesOptions[queueName]?.defaultJobOptions : undefined;
}

/** Every job of a tree, parents first. */
export function everyJob(roots: readonly PlannedJob[]): PlannedJob[] {
  const jobs = [...roots];
  for (const job of jobs) for (const child of job.children) jobs.push(child);
  return jobs;
}
