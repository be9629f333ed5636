import { Cluster, Redis, type ClusterNode, type ClusterOptions, type RedisOptions } from 'ioredis';
import { checkValue, kindOf, wholeNumber } from '../core/check.js';
import { InvalidInputError } from '../core/errors.js';
import { checkOptionNames } from './option-names.js';

export type { ClusterOptions, RedisOptions } from 'ioredis';

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
export function isCluster(client: unknown): client is Cluster {
  return client instanceof Cluster || (isClient(client) && 'isCluster' in client && (client as { isCluster: unknown }).isCluster === true);
}

/** BullMQ wraps the clients it is given. Drover takes an ioredis client as it is, so this answers the very same. */
export function createIORedisClient<Client extends RedisClient>(client: Client): Client {
  return client;
}

/** Refuses what cannot be a connection. */
export function checkConnection(value: unknown): asserts value is ConnectionOptions {
  if (typeof value === 'string') return void checkedUrl(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refused('connection', `should be a URL, ioredis options or an ioredis client; it is ${value === undefined ? 'missing' : kindOf(value)}`);
  }
  if (isClient(value)) {
    checkDeadline(callOptions(value), isCluster(value) ? 'connection.options.redisOptions' : 'connection.options');
    return checkKeyPrefix(value.options, 'connection.options');
  }
  checkOptionNames(value as Record<string, unknown>, 'connection');
  const { url, port, nodes } = value as Record<string, unknown>;
  if (url !== undefined) checkedUrl(url, 'connection.url');
  if (port !== undefined && !isPort(port)) throw refused('connection.port', `should be a port from 1 to 65535; it is ${kindOf(port)}`);
  if (nodes !== undefined && !(Array.isArray(nodes) && nodes.length > 0)) throw refused('connection.nodes', 'should be a list of cluster nodes');
  checkDeadline(callOptions(value), nodes === undefined ? 'connection' : 'connection.redisOptions');
  checkKeyPrefix(value, 'connection');
}

/** As long as a timer of Node can wait. */
const deadline = wholeNumber(1, 2 ** 31 - 1, 'milliseconds');

function checkDeadline({ commandTimeout }: { commandTimeout?: unknown }, field: string): void {
  if (commandTimeout !== undefined) checkValue(commandTimeout, deadline, `${field}.commandTimeout`);
}

/** Environment variables are text, so text that is a number will do. */
function isPort(port: unknown): boolean {
  const number = typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port;
  return Number.isInteger(number) && (number as number) >= 1 && (number as number) <= 65_535;
}

/** ioredis would prefix some commands and not others. */
function checkKeyPrefix(options: object, field: string): void {
  if ('keyPrefix' in options && typeof options.keyPrefix === 'string' && options.keyPrefix !== '') {
    throw refused(`${field}.keyPrefix`, 'would put keys where others do not look', 'Use the option `prefix` of the queue and its workers instead.');
  }
}

function refused(field: string, problem: string, hint = urlHint): InvalidInputError {
  return new InvalidInputError('INVALID_OPTION', { field, message: `${field} ${problem}.`, hint });
}

const urlHint = 'Pass for example { connection: { host: "127.0.0.1", port: 6379 } } or { connection: process.env.REDIS_URL }.';

/** How long a connection may be silent while an answer is due before its socket is given up as half-open. */
export const silenceMs = 4_000;

/** The longest pause between two attempts to connect, give or take a quarter: work is to go on within a second. */
const longestPauseMs = 400;

/** What Drover needs of a connection of its own: it waits and resends by itself, and safely. */
const supervised: Partial<RedisOptions> = {
  maxRetriesPerRequest: null,
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
  // A replica that was a primary, and a primary that is about to be one: look again where the primary is.
  reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 1 : false),
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times - 1, 5), longestPauseMs) * (0.75 + Math.random() / 2),
  // A server that loads its data says for how long; it is often wrong.
  maxLoadingRetryTime: longestPauseMs,
  connectTimeout: 5_000,
  keepAlive: 10_000,
  // The deadline of calls is kept by the connection, repeats included; the client's own would cover one try, and end reads that wait.
  commandTimeout: undefined,
};

/** The options that say how long calls may take, and whether they wait for a connection. */
export function callOptions(options: ConnectionOptions): Pick<RedisOptions, 'commandTimeout' | 'enableOfflineQueue'> {
  if (typeof options === 'string') return {};
  if (isClient(options)) return isCluster(options) ? options.options.redisOptions ?? {} : options.options;
  return 'nodes' in options ? options.redisOptions ?? {} : options;
}

/** Opens a client. `blocking` ones may rightly be silent, so their silence is watched elsewhere. */
export function openClient(options: Exclude<ConnectionOptions, RedisClient>, blocking: boolean, name?: string): RedisClient {
  const own = { ...supervised, ...(blocking ? undefined : { socketTimeout: silenceMs }), ...named(name) };
  if (typeof options === 'string') return new Redis(checkedUrl(options), own);
  if ('nodes' in options) {
    const { nodes, ...rest } = options;
    return new Cluster(nodes, {
      ...rest,
      redisOptions: { ...rest.redisOptions, ...own },
      clusterRetryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), longestPauseMs),
    });
  }
  const { url, commandTimeout: _deadline, ...rest } = options;
  const merged: RedisOptions = { ...own, ...rest, maxRetriesPerRequest: null, enableOfflineQueue: true, ...named(name) };
  return url === undefined ? new Redis(merged) : new Redis(checkedUrl(url), merged);
}

/** Opens a second client to the same place as a client the user owns. */
export function openLike(client: RedisClient, name: string): RedisClient {
  const own = { ...supervised, ...named(name) };
  return isCluster(client)
    ? client.duplicate([], { redisOptions: { ...client.options.redisOptions, ...own } })
    : client.duplicate(own);
}

/**
 * Opens a client to the same place whose calls may stay unanswered for `quietMs` more than others, and which sends
 * nothing again by itself.
 */
export function openUnassuming(options: ConnectionOptions, quietMs: number): RedisClient {
  const own = { ...supervised, socketTimeout: silenceMs + quietMs, autoResendUnfulfilledCommands: false, lazyConnect: false };
  if (typeof options === 'string') return new Redis(checkedUrl(options), own);
  if (isClient(options)) {
    return isCluster(options)
      ? options.duplicate([], { redisOptions: { ...options.options.redisOptions, ...own } })
      : options.duplicate(own);
  }
  if ('nodes' in options) return openClient({ ...options, redisOptions: { ...options.redisOptions, ...own } }, true);
  const { url, commandTimeout: _deadline, ...rest } = options;
  return url === undefined ? new Redis({ ...rest, ...own }) : new Redis(checkedUrl(url), { ...rest, ...own });
}

function named(name: string | undefined): Partial<RedisOptions> {
  return name === undefined ? {} : { connectionName: name };
}

function checkedUrl(url: unknown, field = 'connection'): string {
  if (typeof url !== 'string') throw refused(field, `should be a URL; it is ${kindOf(url)}`);
  if (url.startsWith('/')) return url;
  if (!/^(rediss?|valkeys?|unix):\/\//.test(url)) throw refused(field, 'is text, but not a redis:// or rediss:// URL');
  // The text may hold a password, so it is not shown.
  if (!URL.canParse(url)) throw refused(field, 'is not a URL that can be read');
  return url.replace(/^valkey/, 'redis');
}
