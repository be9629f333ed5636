import type { DefaultJobOptions } from '../core/job-options.js';
import type { ParentRef } from '../core/job-record.js';
import { draftJob, type Draft, type DraftTerms } from '../queue/draft.js';
import { checkNode, NodePath, type FlowNode, type FlowQueuesOpts } from './flow-job.js';
import type { FlowQueue, FlowQueues } from './flow-queue.js';

/** A job of a flow, checked and packed, with its place in the tree. */
export interface PlannedJob {
  node: FlowNode;
  queue: FlowQueue;
  draft: Draft;
  /** Where it stands in the caller's arguments. */
  path: NodePath;
  children: PlannedJob[];
}

/** What a plan is made with. */
export interface PlanTerms extends DraftTerms {
  queues: FlowQueues;
  prefix: string;
  queuesOptions: FlowQueuesOpts | undefined;
}

/**
 * Checks and packs a tree, and gives every job its id. Nothing is written, so that everything wrong is found first.
 *
 * @param path where the tree stands in the caller's arguments, for error messages, e.g. `flows[3]`.
 */
export function planFlow(flow: unknown, terms: PlanTerms, path: string): PlannedJob {
  return planNode(flow, terms, new NodePath(path), undefined);
}

function planNode(node: unknown, terms: PlanTerms, path: NodePath, parent: ParentRef | undefined): PlannedJob {
  checkNode(node, path);
  const { queueName, prefix = terms.prefix, children } = node;
  const queue = terms.queues.get(prefix, queueName);
  const draft = draftJob(node, terms.queuesOptions ? { ...terms, defaults: defaultsOf(terms.queuesOptions, queueName) } : terms, path, parent);
  const planned: PlannedJob = { node, queue, draft, path, children: [] };
  if (children) {
    const ref = { prefix, queue: queueName, id: draft.request.id };
    for (let i = 0; i < children.length; i++) planned.children.push(planNode(children[i], terms, new NodePath(path, i), ref));
  }
  return planned;
}

function defaultsOf(queuesOptions: FlowQueuesOpts, queueName: string): DefaultJobOptions | undefined {
  return Object.hasOwn(queuesOptions, queueName) ? queuesOptions[queueName]?.defaultJobOptions : undefined;
}

/** Every job of a tree, parents first. */
export function everyJob(roots: readonly PlannedJob[]): PlannedJob[] {
  const jobs = [...roots];
  for (const job of jobs) for (const child of job.children) jobs.push(child);
  return jobs;
}
