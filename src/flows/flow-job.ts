import { checkOptions, checkValue, checkName, hasOptions, isName, plainObject, anything, type Check } from '../core/check.js';
import { InvalidInputError } from '../core/errors.js';
import { checkDefaultJobOptions, type DeduplicationOptions, type DefaultJobOptions, type JobsOptions } from '../core/job-options.js';

type FlowJobOpts = Omit<JobsOptions, 'deduplication' | 'repeat'> & { deduplication?: Omit<DeduplicationOptions, 'replace'> };

export interface FlowJobBase<Opts> {
  name: string;
  /** The queue that the job goes into. */
  queueName: string;
  data?: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's type
  /** The prefix of that queue. Default: the producer's. */
  prefix?: string;
  opts?: Opts;
}

/** A job below the root without children. */
export type FlowNestedLeafJob = FlowJobBase<Omit<FlowJobOpts, 'parent'>> & { children?: never };
/** A job below the root that waits for children. */
export type FlowParentJob = FlowJobBase<Omit<FlowJobOpts, 'deduplication' | 'parent'>> & { children: FlowJobNode[] };
export type FlowJobNode = FlowParentJob | FlowNestedLeafJob;
export type FlowRootLeafJob = FlowJobBase<FlowJobOpts> & { children?: never };
/** The root may have a parent itself: one that is in its queue already. */
export type FlowRootParentJob = FlowJobBase<Omit<FlowJobOpts, 'deduplication'>> & { children: FlowJobNode[] };
/** A tree of jobs: each runs when its children have ended. */
export type FlowJob = FlowRootLeafJob | FlowRootParentJob;

/** Options of queues by name: their jobs get the `defaultJobOptions`. */
export type FlowQueuesOpts = Record<string, { defaultJobOptions?: DefaultJobOptions; [option: string]: unknown }>;

export interface FlowOpts {
  queuesOptions?: FlowQueuesOpts;
}

/** Any job of a tree, as it is walked. */
export interface FlowNode {
  name: string;
  queueName: string;
  data?: unknown;
  prefix?: string | undefined;
  opts?: JobsOptions | undefined;
  children?: FlowNode[] | undefined;
}

const shapeOfNode: Record<string, Check> = {
  name: anything, queueName: anything, data: anything, prefix: anything, opts: plainObject,
  children: (value) => (Array.isArray(value) ? undefined : 'a list of jobs'),
};

/** Deeper trees are refused: this is far more than anyone means, and ends trees that contain themselves. */
export const deepest = 1000;

/** Where a job stands in the caller's arguments, e.g. `flow.children[2]`. Written out only for errors. */
export class NodePath {
  readonly depth: number;

  /** @param above the path of its parent; of a root, its own. */
  constructor(readonly above: NodePath | string, readonly index = 0) {
    this.depth = typeof above === 'string' ? 0 : above.depth + 1;
  }

  field(name: string): string {
    return `${this.name()}.${name}`;
  }

  name(): string {
    return typeof this.above === 'string' ? this.above : `${this.above.name()}.children[${this.index}]`;
  }
}

/** Refuses a node that is none. Its options are checked when it is packed. */
export function checkNode(node: unknown, path: NodePath): asserts node is FlowNode {
  if (plainObject(node) !== undefined) checkValue(node, plainObject, path.name());
  if (!hasOptions(node as object, shapeOfNode)) checkOptions(node as object, shapeOfNode, path.name());
  const { queueName, prefix, opts, children } = node as FlowNode;
  if (!isName(queueName)) checkName(queueName, path.field('queueName'));
  if (prefix !== undefined && !isName(prefix)) checkName(prefix, path.field('prefix'));
  if (path.depth > deepest) {
    throw new InvalidInputError('INVALID_OPTION', { field: 'flow', message: `The flow is more than ${deepest} jobs deep.`, hint: 'Does it contain itself?' });
  }
  if (path.depth > 0 && opts?.parent) refuse(path.field('opts.parent'), 'The parent of a job in a flow is the job above it.');
  if (children && children.length > 0 && opts?.deduplication) refuse(path.field('opts.deduplication'), 'A job with children cannot be deduplicated.');
}

function refuse(field: string, message: string): never {
  throw new InvalidInputError('INVALID_OPTION', { field, message });
}

/** Refuses options of queues that are none. */
export function checkFlowOpts(opts: FlowOpts): void {
  checkOptions(opts, { queuesOptions: plainObject }, '');
  for (const [name, queue] of Object.entries(opts.queuesOptions ?? {})) {
    checkValue(queue, plainObject, `queuesOptions.${name}`);
    if (queue.defaultJobOptions !== undefined) checkDefaultJobOptions(queue.defaultJobOptions, `queuesOptions.${name}.defaultJobOptions`);
  }
}
