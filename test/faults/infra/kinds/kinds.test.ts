import type { Redis, RedisOptions } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCluster } from '../../../support/servers/start-cluster.js';
import type { RedisServer } from '../../../support/servers/redis-server.js';
import { startRedis } from '../../../support/servers/start-redis.js';
import { startSentinel } from '../../../support/servers/start-sentinel.js';
import { until } from '../../../support/servers/until.js';
import { SteppedClock, steppedClockUnavailable } from '../clock/stepped-clock.js';
import type { Fault, Injection } from '../nemesis.js';
import { spawnNode } from '../processes.js';
import { startProxy, type Proxy } from '../proxy/start-proxy.js';
import { Random } from '../random.js';
import { straceUnavailable } from '../strace.js';
import { blackHole } from './black-hole.js';
import { busyScript } from './busy-script.js';
import { cutReplies, cutRequests, delay, dropReplies, dropRequests, replyErrors, trickle } from './by-rule.js';
import { clientKill } from './client-kill.js';
import { clockStep } from './clock-step.js';
import { cutConnections } from './cut-connections.js';
import { diskError } from './disk-error.js';
import { failOver } from './fail-over.js';
import { freezeRedis } from './freeze-redis.js';
import { killWorker } from './kill-worker.js';
import { moveSlot } from './move-slot.js';
import { pauseWorker } from './pause-worker.js';
import { refuseConnections } from './refuse-connections.js';
import { restartRedis } from './restart-redis.js';
import { scriptFlush } from './script-flush.js';
import { squeezeMemory } from './squeeze-memory.js';

const chatty = new URL('../fixtures/chatty.ts', import.meta.url);
const honest: RedisOptions = { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0, retryStrategy: () => null };

let server: RedisServer;
let proxy: Proxy;
let sha: string;

beforeAll(async () => {
  server = await startRedis({ appendonly: 'everysec' });
  sha = String(await server.connect().script('LOAD', "return redis.call('INCR', KEYS[1])"));
  proxy = await startProxy({ target: server, seed: 1, scripts: { [sha]: 'count' } });
});

afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

const inject = (fault: Fault, seed = 1): Promise<Injection> => fault.inject(new Random(seed));
const through = (): Redis => server.connect({ ...honest, port: proxy.port });
const outcome = (call: Promise<unknown>): Promise<unknown> => call.catch((error: Error) => error.message);

const end = (client: Redis): Promise<void> => new Promise((resolve) => client.once('end', resolve));

describe('faults of workers', () => {
  it('kill-worker kills one and has it replaced', async () => {
    const workers = [await spawnNode(chatty), await spawnNode(chatty)];
    const replaced: unknown[] = [];
    const respawn = (dead: unknown): Promise<void> => Promise.resolve(void replaced.push(dead));
    const { heal } = await inject(killWorker({ workers: () => workers, respawn }));
    const dead = workers.filter((worker) => !worker.running);
    expect(dead).toHaveLength(1);
    await heal();
    expect(replaced).toEqual(dead);
    await Promise.all(workers.map((worker) => worker.kill9()));
  });

  it('pause-worker stops one until the end', async () => {
    const worker = await spawnNode(chatty);
    const { heal } = await inject(pauseWorker({ workers: () => [worker] }));
    await worker.send('late');
    await expect(worker.signal('echo', 50)).rejects.toThrow('did not signal');
    await heal();
    expect(await worker.signal('echo')).toBe('late');
    await worker.kill9();
  });
});

describe('faults of connections', () => {
  it('cut-connections resets them all', async () => {
    const client = through();
    await client.ping();
    const ended = end(client);
    expect((await inject(cutConnections(() => proxy))).detail).toEqual({ connections: 1 });
    await ended;
  });

  it('refuse-connections leaves nobody in', async () => {
    const { heal } = await inject(refuseConnections(() => proxy));
    expect(await outcome(through().ping())).toMatch(/closed|REFUSED|MaxRetries|max retries/i);
    await heal();
    expect(await through().ping()).toBe('PONG');
  });

  it('black-hole silences open connections until the end', async () => {
    const client = through();
    await client.ping();
    const { heal } = await inject(blackHole(() => proxy));
    let settled = false;
    const stuck = outcome(client.ping()).finally(() => (settled = true));
    await server.connect().ping();
    expect(settled).toBe(false);
    await heal();
    expect(await stuck).toMatch(/PONG|closed/);
    client.disconnect();
  });

  it('client-kill throws everyone out', async () => {
    const client = server.connect(honest);
    await client.ping();
    const ended = end(client);
    await inject(clientKill(() => server));
    await ended;
  });

  const every = [1, 1] as const;
  it.each([
    [dropReplies, /closed/, 1],
    [dropRequests, /closed/, 0],
    [replyErrors, /^[A-Z]+ /, 0],
    [cutRequests, /closed/, undefined],
    [cutReplies, /closed|1/, 1],
    [trickle, /1/, 1],
  ] as const)('%o strikes the script while it lasts', async (kind, said, executions) => {
    const direct = server.connect();
    const options = { proxy: () => proxy, scripts: ['count'], every };
    await direct.del('n');
    const { heal } = await inject(kind(options));
    const client = through();
    expect(String(await outcome(client.evalsha(sha, 1, 'n')))).toMatch(said);
    if (executions !== undefined) expect(Number(await direct.get('n'))).toBe(executions);
    await heal();
    await direct.del('n');
    expect(await through().evalsha(sha, 1, 'n')).toBe(1);
  });

  it('delay makes the script late', async () => {
    const { heal } = await inject(delay({ proxy: () => proxy, scripts: ['count'], every }, [30, 40]));
    const began = performance.now();
    await through().evalsha(sha, 1, 'n');
    expect(performance.now() - began).toBeGreaterThanOrEqual(29);
    await heal();
  });
});

