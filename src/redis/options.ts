import { Cluster, Redis, type ClusterNode, type ClusterOptions, type RedisOptions } from 'ioredis';
import { InvalidInputError } from '../core/errors.js';

/** An ioredis client, of this or another installed version of ioredis. */
export type RedisClient = Redis | Cluster;

/**
 * How to reach Redis: a URL (`redis://`, `rediss://` for TLS), ioredis options (host, port, password, TLS, Sentinel,
 * …; `url` may stand for the address), a list of cluster nodes, or an ioredis client you own and close yourself.
 */
export type ConnectionOptions = string | (RedisOptions & { url?: string }) | ClusterConnection | RedisClient;

/** The start nodes of a Redis Cluster and ioredis's options for it. */
export interface ClusterConnection extends ClusterOptions {
  nodes: ClusterNode[];
}

/** True for an ioredis client, whichever copy of ioredis made it. */
export function isClient(value: unknown): value is RedisClient {
  if (value instanceof Redis || value instanceof Cluster) return true;
  return typeof value === 'object' && value !== null && 'duplicate' in value && 'sendCommand' in value;
}

/** True when the client speaks to a Redis Cluster. */
export function isCluster(client: RedisClient): client is Cluster {
  return client instanceof Cluster || ('isCluster' in client && (client as { isCluster: unknown }).isCluster === true);
}

/** Refuses what cannot be a connection. */
export function checkConnection(value: unknown): asserts value is ConnectionOptions {
  if (typeof value === 'string') return void checkedUrl(value);
  if (typeof value !== 'object' || value === null) {
    throw new InvalidInputError('INVALID_OPTION', {
      field: 'connection',
      message: `connection should be a URL, ioredis options or an ioredis client; it is ${value === undefined ? 'missing' : typeof value}.`,
      hint: 'Pass for example { connection: { host: "127.0.0.1", port: 6379 } } or { connection: process.env.REDIS_URL }.',
    });
  }
  if ('url' in value && typeof value.url === 'string') checkedUrl(value.url);
}

/** How long a connection may be silent while an answer is due before its socket is given up as half-open. */
export const silenceMs = 4_000;

/** What Drover needs of a connection of its own: it waits and resends by itself, and safely. */
const supervised: Partial<RedisOptions> = {
  maxRetriesPerRequest: null,
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
  // A replica that was a primary, and a primary that is about to be one: look again where the primary is.
  reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times - 1, 5), 1_000) * (0.75 + Math.random() / 2),
  connectTimeout: 5_000,
  keepAlive: 10_000,
};

/** Opens a client. `blocking` ones may rightly be silent, so their silence is watched elsewhere. */
export function openClient(options: Exclude<ConnectionOptions, RedisClient>, blocking: boolean, name?: string): RedisClient {
  const own = { ...supervised, ...(blocking ? undefined : { socketTimeout: silenceMs }), ...named(name) };
  if (typeof options === 'string') return new Redis(checkedUrl(options), own);
  if ('nodes' in options) {
    const { nodes, ...rest } = options;
    return new Cluster(nodes, {
      ...rest,
      redisOptions: { ...rest.redisOptions, ...own },
      clusterRetryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
    });
  }
  const { url, ...rest } = options;
  const merged: RedisOptions = { ...own, ...rest, maxRetriesPerRequest: null, ...named(name) };
  return url === undefined ? new Redis(merged) : new Redis(checkedUrl(url), merged);
}

/** Opens a second client to the same place as a client the user owns. */
export function openLike(client: RedisClient, name: string): RedisClient {
  const own = { ...supervised, ...named(name) };
  return isCluster(client)
    ? client.duplicate([], { redisOptions: { ...client.options.redisOptions, ...own } })
    : client.duplicate(own);
}

function named(name: string | undefined): Partial<RedisOptions> {
  return name === undefined ? {} : { connectionName: name };
}

function checkedUrl(url: string): string {
  const scheme = /^(rediss?|valkeys?|unix):\/\//.exec(url);
  if (!scheme && !url.startsWith('/')) {
    throw new InvalidInputError('INVALID_OPTION', {
      field: 'connection',
      message: 'connection is text, but not a redis:// or rediss:// URL.',
    });
  }
  return url.replace(/^valkey/, 'redis');
}
