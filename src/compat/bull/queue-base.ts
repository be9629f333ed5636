import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { Queue as Engine, type QueueBaseOptions } from '../../index.js';
import { Connections, keyPrefix, queueOptions } from './connections.js';
import { GlobalEvents } from './global-events.js';
import { completeSettings, type Settings } from './settings.js';
import type { AdvancedSettings, JobOptions, MetricsOpts, QueueOptions, RateLimiter, Redis, RedisClient } from './declarations.js';
import { parseClientList } from './workers.js';

/** The keys that Bull names. */
const keyNames = [
  '', 'active', 'wait', 'waiting', 'paused', 'resumed', 'meta-paused', 'id', 'delayed', 'priority', 'stalled-check', 'completed', 'failed',
  'stalled', 'repeat', 'limiter', 'drained', 'duplicated', 'progress', 'de',
];

/** What a queue is before it holds jobs: names, keys, connections and events. */
export class QueueBase extends EventEmitter {
  readonly name: string;
  /** Under which this queue holds the jobs that it takes by hand. */
  readonly token: string = randomUUID();
  readonly keyPrefix: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly settings: Settings;
  readonly limiter: RateLimiter | undefined;
  readonly defaultJobOptions: JobOptions | undefined;
  readonly metrics: MetricsOpts | undefined;
  /** Set from the first call of `close()` on. */
  closing: Promise<void> | undefined;
  /** True once it is closed. */
  closed = false;
  /** @internal */
  readonly engine: Engine;
  /** @internal */
  readonly engineOptions: QueueBaseOptions;
  /** @internal The settings as they were given. */
  readonly givenSettings: AdvancedSettings;
  protected readonly connections: Connections;
  protected readonly globalEvents: GlobalEvents;
  readonly #faults = new WeakSet<Error>();

  constructor(name: string, url?: string | QueueOptions, opts?: QueueOptions) {
    super();
    const options = queueOptions(url, opts);
    this.name = name;
    this.keyPrefix = keyPrefix(options);
    this.limiter = options.limiter;
    this.defaultJobOptions = options.defaultJobOptions;
    this.metrics = options.metrics;
    this.givenSettings = options.settings ?? {};
    this.settings = completeSettings(this.givenSettings);
    this.connections = new Connections(options);
    this.engineOptions = {
      connection: this.connections.engine,
      prefix: this.keyPrefix,
      ...(options.skipVersionCheck === undefined ? undefined : { skipVersionCheck: options.skipVersionCheck }),
    };
    this.engine = new Engine(name, this.engineOptions);
    this.engine.on('error', (error: Error) => this.fault(error));
    this.keys = Object.fromEntries(keyNames.map((key) => [key, this.toKey(key)]));
    this.globalEvents = new GlobalEvents(this);
    // As in Bull: an error without listeners does not end the process.
    this.on('error', () => undefined);
    this.on('newListener', (event) => {
      if (typeof event === 'string' && event.startsWith('global:')) this.#listenGlobally(event);
    });
  }

  /** What `JSON.stringify` shows: the options hold passwords, so they are left out. */
  toJSON(): { name: string; keyPrefix: string } {
    return { name: this.name, keyPrefix: this.keyPrefix };
  }

  /** The same for `console.log`. */
  [inspect.custom](): string {
    return `${this.constructor.name} { ${this.keyPrefix}:${this.name} }`;
  }

  /** The ioredis client that the queue works with. */
  get client(): Redis {
    return this.engine.getBackend().client as Redis;
  }

  /** A client for events. The queue itself does not use it. */
  get eclient(): RedisClient {
    return this.connections.of('subscriber', this.client);
  }

  /** A client for blocking calls. The queue itself does not use it. */
  get bclient(): RedisClient {
    return this.connections.of('bclient', this.client);
  }

  /** The clients that the queue has opened itself. */
  get clients(): Redis[] {
    return this.engineOptions.connection === this.client ? [] : [this.client, ...(this.connections.own as Redis[])];
  }

  /** Resolves with the queue once Redis answers. */
  async isReady(): Promise<this> {
    await this.engine.waitUntilReady();
    return this;
  }

  /** The queue's key of this name. All keys of a queue share one slot of a cluster: `{bull:name}:type`. */
  toKey(type: string): string {
    return this.engine.toKey(type);
  }

  base64Name(): string {
    return Buffer.from(this.name).toString('base64');
  }

  /** The name that the connections of workers carry. */
  clientName(): string {
    return `${this.keyPrefix}:${this.base64Name()}`;
  }

  /** Workers name their connections by themselves. */
  setWorkerName(): Promise<string> {
    return Promise.resolve('OK');
  }

  /** The connections of the workers on this queue, as `CLIENT LIST` describes them. */
  getWorkers(): Promise<Record<string, string>[]> {
    return this.engine.getWorkers();
  }

  /** Those among the lines of `CLIENT LIST` that belong to this queue. */
  parseClientList(list: string): Record<string, string>[] {
    return parseClientList(list, this.clientName(), this.name);
  }

  /** A transaction on the queue's client, for the user's own commands. */
  multi(): ReturnType<RedisClient['multi']> {
    return this.client.multi();
  }

  /** @internal Emits; a listener that throws is told to the listeners of `error`, and hurts nobody else. */
  tell(event: string, ...args: unknown[]): void {
    for (const listener of this.rawListeners(event)) {
      try {
        const answer: unknown = Reflect.apply(listener, this, args);
        if (answer instanceof Promise) answer.catch((error: unknown) => this.fault(error as Error));
      } catch (error) {
        if (event !== 'error') this.fault(error as Error);
      }
    }
  }

  /** @internal Tells an error once, whatever part of the queue reports it. */
  fault(error: Error): void {
    if (error instanceof Error) {
      if (this.#faults.has(error)) return;
      this.#faults.add(error);
    }
    this.tell('error', error);
  }

  /** @internal */
  async ended(id: string): Promise<unknown> {
    if (this.closing) throw new Error('cannot check if job is finished in a closing queue.');
    return (await this.globalEvents.ended(id)) ?? null;
  }

  #listenGlobally(event: string): void {
    if (this.closing) return;
    this.globalEvents.listen().then(
      () => this.tell(`registered:${event}`),
      (error: unknown) => this.closing ?? this.fault(error as Error),
    );
  }
}
