import type { Cluster, Redis } from 'ioredis';
import { startCluster } from '../../support/servers/start-cluster.js';
import { startRedis } from '../../support/servers/start-redis.js';
import { startSentinel } from '../../support/servers/start-sentinel.js';
import { SteppedClock, steppedClockUnavailable } from '../infra/clock/stepped-clock.js';
import { blackHole } from '../infra/kinds/black-hole.js';
import { busyScript } from '../infra/kinds/busy-script.js';
import { cutReplies, cutRequests, delay, dropReplies, dropRequests, replyErrors, trickle } from '../infra/kinds/by-rule.js';
import { clientKill } from '../infra/kinds/client-kill.js';
import { clockStep } from '../infra/kinds/clock-step.js';
import { cutConnections } from '../infra/kinds/cut-connections.js';
import { diskError } from '../infra/kinds/disk-error.js';
import { failOver } from '../infra/kinds/fail-over.js';
import { freezeRedis } from '../infra/kinds/freeze-redis.js';
import { moveSlot } from '../infra/kinds/move-slot.js';
import { refuseConnections } from '../infra/kinds/refuse-connections.js';
import { restartRedis } from '../infra/kinds/restart-redis.js';
import { scriptFlush } from '../infra/kinds/script-flush.js';
import { squeezeMemory } from '../infra/kinds/squeeze-memory.js';
import type { Fault } from '../infra/nemesis.js';
import { startProxy, type Proxy } from '../infra/proxy/start-proxy.js';
import { scriptNames } from './script-names.js';
import type { Spec } from './spec.js';

/** A fault and how often it comes, compared with the others of its group. */
export interface Weighted {
  readonly fault: Fault;
  readonly weight: number;
}

/** Servers to work on, and what can be done to them and to the ways to them. */
export interface Stage {
  readonly name: string;
  /** How the producers and each worker reach Redis. */
  readonly ways: { readonly producers: Spec['connection']; readonly workers: readonly Spec['connection'][] };
  /** A client past all faults. */
  observer(): Redis | Cluster;
  readonly onTheWay: readonly Weighted[];
  readonly atTheServer: readonly Weighted[];
  /** Added to the environment of workers. */
  readonly workerEnv?: Readonly<Record<string, string>>;
  /** Whether what was acknowledged has to survive everything that is done here. */
  readonly durable: boolean;
  /** Whether Redis's clock may be believed. */
  readonly honestClock: boolean;
  heal(): Promise<void>;
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly seed: number;
  readonly workers: number;
  /** A key of each queue, by which its slot is found: the first is the one that most is about. */
  readonly keys: readonly string[];
}

const producerScripts = ['enqueue'];
const workerScripts = ['settle', 'settle', 'takeFirst', 'renew', 'promote', 'recover'];

function wayFaults(proxy: Proxy, scripts: readonly string[]): Weighted[] {
  const rule = { proxy: () => proxy, scripts };
  return [
    { fault: dropReplies(rule), weight: 6 }, { fault: dropRequests(rule), weight: 3 },
    { fault: cutRequests(rule), weight: 2 }, { fault: cutReplies(rule), weight: 2 },
    { fault: delay(rule), weight: 1 }, { fault: trickle(rule), weight: 1 }, { fault: replyErrors(rule), weight: 1 },
    { fault: cutConnections(() => proxy), weight: 4 }, { fault: refuseConnections(() => proxy), weight: 1 },
    { fault: blackHole(() => proxy), weight: 1 },
  ];
}

