import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { checkId, checkName, checkOptions, checkValue, anything, plainObject, wholeNumber } from '../core/check.js';
import type { Durability } from '../core/durability.js';
import { ClosedError } from '../core/errors.js';
import { IdMaker } from '../core/ids.js';
import { noLog, type Logger } from '../core/logger.js';
import type { JobSchemas } from '../core/schema.js';
import { Job } from '../queue/job.js';
import { queueChecks } from '../queue/queue.js';
import { connectionOf, defaultPrefix, makeBackend, type Backend, type QueueBaseOptions } from '../queue/queue-base.js';
import type { ConnectionOptions } from '../redis/options.js';
import { readJob } from '../queue/read-job.js';
import type { Connection } from '../redis/connection.js';
import { openDurable, type DurableConnection } from '../redis/durable-connection.js';
import { QueueKeys } from '../redis/keys.js';
import type { StoredJob } from '../redis/scripts/fetch.js';
import { whileInSight } from '../redis/lost-sight.js';
import { checkConnection } from '../redis/options.js';
import { share, type ConnectionShare } from '../redis/pool.js';
import { addFlows } from './add-flow.js';
import { checkFlowOpts, type FlowJob, type FlowOpts, type FlowQueuesOpts } from './flow-job.js';
import { planFlow, type PlannedJob } from './flow-plan.js';
import { FlowQueues } from './flow-queue.js';
import { tracedFlow, tracedFlows } from './traced-flows.js';
import { validateFlows } from './validate-flows.js';
import { readFlow, type JobNode, type NodeOpts } from './read-flow.js';

/** Options of a flow producer: those of everything that speaks to queues, and two more. Others of a queue are accepted, without effect. */
export interface FlowProducerOptions<Connected = ConnectionOptions> extends QueueBaseOptions<Connected> {
  /** When `add` and `addBulk` count as done; what is confirmed too little rejects DurabilityError. Default `memory`. */
  durability?: Durability;
  /** A Standard Schema per job name: jobs of a flow whose data does not satisfy theirs reject SCHEMA_MISMATCH, before anything is written. */
  schemas?: JobSchemas;
}

/** What a flow producer emits. */
export interface FlowProducerListener {
  /** The connection failed; it is restored by itself. */
  error: (error: Error) => void;
  'ioredis:close': () => void;
}

/**
 * Adds trees of jobs over any number of queues. A job with children waits until all of them have ended, and can read
 * their results (`job.getChildrenValues()`); what the failure of a child means for its parent is the child's option.
 */
export class FlowProducer extends EventEmitter {
  readonly opts: FlowProducerOptions;
  /** Set while closing and after: resolves when closed. */
  closing: Promise<void> | undefined;
  readonly #share: ConnectionShare;
  readonly #backend: Backend;
  readonly #durable: DurableConnection | undefined;
  readonly #queues: FlowQueues;
  readonly #ids = new IdMaker();
  readonly #prefix: string;
  readonly #logger: Logger;
  #closed = false;

