import type { JobSchemas } from '../core/schema.js';
import { Enqueuer } from '../queue/enqueuer.js';
import type { JobHolder, JobOwner } from '../queue/job.js';
import { JobStore } from '../queue/job-store.js';
import { QueueHolder } from '../queue/queue-holder.js';
import type { Connection } from '../redis/connection.js';
import { QueueKeys } from '../redis/keys.js';

/** What all queues of a producer share. */
export interface FlowTerms {
  connection: Connection;
  /** The connection by which jobs are added. */
  adding: Connection;
  schemas: JobSchemas | undefined;
}

/** A queue that flows put jobs into. */
export class FlowQueue implements JobOwner {
  readonly name: string;
  readonly qualifiedName: string;
  /** @internal */
  readonly jobs: JobStore;
  /** The same for adding, which may have to be confirmed. */
  readonly adding: JobStore;
  readonly enqueuer: Enqueuer;
  /** @internal */
  readonly holder: JobHolder;
  /** @internal */
  readonly dataSchemas: JobSchemas | undefined;

  constructor({ connection, adding, schemas }: FlowTerms, prefix: string, name: string) {
    const keys = new QueueKeys(prefix, name);
    this.dataSchemas = schemas;
    this.name = name;
    this.qualifiedName = `${prefix}:${name}`;
    this.jobs = new JobStore(connection, keys);
    this.holder = new QueueHolder(this.jobs);
    this.adding = adding === connection ? this.jobs : new JobStore(adding, keys);
    this.enqueuer = new Enqueuer(adding, keys);
  }
}

/** The queues of a producer by prefix and name. */
export class FlowQueues {
  readonly #terms: FlowTerms;
  readonly #known = new Map<string, FlowQueue>();
  /** The one that was asked for last: siblings mostly lie in one queue. */
  #last: FlowQueue | undefined;

  constructor(terms: FlowTerms) {
    this.#terms = terms;
  }

  get(prefix: string, name: string): FlowQueue {
    if (this.#last?.name !== name || this.#last.jobs.keys.prefix !== prefix) this.#last = this.#find(prefix, name);
    return this.#last;
  }

  #find(prefix: string, name: string): FlowQueue {
    const key = `${prefix}\n${name}`;
    const known = this.#known.get(key);
    if (known) return known;
    const queue = new FlowQueue(this.#terms, prefix, name);
    this.#known.set(key, queue);
    return queue;
  }

  /** Resolves when nothing is under way any more. */
  async drained(): Promise<void> {
    await Promise.all([...this.#known.values()].map(({ enqueuer }) => enqueuer.drained()));
  }
}
