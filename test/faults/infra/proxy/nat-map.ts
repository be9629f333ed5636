import type { RedisServer } from '../../../support/servers/redis-server.js';
import { startAll, stopAll } from '../../../support/servers/deployment.js';
import { startProxy, type Proxy, type StartProxyOptions } from './start-proxy.js';

/** A proxy before every server of a deployment, and the map by which ioredis takes the way through them. */
export interface ProxiedDeployment {
  readonly proxies: readonly Proxy[];
  /** For ioredis' option `natMap`: where Sentinel or Cluster name a server, the client goes to its proxy. */
  readonly natMap: Readonly<Record<string, { host: string; port: number }>>;
  proxyOf(server: RedisServer): Proxy;
  stop(): Promise<void>;
}

/** Puts a proxy before each server; each draws from its own fork of the seed. */
export async function startProxies(
  servers: readonly RedisServer[],
  { seed, ...options }: Omit<StartProxyOptions, 'target'>,
): Promise<ProxiedDeployment> {
  const starts = servers.map(({ host, port }, index) =>
    startProxy({ ...options, target: { host, port }, seed: BigInt(seed) * 1_000n + BigInt(index) }),
  );
  const proxies = await startAll(starts);
  const byServer = new Map(servers.map((server, index) => [server, proxies[index]]));
  const proxyOf = (server: RedisServer): Proxy => {
    const proxy = byServer.get(server);
    if (!proxy) throw new Error(`${server.name} has no proxy`);
    return proxy;
  };
  const entries = servers.map((server) => {
    const { host, port } = proxyOf(server);
    return [`${server.host}:${server.port}`, { host, port }] as const;
  });
  return { proxies, natMap: Object.fromEntries(entries), proxyOf, stop: () => stopAll(proxies) };
}
