import { Enqueuer } from '../queue/enqueuer.js';
import type { JobOwner } from '../queue/job.js';
import { JobStore } from '../queue/job-store.js';
import type { Connection } from '../redis/connection.js';
import { QueueKeys } from '../redis/keys.js';

/** A queue that flows put jobs into. */
export class FlowQueue implements JobOwner {
  readonly name: string;
  readonly qualifiedName: string;
  /** @internal */
  readonly jobs: JobStore;
  /** The same for adding, which may have to be confirmed. */
  readonly adding: JobStore;
  readonly enqueuer: Enqueuer;

  constructor(connection: Connection, adding: Connection, prefix: string, name: string) {
    const keys = new QueueKeys(prefix, name);
    this.name = name;
    this.qualifiedName = `${prefix}:${name}`;
    this.jobs = new JobStore(connection, keys);
    this.adding = adding === connection ? this.jobs : new JobStore(adding, keys);
    this.enqueuer = new Enqueuer(adding, keys);
  }
}

/** The queues of a producer by prefix and name. */
export class FlowQueues {
  readonly #connection: Connection;
  readonly #adding: Connection;
  readonly #known = new Map<string, FlowQueue>();

  /** @param adding the connection by which jobs are added. */
  constructor(connection: Connection, adding: Connection) {
    this.#connection = connection;
    this.#adding = adding;
  }

  get(prefix: string, name: string): FlowQueue {
    const key = `${prefix}\n${name}`;
    const known = this.#known.get(key);
    if (known) return known;
    const queue = new FlowQueue(this.#connection, this.#adding, prefix, name);
    this.#known.set(key, queue);
    return queue;
  }

  /** Resolves when nothing is under way any more. */
  async drained(): Promise<void> {
    await Promise.all([...this.#known.values()].map(({ enqueuer }) => enqueuer.drained()));
  }
}
