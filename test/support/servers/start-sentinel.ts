import { isAtLeast, serverBinary } from './binary.js';
import { startAll, stopAll } from './deployment.js';
import { RedisServer } from './redis-server.js';
import { SentinelDeployment } from './sentinel-deployment.js';
import { controlUser, render } from './server-config.js';
import { startOnFreePort, startRedis, type StartRedisOptions } from './start-redis.js';
import { until } from './until.js';

export interface StartSentinelOptions {
  /** Default 2. */
  replicas?: number;
  /** Default 3. */
  sentinels?: number;
  /** How many sentinels must agree that the primary is down. Default 2. */
  quorum?: number;
  /** Silence after which `quorum` sentinels hold a server for down; the rest wait longer and vote. Default 700 ms (2,500 ms before Redis 7). */
  downAfterMs?: number;
  /** Default 2,000 ms. */
  failoverTimeoutMs?: number;
  /** How the data servers are started. */
  redis?: Omit<StartRedisOptions, 'name' | 'tls'>;
}

/** The name under which the sentinels know the primary. */
export const primaryName = 'drover';

/** Starts a primary, its replicas and the sentinels that watch them; waits until all know each other. */
export async function startSentinel(options: StartSentinelOptions = {}): Promise<SentinelDeployment> {
  const { replicas = 2, sentinels = 3, redis = {} } = options;
  const primary = await startRedis({ ...redis, name: 'primary' });
  const data = [primary];
  try {
    data.push(...(await startAll(Array.from({ length: replicas }, () => startReplica(primary, redis)))));
    await until('every replica follows the primary', async () => {
      const states = await Promise.all(data.slice(1).map((replica) => replica.info('replication')));
      return states.every((state) => state.get('master_link_status') === 'up');
    });
    const watchers = await startAll(Array.from({ length: sentinels }, (_, index) => startWatcher(primary, index, options)));
    const deployment = new SentinelDeployment({ name: primaryName, servers: data, sentinels: watchers });
    data.push(...watchers);
    await deployment.ready();
    return deployment;
  } catch (error) {
    await stopAll(data);
    throw error;
  }
}

function startReplica(primary: RedisServer, redis: StartRedisOptions): Promise<RedisServer> {
  const config = { ...redis.config, replicaof: `${primary.host} ${primary.port}` };
  return startRedis({ ...redis, name: 'replica', config });
}

async function startWatcher(primary: RedisServer, index: number, options: StartSentinelOptions): Promise<RedisServer> {
  const { quorum = 2, failoverTimeoutMs = 2_000 } = options;
  const binary = serverBinary();
  // Were all equally fast, each would vote for itself, and nobody would be elected before a timeout.
  const silenceMs = shortestSilence(options) * (index < quorum ? 1 : 3);
  const watcher = await startOnFreePort((port) => {
    const config = (folder: string): string =>
      render({
        bind: '127.0.0.1',
        port,
        dir: folder,
        sentinel: [
          `monitor ${primaryName} ${primary.host} ${primary.port} ${quorum}`,
          `down-after-milliseconds ${primaryName} ${silenceMs}`,
          `failover-timeout ${primaryName} ${failoverTimeoutMs}`,
          `parallel-syncs ${primaryName} 5`,
          `auth-user ${primaryName} ${controlUser.username}`,
          `auth-pass ${primaryName} ${controlUser.password}`,
        ],
      });
    return new RedisServer({ name: 'sentinel', port, binary, mode: 'sentinel', config });
  });
  if (isAtLeast(binary, 7)) await hurry(watcher);
  return watcher;
}

/**
 * Shortens the periods that are constants of Sentinel.
 *
 * A broken link is opened again after one `ping-period`: left at a second, each broken link would look like a dead
 * server. But a replica is electable only if its INFO, read once a second, is no older than five `ping-period`s.
 */
async function hurry(watcher: RedisServer): Promise<void> {
  const periods = { 'ping-period': 300, 'info-period': 1_000, 'publish-period': 500, 'ask-period': 200 };
  const control = await watcher.control();
  await control.call('SENTINEL', 'DEBUG', ...Object.entries(periods).flat());
}

/** SENTINEL DEBUG came with Redis 7; without it a server must be silent for longer than a broken link is. */
function shortestSilence(options: StartSentinelOptions): number {
  return options.downAfterMs ?? (isAtLeast(serverBinary(), 7) ? 700 : 2_500);
}