describe('faults of Redis', () => {
  it('script-flush flushes again and again', async () => {
    const client = server.connect();
    const { heal } = await inject(scriptFlush(() => server, 5));
    const loaded = String(await client.script('LOAD', 'return 1'));
    await until('it is flushed again', async () => String(await client.script('EXISTS', loaded)) === '0');
    await heal();
    await client.script('LOAD', 'return 1');
    expect(await client.evalsha(loaded, 0)).toBe(1);
  });

  it('freeze-redis answers nobody until the end', async () => {
    const { heal } = await inject(freezeRedis(() => server));
    const client = server.connect({ ...honest, commandTimeout: 100 });
    await expect(client.ping()).rejects.toThrow('timed out');
    client.disconnect();
    await heal();
    expect(await server.connect().ping()).toBe('PONG');
  });

  it('restart-redis keeps what the append-only file holds', async () => {
    const client = server.connect();
    await client.set('kept', '1');
    const { heal } = await inject(restartRedis(() => server));
    expect(server.running).toBe(false);
    await heal();
    expect(await client.get('kept')).toBe('1');
  });

  it('busy-script makes Redis say BUSY until the end', async () => {
    const client = server.connect();
    await client.ping();
    const { heal } = await inject(busyScript(() => server));
    await expect(client.get('a')).rejects.toThrow('BUSY');
    await heal();
    expect(await client.get('a')).toBeNull();
  });

  it('squeeze-memory makes Redis refuse writes, not deletions', async () => {
    const client = server.connect();
    const { heal } = await inject(squeezeMemory(() => server));
    await expect(client.set('a', '1')).rejects.toThrow('OOM');
    expect(await client.del('kept')).toBe(1);
    await heal();
    expect(await client.set('a', '1')).toBe('OK');
  });

  // Each seed draws another call and error.
  it.for([1, 3, 5])('disk-error makes Redis refuse writes until the end (seed %i)', async (seed, { skip }) => {
    skip((await straceUnavailable()) !== undefined, await straceUnavailable());
    const client = server.connect();
    const { detail, heal } = await inject(diskError(() => server), seed);
    const refused = async (): Promise<boolean> => String(await outcome(client.set('a', '1'))).startsWith('MISCONF');
    await until(`writes are refused under ${JSON.stringify(detail)}`, refused);
    await heal();
    expect(await client.set('a', '1')).toBe('OK');
  });

  it('disk-error ends a server that syncs always, and brings it back', async ({ skip }) => {
    skip((await straceUnavailable()) !== undefined, await straceUnavailable());
    const careful = await startRedis({ appendonly: 'always' });
    const client = careful.connect(honest);
    await client.set('kept', '1');
    const { heal } = await inject(diskError(() => careful));
    expect(await outcome(client.set('lost', '1'))).not.toBe('OK');
    await until('Redis has ended', () => !careful.running);
    await heal();
    expect(await careful.connect().get('kept')).toBe('1');
    await careful.stop();
  });
});

describe('faults of time', () => {
  it('clock-step shifts Redis and Node, but no monotonic clock', async ({ skip }) => {
    skip(steppedClockUnavailable() !== undefined, steppedClockUnavailable());
    const clock = await SteppedClock.start();
    const shifted = await startRedis({ env: clock.env });
    const child = await spawnNode(new URL('../fixtures/clock.ts', import.meta.url), { env: clock.env });
    const client = shifted.connect();
    const offsets = async (): Promise<number[]> => {
      const [seconds = 0] = (await client.time()).map(Number);
      await child.send('now');
      const { wall, monotonic } = (await child.signal('now')) as { wall: number; monotonic: number };
      const here = Number(process.hrtime.bigint() / 1_000_000n);
      return [seconds * 1_000 - Date.now(), wall - Date.now(), monotonic - here].map((ms) => Math.round(ms / 10_000) * 10_000 + 0);
    };
    await client.set('lock', '1', 'PX', 30_000);
    const { heal } = await inject(clockStep(() => clock, [60_000]));
    expect(await offsets()).toEqual([60_000, 60_000, 0]);
    expect(await client.get('lock')).toBeNull();
    await heal();
    expect(await offsets()).toEqual([0, 0, 0]);
    await child.kill9();
    await shifted.stop();
    clock.stop();
  });
});

describe('faults of deployments', { timeout: 60_000 }, () => {
  it.each([1, 2])('fail-over leaves another primary and no server behind (seed %i)', async (seed) => {
    const deployment = await startSentinel();
    const old = await deployment.primary();
    const { heal } = await inject(failOver(deployment), seed);
    await heal();
    expect(await deployment.primary()).not.toBe(old);
    expect(deployment.servers.every((one) => one.running)).toBe(true);
    await deployment.stop();
  });

  it('move-slot gives the slot of a key another owner', async () => {
    const cluster = await startCluster();
    const client = cluster.connect();
    await client.mset('{q}a', '1', '{q}b', '2');
    const slot = await cluster.slotOf('{q}');
    const before = await cluster.ownerOf(slot);
    const { heal } = await inject(moveSlot(cluster, ['{q}']));
    await heal();
    expect(await cluster.ownerOf(slot)).not.toBe(before);
    expect(await client.mget('{q}a', '{q}b')).toEqual(['1', '2']);
    await cluster.stop();
  });
});
