import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ClusterDeployment } from '../../../support/servers/cluster-deployment.js';
import { startCluster } from '../../../support/servers/start-cluster.js';
import { startProxies, type ProxiedDeployment } from './nat-map.js';
import { redisErrors } from './redis-errors.js';

let cluster: ClusterDeployment;
let proxied: ProxiedDeployment;

beforeAll(async () => {
  cluster = await startCluster();
  proxied = await startProxies(cluster.nodes, { seed: 1 });
});

afterAll(async () => {
  await proxied.stop();
  await cluster.stop();
});

it('leads a cluster client to every node through its proxy', async () => {
  const client = cluster.connect({ natMap: proxied.natMap, retryDelayOnTryAgain: 1 });
  const keys = Array.from({ length: 30 }, (_, index) => `k${index}`);
  for (const key of keys) await client.set(key, key);
  const seen = proxied.proxies.map((proxy) => proxy.log.requests('set'));
  expect(seen.every((count) => count > 0)).toBe(true);
  expect(seen.reduce((sum, count) => sum + count, 0)).toBe(30);

  const owner = await cluster.ownerOf(await cluster.slotOf('k1'));
  const rule = proxied.proxyOf(owner).rule({ when: { command: 'get' }, times: 2, then: 'error', error: redisErrors.TRYAGAIN });
  expect(await client.get('k1')).toBe('k1');
  expect(rule.hits).toBe(2);
});
