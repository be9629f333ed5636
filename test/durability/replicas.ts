import { onTestFinished } from 'vitest';
import { startProxy, type Proxy } from '../faults/infra/proxy/start-proxy.js';
import { scriptNames } from '../faults/workload/script-names.js';
import { startAll, stopAll } from '../support/servers/deployment.js';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';

export interface Group {
  primary: RedisServer;
  replicas: RedisServer[];
}

/** A primary and replicas that follow it, ended with the test. */
export async function startGroup(count = 1): Promise<Group> {
  const primary = await startRedis({ name: 'primary' });
  onTestFinished(() => primary.stop());
  const config = { replicaof: `${primary.host} ${primary.port}` };
  const replicas = await startAll(Array.from({ length: count }, () => startRedis({ name: 'replica', config })));
  onTestFinished(() => stopAll(replicas));
  await until('the replicas follow', async () => (await primary.info('replication')).get('connected_slaves') === String(count));
  for (const replica of replicas) {
    await until('a replica is linked', async () => (await replica.info('replication')).get('master_link_status') === 'up');
  }
  // The primary counts a replica from its first acknowledgement, which may come a second later.
  await inStep(primary, count);
  return { primary, replicas };
}

/** A proxy before a server that knows the scripts by name, ended with the test. */
export async function proxyTo({ host, port }: RedisServer): Promise<Proxy> {
  const proxy = await startProxy({ target: { host, port }, seed: 1, scripts: scriptNames });
  onTestFinished(() => proxy.stop());
  return proxy;
}

/** How often the server has carried out a command. */
export async function callsOf(server: RedisServer, command: string): Promise<number> {
  const stats = (await server.info('commandstats')).get(`cmdstat_${command}`) ?? 'calls=0';
  return Number(/calls=(\d+)/.exec(stats)?.[1]);
}

/** Resolves when so many replicas have everything again. */
export async function inStep(primary: RedisServer, count = 1): Promise<void> {
  const writer = await primary.anotherControl();
  await until('the replicas have caught up', async () => {
    await writer.set('drover:in-step', 1);
    return (await writer.wait(count, 1_000)) >= count;
  });
  writer.disconnect();
}

export const at = ({ host, port }: { host: string; port: number }): { host: string; port: number } => ({ host, port });
