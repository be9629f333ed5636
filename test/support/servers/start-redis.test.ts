import { afterEach, describe, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { certificatesUnavailable } from './certificates.js';
import { fields, type RedisServer } from './redis-server.js';
import { startRedis, type StartRedisOptions } from './start-redis.js';
import { until } from './until.js';

const servers: RedisServer[] = [];

async function start(options?: StartRedisOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('startRedis', () => {
  it('serves on a loopback port until stopped', async () => {
    const server = await start();
    expect(await server.connect().set('a', '1')).toBe('OK');
    const { pid } = server;
    await server.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('gives the lines of the configuration to the server', async () => {
    const server = await start({ config: { maxmemory: '64mb', 'maxmemory-policy': 'allkeys-lru' } });
    const config = await server.connect().config('GET', 'maxmemory*');
    expect(config).toEqual(expect.arrayContaining(['maxmemory', String(64 * 1024 * 1024), 'allkeys-lru']));
  });

  it('says why a server did not start', async () => {
    await expect(start({ config: { 'no-such-directive': 1 } })).rejects.toThrow('no-such-directive');
  });

  it.each(['everysec', 'always', 'os'] as const)('keeps the data over kill -9 with appendonly %s', async (appendonly) => {
    const server = await start({ appendonly });
    const client = server.connect();
    await client.set('kept', 'yes');
    await server.restart();
    expect(await client.get('kept')).toBe('yes');
  });

  it('loses the data at kill -9 without an append-only file', async () => {
    const server = await start();
    const client = server.connect();
    await client.set('gone', 'yes');
    await server.restart();
    expect(await client.get('gone')).toBeNull();
  });

  it('asks for the password', async () => {
    const server = await start({ password: 'secret' });
    expect(await server.connect().ping()).toBe('PONG');
    const stranger = await start().then((other) => other.connect({ port: server.port }));
    await expect(stranger.ping()).rejects.toThrow('NOAUTH');
  });

  it('knows the users it was given', async () => {
    const server = await start({ users: ['default off', 'reader on >pw ~a* +get +ping'] });
    const reader = server.connect({ username: 'reader', password: 'pw', enableReadyCheck: false });
    expect(await reader.get('a')).toBeNull();
    await expect(reader.get('b')).rejects.toThrow('NOPERM');
    await expect(reader.set('a', '1')).rejects.toThrow('NOPERM');
  });

  it('speaks TLS under certificates that a stranger does not trust', async ({ skip }) => {
    skip(certificatesUnavailable() !== undefined, certificatesUnavailable());
    const server = await start({ tls: true, password: 'secret' });
    expect(await server.connect().set('a', '1')).toBe('OK');
    const stranger = new Redis({ port: server.port, host: server.host, tls: {}, lazyConnect: true, retryStrategy: () => null });
    const refusal = new Promise<Error>((resolve) => stranger.on('error', resolve));
    await expect(stranger.connect()).rejects.toThrow();
    expect((await refusal).message).toMatch(/self-signed|unable to verify|unable to get/);
  });

  it('answers nothing while frozen and everything after the thaw', async () => {
    const server = await start();
    const client = server.connect();
    await client.ping();
    await server.freeze();
    let answered = false;
    const late = client.set('a', '1').then((reply) => {
      answered = true;
      return reply;
    });
    const impatient = server.connect({ commandTimeout: 200, maxRetriesPerRequest: 0, lazyConnect: true, connectTimeout: 200 });
    await expect(impatient.ping()).rejects.toThrow();
    expect(answered).toBe(false);
    await server.thaw();
    expect(await late).toBe('OK');
  });

  it('stays in LOADING as long as its filled file takes', async () => {
    const server = await start({ appendonly: 'everysec' });
    await server.fillAof(1_000_000);
    const persistence = await server.info('persistence');
    expect(Number(persistence.get('aof_current_size'))).toBeGreaterThanOrEqual(1_000_000);
    await server.kill9();
    await server.start({ until: 'listening', config: { 'key-load-delay': 20 } });
    const client = server.connect({ enableReadyCheck: false });
    await expect(client.get('fill:1')).rejects.toThrow('LOADING');
    await server.ready();
    expect(await client.get('fill:1')).toBe('x'.repeat(64));
  });

  it('reads the fields of INFO', () => {
    expect(fields('# Server\r\nversion:1:2\r\n\r\n')).toEqual(new Map([['version', '1:2']]));
  });
});

describe('until', () => {
  it('names what did not come about and why', async () => {
    const never = until('pigs fly', () => Promise.reject(new Error('no wings')), { timeoutMs: 20 });
    await expect(never).rejects.toMatchObject({ message: 'not within 20 ms: pigs fly', cause: { message: 'no wings' } });
  });
});
