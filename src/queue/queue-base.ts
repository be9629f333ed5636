import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { anything, callable, checkName, checkOptions, checkValue, flag, plainObject, shape, type Check } from '../core/check.js';
import type { Durability } from '../core/durability.js';
import { ClosedError, InvalidInputError } from '../core/errors.js';
import { noLog, type Logger } from '../core/logger.js';
import { checkConnection, type ConnectionOptions, type RedisClient } from '../redis/options.js';
import type { Connection } from '../redis/connection.js';
import { openDurable, type DurableConnection } from '../redis/durable-connection.js';
import { QueueKeys } from '../redis/keys.js';
import { share, type ConnectionShare } from '../redis/pool.js';
import type { SpanKind } from '../telemetry/names.js';
import type { Span, Telemetry } from '../telemetry/telemetry.js';
import { trace } from '../telemetry/trace.js';

/** Options of everything that speaks to one queue. */
export interface QueueBaseOptions<Connected = ConnectionOptions> {
  /** Where Redis is: a URL, ioredis options, cluster nodes or an ioredis client. Required. */
  connection: Connected;
  /** The first part of all keys, 1 to 256 characters without braces. Default `drover`. */
  prefix?: string;
  /** A pino logger. Payloads and secrets are never logged. Default: none. */
  logger?: Logger;
  /** Accepted for BullMQ's sake. */
  blockingConnection?: boolean;
  /** Work with a server version that Drover does not support. Default false. */
  skipVersionCheck?: boolean;
  /** Accepted for BullMQ's sake: calls wait for the connection by themselves. */
  skipWaitingForReady?: boolean;
  /** Accepted for `@nestjs/bullmq`'s sake, which hands it on: connections are shared anyway. */
  sharedConnection?: boolean;
  /** What tells a tracing system of this, e.g. `new BullMQOtel({ tracerName: 'shop' })`. Default: none, which costs nothing. */
  telemetry?: Telemetry;
}

export const defaultPrefix = 'drover';

const callables = shape({ debug: callable, info: callable, warn: callable, error: callable }, ['debug', 'info', 'warn', 'error']);
/** A pino logger has many more methods than Drover uses. */
const logger: Check = (value, path) => {
  const { debug, info, warn, error } = value as Record<string, unknown>;
  return callables({ debug, info, warn, error }, path);
};

/** The checks of the options above, for the classes that add their own. */
export const baseChecks: Record<string, Check> = {
  connection: () => undefined,
  prefix: () => undefined,
  logger: (value, path) => plainObject(value) ?? logger(value, path),
  blockingConnection: flag,
  skipVersionCheck: flag,
  skipWaitingForReady: flag,
  sharedConnection: flag,
  telemetry: plainObject,
};

/** What `@nestjs/bullmq` keeps in the same object as the options of a queue or a flow producer, and hands on with them. */
export const nestChecks: Record<string, Check> = {
  name: anything,
  configKey: anything,
  processors: anything,
  forceDisconnectOnShutdown: anything,
};

/** What `getBackend()` answers, always the same one: the ioredis client that the queue uses. */
export interface Backend {
  readonly client: RedisClient;
}

const connections = new WeakMap<Backend, Connection>();

export function makeBackend(connection: Connection): Backend {
  const backend = {
    get client() {
      return connection.client;
    },
  };
  connections.set(backend, connection);
  return backend;
}

/** The connection that a backend stands for, if it is one of Drover's. */
export const connectionOf = (backend: Backend): Connection | undefined => connections.get(backend);

/** A name, its keys and a share in a connection, with one life cycle: open, closing, closed. */
export class QueueBase extends EventEmitter {
  readonly name: string;
  readonly opts: QueueBaseOptions;
  /** `<prefix>:<name>`, the name by which jobs of other queues refer to this one. */
  readonly qualifiedName: string;
  /** The queue's Redis keys. */
  readonly keys: QueueKeys;
  /** Set while closing and after: resolves when closed. */
  closing: Promise<void> | undefined;
  readonly #share: ConnectionShare;
  readonly #backend: Backend;
  #durable: DurableConnection | undefined;
  protected readonly logger: Logger;
  protected closed = false;

