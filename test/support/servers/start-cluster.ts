import { ClusterDeployment, type Shard } from './cluster-deployment.js';
import { startAll, stopAll } from './deployment.js';
import { busOffset } from './free-port.js';
import type { RedisServer } from './redis-server.js';
import { startRedis, type StartRedisOptions } from './start-redis.js';
import { until } from './until.js';

export interface StartClusterOptions {
  /** Default 3. */
  primaries?: number;
  /** Replicas of each primary. Default 0. */
  replicas?: number;
  /** `cluster-node-timeout`. Default 2,000 ms. */
  nodeTimeoutMs?: number;
  /** How the nodes are started. */
  redis?: Omit<StartRedisOptions, 'name' | 'tls'>;
}

export const slotCount = 16_384;

/** Starts nodes, joins them, spreads the slots evenly over the primaries and waits until all agree. */
export async function startCluster(options: StartClusterOptions = {}): Promise<ClusterDeployment> {
  const { primaries = 3, replicas = 0 } = options;
  const nodes = await startAll(Array.from({ length: primaries * (1 + replicas) }, () => startNode(options)));
  try {
    const shards = arrange(nodes, primaries);
    await spreadSlots(shards.map((shard) => shard.primary));
    await meet(nodes);
    await follow(shards);
    const cluster = new ClusterDeployment(nodes);
    await cluster.waitReady();
    return cluster;
  } catch (error) {
    await stopAll(nodes);
    throw error;
  }
}

function startNode({ nodeTimeoutMs = 2_000, redis = {} }: StartClusterOptions): Promise<RedisServer> {
  const config = {
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-node-timeout': nodeTimeoutMs,
    'cluster-replica-validity-factor': 0,
    'cluster-allow-replica-migration': 'no',
    ...redis.config,
  };
  return startRedis({ ...redis, name: 'node', config });
}

function arrange(nodes: readonly RedisServer[], primaries: number): Shard[] {
  const followers = nodes.slice(primaries);
  return nodes.slice(0, primaries).map((primary, index) => ({
    primary,
    replicas: followers.filter((_, follower) => follower % primaries === index),
  }));
}

async function spreadSlots(primaries: readonly RedisServer[]): Promise<void> {
  const share = slotCount / primaries.length;
  for (const [index, primary] of primaries.entries()) {
    const first = Math.ceil(index * share);
    const end = Math.ceil((index + 1) * share);
    const control = await primary.control();
    await control.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    // ADDSLOTSRANGE would be shorter, but is missing before Redis 7.
    await control.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: end - first }, (_, slot) => first + slot));
  }
}

async function meet(nodes: readonly RedisServer[]): Promise<void> {
  const [first, ...others] = nodes;
  if (!first) throw new Error('a cluster needs at least one node');
  const control = await first.control();
  for (const { host, port } of others) await control.call('CLUSTER', 'MEET', host, port, port + busOffset);
  await until('every node knows every other', async () => {
    const states = await Promise.all(nodes.map((node) => nodesKnownTo(node)));
    return states.every((known) => known === nodes.length);
  });
}

async function nodesKnownTo(node: RedisServer): Promise<number> {
  const control = await node.control();
  const text = String(await control.call('CLUSTER', 'NODES'));
  return text.split('\n').filter((line) => line !== '' && !line.includes('handshake')).length;
}

async function follow(shards: readonly Shard[]): Promise<void> {
  for (const { primary, replicas } of shards) {
    const id = String(await (await primary.control()).call('CLUSTER', 'MYID'));
    for (const replica of replicas) {
      const control = await replica.control();
      await until('the replica knows its primary', () => control.call('CLUSTER', 'REPLICATE', id));
    }
  }
}
