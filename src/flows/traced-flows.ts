import { checkValue, plainObject } from '../core/check.js';
import type { JobsOptions } from '../core/job-options.js';
import { SpanKind, TelemetryAttributes as say } from '../telemetry/names.js';
import type { Span, Telemetry } from '../telemetry/telemetry.js';
import { trace, traceAll } from '../telemetry/trace.js';
import { checkNode, NodePath, type FlowNode } from './flow-job.js';
import type { JobNode } from './read-flow.js';

type AddTrees = (flows: readonly unknown[]) => Promise<JobNode[]>;

/** Adds a tree within a span, `addFlow`, with one below it for each of its jobs. */
export function tracedFlow(telemetry: Telemetry, flow: unknown, add: AddTrees): Promise<JobNode[]> {
  checkValue(flow, plainObject, 'flow');
  const { name, queueName } = flow as FlowNode;
  return trace(telemetry, { kind: SpanKind.PRODUCER, operation: 'addFlow', queue: queueName }, (span) => {
    span?.setAttributes({ [say.FlowName]: name });
    return addTraced(telemetry, [flow], () => 'flow', add);
  });
}

/** The same for many trees in one span, `addBulkFlows`. */
export function tracedFlows(telemetry: Telemetry, flows: readonly unknown[], add: AddTrees): Promise<JobNode[]> {
  return trace(telemetry, { kind: SpanKind.PRODUCER, operation: 'addBulkFlows', queue: '' }, (span) => {
    const names = flows.map((flow) => (flow as Partial<FlowNode> | undefined)?.name);
    span?.setAttributes({ [say.BulkCount]: flows.length, [say.BulkNames]: names.join(',') });
    return addTraced(telemetry, flows, (i) => `flows[${i}]`, add);
  });
}

/** The span of a job, with those of its children. */
interface TracedNode {
  node: FlowNode;
  span: Span;
  children: TracedNode[];
}

async function addTraced(telemetry: Telemetry, flows: readonly unknown[], pathOf: (i: number) => string, add: AddTrees): Promise<JobNode[]> {
  const begun: Span[] = [];
  const active: unknown = telemetry.contextManager.active();
  return traceAll(begun, async () => {
    const traced = flows.map((flow, i) => begin(flow, { telemetry, begun, path: new NodePath(pathOf(i)), parent: active }));
    const added = await add(traced.map(({ node }) => node));
    for (const [i, node] of added.entries()) note(traced[i], node);
    return added;
  });
}

interface Place {
  telemetry: Telemetry;
  /** All spans, to be ended together. */
  begun: Span[];
  path: NodePath;
  /** The context of the job above. */
  parent: unknown;
}

/** Begins the spans of a tree, each below its parent's, and makes the same tree anew with their contexts in its jobs. */
function begin(given: unknown, { telemetry, begun, path, parent }: Place): TracedNode {
  checkNode(given, path);
  const { name, queueName, opts, children } = given;
  const span = telemetry.tracer.startSpan(`addNode ${queueName}`, { kind: SpanKind.PRODUCER }, parent);
  begun.push(span);
  span.setAttributes({ [say.QueueName]: queueName, [say.QueueOperation]: 'addNode', [say.JobName]: name });
  if (opts?.jobId !== undefined) span.setAttribute(say.JobId, opts.jobId);
  const context: unknown = span.setSpanOnContext(parent);
  const below = children?.map((child, i) => (
    begin(child, { telemetry, begun, path: new NodePath(path, i), parent: context })
  ));
  const node: FlowNode = { ...given, opts: withContext(opts, () => telemetry.contextManager.getMetadata(context)) };
  if (below) node.children = below.map((child) => child.node);
  return { node, span, children: below ?? [] };
}

/** A job that brings a trace of its own keeps it. */
function withContext(opts: JobsOptions | undefined, contextOf: () => string): JobsOptions | undefined {
  if (opts?.telemetry?.omitContext || opts?.telemetry?.metadata) return opts;
  const context = contextOf();
  return context ? { ...opts, telemetry: { metadata: context } } : opts;
}

function note(traced: TracedNode | undefined, { job, children = [] }: JobNode): void {
  traced?.span.setAttribute(say.JobId, job.id);
  for (const [i, child] of children.entries()) note(traced?.children[i], child);
}