  /**
   * With `backend`, e.g. `() => queue.getBackend()`, it borrows the connection of that queue, which then closes with the
   * queue: dashboards make producers so, and never close them.
   */
  constructor(opts: FlowProducerOptions, backend?: () => Backend) {
    super();
    checkValue(opts, plainObject, 'options');
    if (opts.prefix !== undefined) checkName(opts.prefix, 'prefix');
    checkOptions(opts, queueChecks, '');
    checkConnection(opts.connection);
    this.opts = opts;
    this.#prefix = opts.prefix ?? defaultPrefix;
    this.#logger = opts.logger ?? noLog;
    const given = backend?.();
    const borrowed = given && connectionOf(given);
    this.#share = borrowed ? { connection: borrowed, release: () => undefined } : share(opts.connection);
    this.#backend = given ?? makeBackend(this.connection);
    this.#durable = openDurable(opts.connection, opts.durability);
    this.#queues = new FlowQueues({ connection: this.connection, adding: this.#durable ?? this.connection, schemas: opts.schemas });
    this.connection.on('error', this.#onError);
    this.connection.on('close', this.#onClose);
  }

  /** What `JSON.stringify` shows: the options hold passwords, so they are left out. */
  toJSON(): { prefix: string } {
    return { prefix: this.#prefix };
  }

  /** The same for `console.log`. */
  [inspect.custom](): string {
    return `${this.constructor.name} { ${this.#prefix} }`;
  }

  /** Typed listeners; see {@link FlowProducerListener}. */
  override on<Event extends keyof FlowProducerListener>(event: Event, listener: FlowProducerListener[Event]): this {
    return super.on(event, listener);
  }

  override once<Event extends keyof FlowProducerListener>(event: Event, listener: FlowProducerListener[Event]): this {
    return super.once(event, listener);
  }

  override off<Event extends keyof FlowProducerListener>(event: Event, listener: FlowProducerListener[Event]): this {
    return super.off(event, listener);
  }

  /** @internal */
  get connection(): Connection {
    return this.#share.connection;
  }

  /** The Redis key of one of a queue's parts, e.g. `toKey('mails', 'wait')`. */
  toKey(queueName: string, type: string): string {
    return new QueueKeys(this.#prefix, queueName).key(type);
  }

  /** The client behind the producer. */
  getBackend(): Backend {
    return this.#backend;
  }

  /** Resolves once Redis answers. Rejects REDIS_UNAVAILABLE, REDIS_DENIED or UNSUPPORTED_SERVER. */
  async waitUntilReady(): Promise<void> {
    this.#assertOpen();
    await this.connection.ready();
  }

  /**
   * Adds a tree of jobs, checked as a whole before anything is sent. Resolves once Redis holds all of them; no parent can
   * run before. A job that stood there already keeps its place, becomes a child if it has no parent, and is handed out
   * with `deduplicated: true`.
   *
   * Rejects InvalidInputError before anything is written, PARENT_NOT_FOUND when the root names a parent that does not
   * exist; after a RedisError part of the tree may be there, and adding it again under the same ids completes it.
   */
  async add(flow: FlowJob, opts: FlowOpts = {}): Promise<JobNode> {
    checkFlowOpts(opts);
    const add = (flows: readonly unknown[]): Promise<JobNode[]> => this.#add(flows, opts.queuesOptions, () => 'flow');
    const [node] = this.opts.telemetry ? await tracedFlow(this.opts.telemetry, flow, add) : await add([flow]);
    return node as JobNode;
  }

  /** Adds any number of trees, in as few calls as their levels and queues allow. All are checked before the first is sent. */
  async addBulk(flows: FlowJob[], opts: FlowOpts = {}): Promise<JobNode[]> {
    checkFlowOpts(opts);
    checkValue(flows, (value) => (Array.isArray(value) ? undefined : 'a list of flows'), 'flows');
    const add = (all: readonly unknown[]): Promise<JobNode[]> => this.#add(all, opts.queuesOptions, (i) => `flows[${i}]`);
    return this.opts.telemetry ? tracedFlows(this.opts.telemetry, flows, add) : add(flows);
  }

  /** Reads a tree from its root down, as far as its jobs are still known. Undefined when there is no such root. */
  async getFlow(opts: NodeOpts): Promise<JobNode | undefined> {
    this.#assertOpen();
    checkValue(opts, plainObject, 'opts');
    checkOptions(opts, { id: anything, queueName: anything, prefix: anything, depth: levels, maxChildren: levels }, '');
    const { id, queueName, prefix = this.#prefix, depth = 10, maxChildren = 20 } = opts;
    checkId(id, 'id');
    checkName(queueName, 'queueName');
    checkName(prefix, 'prefix');
    return readFlow(this.#queues, { prefix, queue: queueName, id }, depth, maxChildren);
  }

  /** Waits for what is under way and gives up the connection. Calling it again waits for the same end. */
  close(): Promise<void> {
    this.closing ??= whileInSight(this.connection, this.#queues.drained()).finally(() => this.#release());
    return this.closing;
  }

  /** Gives up the connection without waiting for anything. */
  async disconnect(): Promise<void> {
    this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #add(flows: readonly unknown[], queuesOptions: FlowQueuesOpts | undefined, pathOf: (i: number) => string): Promise<JobNode[]> {
    this.#assertOpen();
    const terms = {
      queues: this.#queues, prefix: this.#prefix, queuesOptions, defaults: undefined, makeId: () => this.#ids.next(), now: Math.round(this.connection.now),
    };
    const roots = flows.map((flow, i) => planFlow(flow, terms, pathOf(i)));
    if (this.opts.schemas) await validateFlows(this.opts.schemas, roots);
    const standing = await readStanding(await addFlows(roots));
    return roots.map((root) => nodeOf(root, standing));
  }

  #assertOpen(): void {
    if (this.#closed || this.closing) throw new ClosedError('flow producer');
  }

  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.connection.off('error', this.#onError);
    this.connection.off('close', this.#onClose);
    this.#durable?.close();
    this.#share.release();
  }

  readonly #onError = (error: Error): void => {
    this.#logger.error({ err: error }, error.message);
    if (this.listenerCount('error') > 0) this.emit('error', error);
  };

  readonly #onClose = (): void => void this.emit('ioredis:close');
}

const levels = wholeNumber(1, Number.MAX_SAFE_INTEGER);

/** The jobs that stand in the places of others, as Redis holds them; one may be gone by now. */
async function readStanding(ids: Map<PlannedJob, string>): Promise<Map<PlannedJob, { id: string; stored: StoredJob | undefined }>> {
  return new Map(await Promise.all([...ids].map(async ([planned, id]) => [planned, { id, stored: (await planned.queue.jobs.fetch([id]))[0] }] as const)));
}

type Standing = Awaited<ReturnType<typeof readStanding>>;

function nodeOf(planned: PlannedJob, standing: Standing): JobNode {
  const job = handleOf(planned, standing);
  return planned.children.length === 0 ? { job } : { job, children: planned.children.map((child) => nodeOf(child, standing)) };
}

/** A handle on what was added, or on what stands in its place. */
function handleOf(planned: PlannedJob, standing: Standing): Job {
  const { queue, draft, node } = planned;
  const handle = new Job(queue, node.name, node.data, draft.opts, draft.request.id);
  handle.timestamp = draft.timestamp;
  const known = standing.get(planned);
  if (!known) return handle;
  return Object.assign(known.stored ? readJob(queue, known.stored) : handle, { id: known.id, deduplicated: true });
}