  constructor(name: string, opts: QueueBaseOptions, checks: Record<string, Check>) {
    super();
    checkName(name, 'name');
    checkValue(opts, plainObject, 'options');
    if (opts.prefix !== undefined) checkName(opts.prefix, 'prefix');
    checkOptions(opts, checks, '');
    checkConnection(opts.connection);
    this.name = name;
    this.opts = opts;
    this.keys = new QueueKeys(opts.prefix ?? defaultPrefix, name);
    this.qualifiedName = `${this.keys.prefix}:${name}`;
    this.logger = opts.logger ?? noLog;
    this.#share = share(opts.connection);
    this.#backend = makeBackend(this.connection);
    this.connection.on('error', this.#onConnectionError);
    this.connection.on('close', this.#onConnectionClose);
    // Who comes second to a shared connection is told as well, once it had time to listen.
    for (const problem of this.connection.problems) queueMicrotask(() => this.report(problem));
  }

  /** @internal */
  get connection(): Connection {
    return this.#share.connection;
  }

  /** The Redis key of one of the queue's parts, e.g. `toKey('wait')`. */
  toKey(type: string): string {
    return this.keys.key(type);
  }

  /** The client behind the queue. */
  getBackend(): Backend {
    return this.#backend;
  }

  /** The ioredis client, as BullMQ 5 gave it. */
  get client(): Promise<RedisClient> {
    return Promise.resolve(this.connection.client);
  }

  /** Resolves once Redis answers. Rejects REDIS_UNAVAILABLE, REDIS_DENIED or UNSUPPORTED_SERVER. */
  async waitUntilReady(): Promise<void> {
    this.assertOpen();
    await this.connection.ready().catch((error: unknown) => {
      const skipped = this.opts.skipVersionCheck && error instanceof Error && 'code' in error && error.code === 'UNSUPPORTED_SERVER';
      if (!skipped) throw error;
    });
  }

  /** Does `work` within a span named `<operation> <destination>`, if there is telemetry. */
  trace<T>(
    kind: SpanKind, operation: string, destination: string,
    work: (span?: Span, metadata?: string) => Promise<T> | T, from?: string,
  ): Promise<T> {
    const about = { kind, operation, queue: this.name, destination, from };
    return trace(this.opts.telemetry, about, async (span, metadata) => work(span, metadata?.()));
  }

  /** Ends everything and gives up the connection. Calling it again waits for the same end. */
  close(): Promise<void> {
    this.closing ??= this.#close();
    return this.closing;
  }

  /** True from the first call of `close()` on. */
  isClosing(): boolean {
    return this.closing !== undefined;
  }

  /** Gives up the connection without waiting for anything. */
  async disconnect(): Promise<void> {
    this.#release();
  }

  /** What `JSON.stringify` shows: the options hold passwords, so they are left out. */
  toJSON(): { name: string; prefix: string } {
    return { name: this.name, prefix: this.keys.prefix };
  }

  /** The same for `console.log`. */
  [inspect.custom](): string {
    return `${this.constructor.name} { ${this.qualifiedName} }`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What a subclass has to finish before the connection goes. */
  protected async shutdown(): Promise<void> {
    // Nothing of its own.
  }

  /** The connection for calls that are to be confirmed, closed with the other; that one where nothing is. */
  protected openConfirming(durability: Durability | undefined): Connection {
    this.#durable = openDurable(this.opts.connection, durability);
    return this.#durable ?? this.connection;
  }

  protected assertOpen(): void {
    if (this.closed) throw new ClosedError(this.constructor.name.toLowerCase());
  }

  /** Reports an error: to listeners if there are any, otherwise only to the log. Never throws. */
  protected report(error: Error): void {
    this.logger.error({ err: error, queue: this.name }, error.message);
    if (this.listenerCount('error') > 0) this.emitSafely('error', error);
  }

  /** Emits; a listener that throws is reported and hurts nobody else. */
  protected emitSafely(event: string, ...args: unknown[]): boolean {
    for (const listener of this.rawListeners(event)) {
      try {
        const result: unknown = Reflect.apply(listener, this, args);
        if (result instanceof Promise) result.catch((error: unknown) => this.#listenerFailed(event, error));
      } catch (error) {
        this.#listenerFailed(event, error);
      }
    }
    return true;
  }

  #listenerFailed(event: string, error: unknown): void {
    const reported = error instanceof Error ? error : new InvalidInputError('INVALID_HANDLER', { message: String(error) });
    this.logger.error({ err: reported, queue: this.name, event }, 'a listener threw');
    if (event !== 'error' && this.listenerCount('error') > 0) this.emitSafely('error', reported);
  }

  async #close(): Promise<void> {
    try {
      await this.shutdown();
    } finally {
      this.#release();
    }
  }

  #release(): void {
    if (this.closed) return;
    this.closed = true;
    this.connection.off('error', this.#onConnectionError);
    this.connection.off('close', this.#onConnectionClose);
    this.#durable?.close();
    this.#share.release();
  }

  readonly #onConnectionError = (error: Error): void => this.report(error);
  readonly #onConnectionClose = (): void => void this.emitSafely('ioredis:close');
}
