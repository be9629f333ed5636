import { type ConnectionOptions } from '../../index.js';
import { messages } from './errors.js';
import type { ClientType, QueueOptions, RedisClient, RedisOptions } from './declarations.js';

/** Where a queue's Redis is, and the clients that Bull shows of it. */
export class Connections {
  readonly #opts: QueueOptions;
  readonly #redis: RedisOptions;
  readonly #made = new Map<ClientType, RedisClient>();
  /** What the engine connects with. */
  readonly engine: ConnectionOptions;

  constructor(opts: QueueOptions) {
    this.#opts = opts;
    this.#redis = redisOptions(opts.redis);
    this.engine = opts.createClient ? this.#create('client') : this.#redis;
  }

  /** A client that only the user uses: the engine opens its own blocking and event connections. */
  of(type: 'subscriber' | 'bclient', engine: RedisClient): RedisClient {
    const known = this.#made.get(type);
    if (known) return known;
    if (this.#opts.createClient) return this.#create(type);
    const client = (engine as { duplicate(): RedisClient }).duplicate();
    this.#made.set(type, client);
    return client;
  }

  /** Those that the user has not opened himself. */
  get own(): RedisClient[] {
    return this.#opts.createClient ? [] : [...this.#made.values()];
  }

  close(): void {
    for (const client of this.own) client.disconnect();
  }

  #create(type: ClientType): RedisClient {
    const client = this.#opts.createClient?.(type, { ...this.#redis });
    if (client === undefined) throw new TypeError(`createClient returned nothing for "${type}"`);
    if (type !== 'client') refuseImpatient(client);
    this.#made.set(type, client);
    return client;
  }
}

/** A client that gives commands up, or looks before it is ready, cannot block or subscribe. */
function refuseImpatient(client: RedisClient): void {
  const { options } = client;
  const { enableReadyCheck, maxRetriesPerRequest } = 'redisOptions' in options && options.redisOptions ? options.redisOptions : options as RedisOptions;
  if (enableReadyCheck || maxRetriesPerRequest) throw new Error(messages.MISSING_REDIS_OPTS);
}

/** Bull's options, from `(url?, opts?)`: what `opts.redis` says goes before the URL. */
export function queueOptions(url: unknown, opts: unknown): QueueOptions {
  const given = typeof url === 'string' ? opts ?? {} : url ?? {};
  if (typeof given !== 'object') throw new TypeError('Options must be a valid object');
  const options = { ...(given as QueueOptions) };
  if (typeof url === 'string') options.redis = { ...redisOptions(url), ...(typeof options.redis === 'string' ? redisOptions(options.redis) : options.redis) };
  const { limiter } = options;
  if (limiter && !(limiter.max && limiter.duration)) throw new TypeError('Limiter requires `max` and `duration` options');
  return options;
}

function redisOptions(redis: QueueOptions['redis']): RedisOptions {
  const { keyPrefix: _keyPrefix, DB, ...options } = (typeof redis === 'string' ? fromUrl(redis) : { ...redis }) as RedisOptions & { DB?: number };
  const address = options.path === undefined && options.sentinels === undefined && options.url === undefined ? { host: '127.0.0.1', port: 6379 } : {};
  const db: unknown = options.db ?? DB;
  return { ...address, ...options, ...(db === undefined ? {} : { db: Number(db) }) };
}

/** As Bull reads it: a query adds options. `rediss:` means TLS. */
function fromUrl(text: string): RedisOptions {
  if (text.startsWith('/')) return { path: text };
  const url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `redis://${text}`);
  const db = url.pathname.slice(1);
  return {
    host: url.hostname === '' ? '127.0.0.1' : url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 6379 : Number(url.port),
    ...(db === '' ? {} : { db: Number(db) }),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
    ...Object.fromEntries([...url.searchParams].map(([name, value]) => [name, optionOf(value)])),
  };
}

/** A query holds text only; ioredis wants numbers and flags. */
function optionOf(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** The prefix of the keys. Users of Redis Cluster gave a hash tag here; every queue has one of its own. */
export function keyPrefix(opts: QueueOptions): string {
  const { redis } = opts;
  const fromRedis = typeof redis === 'object' ? redis.keyPrefix : undefined;
  const prefix = (fromRedis ?? '') === '' ? opts.prefix : fromRedis;
  return (prefix ?? '').replace(/[{}]/g, '') || 'bull';
}