/** One Redis that syncs each write, behind a proxy for the producers and one for each worker. */
export async function openSingle(options: StageOptions, parts: { storage?: boolean; clock?: boolean } = {}): Promise<Stage> {
  const clocks = parts.clock && steppedClockUnavailable() === undefined ? [await SteppedClock.start(), await SteppedClock.start()] as const : undefined;
  const server = await startRedis({ appendonly: 'always', ...(clocks ? { env: clocks[0].env } : {}) });
  const target = { host: server.host, port: server.port };
  const proxies = await Promise.all(Array.from({ length: options.workers + 1 }, (_, i) =>
    startProxy({ target, seed: options.seed * 100 + i, scripts: scriptNames })));
  const ways = proxies.map(({ host, port }) => ({ host, port }));
  const redis = (): typeof server => server;
  const plain: Weighted[] = [
    { fault: scriptFlush(redis), weight: 3 }, { fault: clientKill(redis), weight: 3 }, { fault: freezeRedis(redis), weight: 1 },
    { fault: restartRedis(redis), weight: 1 }, { fault: busyScript(redis), weight: 1 },
  ];
  const storage: Weighted[] = [{ fault: diskError(redis), weight: 2 }, { fault: squeezeMemory(redis), weight: 3 }, { fault: restartRedis(redis), weight: 1 }];
  // What was leased or put off while Redis's clock was ahead waits that long once it is right again: an hour would not end.
  const clock = clocks ? [{ fault: clockStep(() => clocks[0], [60_000, -60_000, -3_600_000]), weight: 1 }, { fault: clockStep(() => clocks[1]), weight: 1 }] : [];
  return {
    name: parts.storage ? 'storage' : clocks ? 'clock' : 'single',
    ways: { producers: ways[0] ?? target, workers: ways.slice(1) },
    observer: () => server.connect(),
    onTheWay: proxies.flatMap((proxy, i) => wayFaults(proxy, i === 0 ? producerScripts : workerScripts)),
    atTheServer: parts.storage ? storage : clocks ? clock : plain,
    ...(clocks ? { workerEnv: clocks[1].env } : {}),
    durable: true,
    honestClock: clocks === undefined,
    heal: async () => {
      await Promise.all(proxies.map((proxy) => proxy.heal({ silent: 'cut' })));
    },
    stop: async () => {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      await server.stop();
      for (const each of clocks ?? []) each.stop();
    },
  };
}

/** A primary with two replicas under three sentinels. Replication is asynchronous: a failover may lose what was acknowledged. */
export async function openSentinel(options: StageOptions): Promise<Stage> {
  const deployment = await startSentinel({ redis: { appendonly: 'everysec' } });
  const address = { ...deployment.address() } as Spec['connection'];
  const observers: Redis[] = [];
  const { Redis: Client } = await import('ioredis');
  return {
    name: 'sentinel',
    ways: { producers: address, workers: Array.from({ length: options.workers }, () => address) },
    observer: () => {
      const client = new Client({ ...deployment.address(), maxRetriesPerRequest: null });
      client.on('error', () => undefined);
      observers.push(client);
      return client;
    },
    onTheWay: [],
    atTheServer: [{ fault: failOver(deployment), weight: 2 }, { fault: clientKill(() => deployment.primary()), weight: 1 }, { fault: scriptFlush(() => deployment.primary()), weight: 1 }],
    durable: false,
    honestClock: true,
    heal: async () => deployment.ready(),
    stop: async () => {
      for (const client of observers) client.disconnect();
      await deployment.stop();
    },
  };
}

/** Three primaries, between which the queue's slot moves. */
export async function openCluster(options: StageOptions): Promise<Stage> {
  const cluster = await startCluster({ redis: { appendonly: 'always' } });
  const nodes = { nodes: cluster.addresses() };
  const owner = async (): Promise<(typeof cluster.nodes)[number]> => cluster.ownerOf(await cluster.slotOf(options.keys[0] ?? ''));
  return {
    name: 'cluster',
    ways: { producers: nodes, workers: Array.from({ length: options.workers }, () => nodes) },
    observer: () => cluster.connect(),
    onTheWay: [],
    atTheServer: [{ fault: moveSlot(cluster, options.keys), weight: 3 }, { fault: scriptFlush(owner), weight: 1 }, { fault: clientKill(owner), weight: 1 }, { fault: freezeRedis(owner), weight: 1 }],
    durable: true,
    honestClock: true,
    heal: async () => cluster.waitReady(),
    stop: async () => cluster.stop(),
  };
}
