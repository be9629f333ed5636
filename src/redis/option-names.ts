import type { ClusterOptions, RedisOptions } from 'ioredis';
import { InvalidInputError } from '../core/errors.js';
import { nearest, printable } from '../core/nearest.js';

/** All that ioredis declares, of a server, Sentinels and a cluster. The compiler sees that none is missing. */
const known: Record<keyof RedisOptions | keyof ClusterOptions, true> = {
  Connector: true, autoPipeliningIgnoredCommands: true, autoResendUnfulfilledCommands: true, autoResubscribe: true, blockingTimeout: true,
  blockingTimeoutGrace: true, clientInfoTag: true, clusterNodeRetryStrategy: true, clusterRetryStrategy: true, commandQueue: true,
  commandTimeout: true, connectTimeout: true, connectionName: true, db: true, disableClientInfo: true, disconnectTimeout: true,
  dnsLookup: true, enableAutoPipelining: true, enableOfflineQueue: true, enableReadyCheck: true, enableTLSForSentinelMode: true,
  failoverDetector: true, family: true, himportFieldsets: true, host: true, keepAlive: true, keyPrefix: true, lazyConnect: true,
  maxLoadingRetryTime: true, maxRedirections: true, maxRetriesPerRequest: true, monitor: true, name: true, natMap: true, noDelay: true,
  offlineQueue: true, password: true, path: true, port: true, preferredSlaves: true, protocol: true, readOnly: true, reconnectOnError: true,
  redisOptions: true, replyMapping: true, resolveSrv: true, retryDelayOnClusterDown: true, retryDelayOnFailover: true,
  retryDelayOnMoved: true, retryDelayOnTryAgain: true, retryStrategy: true, role: true, scaleReads: true, scripts: true,
  sentinelCommandTimeout: true, sentinelMaxConnections: true, sentinelPassword: true, sentinelReconnectStrategy: true,
  sentinelRetryStrategy: true, sentinelTLS: true, sentinelUsername: true, sentinels: true, shardedSubscribers: true,
  showFriendlyErrorStack: true, slotsRefreshInterval: true, slotsRefreshTimeout: true, socketTimeout: true, stringNumbers: true,
  tls: true, updateSentinels: true, useSRVRecords: true, username: true,
};

/** Beside ioredis's: what Drover and BullMQ add, and what earlier versions of ioredis took. */
const also = ['url', 'nodes', 'skipVersionCheck', 'dropBufferSupport'];

/** What other clients call it. ioredis would connect to somewhere else, or as somebody else, without a word. */
const otherNames: Record<string, keyof RedisOptions | 'nodes'> = {
  hostname: 'host', socket: 'host', database: 'db', user: 'username', pass: 'password', pwd: 'password', auth_pass: 'password', ssl: 'tls',
  rootNodes: 'nodes', startupNodes: 'nodes',
};

/** The names that may be meant: all but the one that Drover refuses. */
const meant = [...Object.keys(known), ...also].filter((name) => name !== 'keyPrefix');
const accepted = new Set([...Object.keys(known), ...also]);
const ofServer = ['host', 'port', 'family', 'path'];

/**
 * Refuses an option whose name is nearly that of one of ioredis's, or means the same elsewhere. ioredis takes others
 * without using them, and they are often part of a common configuration: so does Drover.
 */
export function checkOptionNames(options: Record<string, unknown>, field: string): void {
  refuseMisspelled(options, field, meant);
  if (isObject(options['redisOptions'])) refuseMisspelled(options['redisOptions'], `${field}.redisOptions`, meant);
  for (const list of ['nodes', 'sentinels']) {
    const servers: unknown = options[list];
    if (Array.isArray(servers)) servers.forEach((server: unknown, i) => isObject(server) && refuseMisspelled(server, `${field}.${list}[${i}]`, ofServer));
  }
}

function refuseMisspelled(options: Record<string, unknown>, field: string, names: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (accepted.has(name) || options[name] === undefined) continue;
    const close = Object.hasOwn(otherNames, name) ? elsewhere(name, options) : nearest(name, names, 4);
    if (close === undefined) continue;
    const path = `${field}.${printable(name.slice(0, 80))}`;
    throw new InvalidInputError('UNKNOWN_OPTION', { field: path, message: `There is no option "${path}"; did you mean "${close}"?` });
  }
}

/** A name of other clients: no mistake if it says nothing, or stands beside the right one. */
function elsewhere(name: string, options: Record<string, unknown>): string | undefined {
  const right = otherNames[name];
  return options[name] && right !== undefined && options[right] === undefined ? right : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
