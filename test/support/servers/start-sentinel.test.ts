import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SentinelDeployment } from './sentinel-deployment.js';
import { startSentinel } from './start-sentinel.js';
import { until } from './until.js';

let deployment: SentinelDeployment;
let client: Redis;

beforeAll(async () => {
  deployment = await startSentinel({ redis: { appendonly: 'everysec', password: 'secret' } });
  client = new Redis({ ...deployment.address(), sentinelRetryStrategy: () => 50, retryStrategy: () => 50 });
  client.on('error', () => undefined);
}, 60_000);

afterAll(async () => {
  client.disconnect();
  await deployment.stop();
});

describe('startSentinel', { timeout: 60_000 }, () => {
  it('leads a client to the primary', async () => {
    expect(await client.set('a', '1')).toBe('OK');
    const primary = await deployment.primary();
    expect((await primary.info('replication')).get('connected_slaves')).toBe('2');
  });

  it('promotes the replica that it is told to', async () => {
    const chosen = (await deployment.replicas())[1];
    if (!chosen) throw new Error('there are two replicas');
    await deployment.promote(chosen);
    expect(await deployment.primary()).toBe(chosen);
    expect(await until('a write reaches the new primary', () => client.set('b', '1'))).toBe('OK');
    await deployment.ready();
  });

  it('elects another primary when the primary freezes', async () => {
    const frozen = await deployment.freezePrimary();
    const elected = await deployment.waitForNewPrimary(frozen);
    expect(elected).not.toBe(frozen);
    await frozen.thaw();
    await deployment.ready();
    expect((await frozen.info('replication')).get('role')).toBe('slave');
  });

  it('elects another primary after kill -9 and takes the dead one back as a replica', async () => {
    const dead = await deployment.killPrimary();
    const elected = await deployment.waitForNewPrimary(dead);
    expect(elected).not.toBe(dead);
    await dead.start();
    await deployment.ready();
    expect((await dead.info('replication')).get('role')).toBe('slave');
  });
});
