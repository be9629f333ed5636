import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterDeployment } from './cluster-deployment.js';
import { startCluster } from './start-cluster.js';

let cluster: ClusterDeployment;

beforeAll(async () => {
  cluster = await startCluster({ primaries: 3, replicas: 1, redis: { password: 'secret' } });
}, 60_000);

afterAll(() => cluster.stop());

describe('startCluster', { timeout: 60_000 }, () => {
  it('spreads the keys over three primaries with a replica each', async () => {
    const client = cluster.connect();
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) expect(await client.set(key, key)).toBe('OK');
    const shards = await cluster.shards();
    expect(shards.map((shard) => shard.replicas.length)).toEqual([1, 1, 1]);
    const owners = await Promise.all(['a', 'b', 'c'].map(async (key) => cluster.ownerOf(await cluster.slotOf(key))));
    expect(new Set(owners).size).toBe(3);
  });

  it('moves a slot key by key, with redirections in between', async () => {
    const client = cluster.connect();
    const keys = Array.from({ length: 20 }, (_, index) => `{move}${index}`);
    for (const key of keys) await client.set(key, key);
    const slot = await cluster.slotOf('{move}');
    const from = await cluster.ownerOf(slot);
    const to = (await cluster.shards()).map((shard) => shard.primary).find((primary) => primary !== from);
    if (!to) throw new Error('there are three primaries');
    const halfway: unknown[] = [];
    const raw = from.connect();
    await cluster.migrateSlot(slot, from, to, {
      beforeKey: async (_, moved) => {
        if (moved !== 10) return;
        halfway.push(await raw.mget(...keys).catch((error: Error) => error.message));
        halfway.push(await raw.get('{move}unknown').catch((error: Error) => error.message));
        halfway.push(await client.get('{move}0'));
      },
    });
    expect(halfway).toEqual([expect.stringContaining('TRYAGAIN'), expect.stringContaining('ASK'), '{move}0']);
    expect(await cluster.ownerOf(slot)).toBe(to);
    await expect(raw.get('{move}0')).rejects.toThrow('MOVED');
    for (const key of keys) expect(await client.get(key)).toBe(key);
  });

  it.each([undefined, 'FORCE', 'TAKEOVER'] as const)('fails over to a replica (%s)', async (how) => {
    const client = cluster.connect();
    await client.set('kept', '1');
    await client.wait(1, 1_000).catch(() => 0);
    const [shard] = await cluster.shards();
    const replica = shard?.replicas[0];
    if (!shard || !replica) throw new Error('each primary has a replica');
    await cluster.failover(replica, how);
    const [after] = await cluster.shards();
    expect(after).toEqual({ primary: replica, replicas: [shard.primary] });
    expect(await client.get('kept')).toBe('1');
  });

  it('elects the replica of a primary that was killed', async () => {
    const [shard] = await cluster.shards();
    const replica = shard?.replicas[0];
    if (!shard || !replica) throw new Error('each primary has a replica');
    await shard.primary.kill9();
    await cluster.waitReady();
    const [after] = await cluster.shards();
    expect(after?.primary).toBe(replica);
    await shard.primary.start();
    await cluster.waitReady();
  });
});
