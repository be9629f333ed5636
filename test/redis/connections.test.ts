import { spawnSync } from 'node:child_process';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Queue, Worker, type ConnectionOptions } from 'drover';
import { Connection } from '../../src/redis/connection.js';
import { finished, idleWorkers, once, openQueue, openWorker, refusal, tallyOf, uniqueName } from '../support/behaviour.js';
import { type RedisServer } from '../support/servers/redis-server.js';
import { startRedis, type StartRedisOptions } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';

async function ownServer(options: StartRedisOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  return server;
}

/** The ids of the connections to the server, the harness's own left out. */
async function clients(server: RedisServer): Promise<string[]> {
  const control = await server.control();
  const own = String(await control.client('ID'));
  const ids = [...String(await control.client('LIST')).matchAll(/^id=(\d+)/gm)].map((match) => match[1] ?? '');
  return ids.filter((id) => id !== own);
}

test('a database that does not exist is told, and nothing is written elsewhere', async () => {
  const server = await ownServer();
  const queue = openQueue({ connection: { host: server.host, port: server.port, db: 99 } });
  const errors: Error[] = [];
  queue.on('error', (error) => errors.push(error));
  for (const attempt of [1, 2]) {
    expect(await refusal(() => queue.add('a', attempt))).toMatchObject({ code: 'REDIS_UNAVAILABLE', message: expect.stringMatching(/DB index.*`db` of `connection`/) });
  }
  expect(errors.length).toBeGreaterThan(0);
  expect(await (await server.control()).dbsize()).toBe(0);
});

describe('a connection can be given as', () => {
  test.each<[string, (server: RedisServer) => ConnectionOptions]>([
    ['a URL', ({ host, port }) => `redis://${host}:${port}`],
    ['a URL with a database', ({ host, port }) => `redis://${host}:${port}/3`],
    ['a valkey URL', ({ host, port }) => `valkey://${host}:${port}`],
    ['options', ({ host, port }) => ({ host, port })],
    ['options with a URL', ({ host, port }) => ({ url: `redis://${host}:${port}`, db: 2 })],
    ['options that connect lazily', ({ host, port }) => ({ host, port, lazyConnect: true })],
    ['options that would give up soon', ({ host, port }) => ({ host, port, maxRetriesPerRequest: 1, enableOfflineQueue: true })],
  ])('%s', async (_name, connection) => {
    const server = await ownServer();
    const queue = openQueue({ connection: connection(server) });
    const worker = openWorker(queue, () => 'ran');
    await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
    const job = await queue.add('a', 1);
    expect((await finished(worker, job.id)).returnvalue).toBe('ran');
  });

  test.each<[string, object]>([
    ['as ioredis makes them', {}],
    ['with maxRetriesPerRequest null', { maxRetriesPerRequest: null }],
    ['with automatic pipelining', { enableAutoPipelining: true }],
    ['in another database', { db: 5 }],
  ])('a client of one’s own %s, which stays open', async (_name, options) => {
    const server = await ownServer();
    const client = new Redis({ host: server.host, port: server.port, ...options });
    onTestFinished(() => client.disconnect());
    const queue = new Queue(uniqueName(), { connection: client });
    const worker = new Worker(queue.name, () => 'ran', { connection: client });
    await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
    const job = await queue.add('a', 1);
    expect((await finished(worker, job.id)).returnvalue).toBe('ran');
    await Promise.all([worker.close(), queue.close()]);
    expect(client.status).toBe('ready');
    expect(await client.ping()).toBe('PONG');
    expect(client.listenerCount('error')).toBe(0);
  });

  test('a client of one’s own with a deadline for its commands, which does not end reads that wait', async () => {
    const { host, port } = await ownServer();
    const client = new Redis({ host, port, commandTimeout: 50 });
    onTestFinished(() => client.disconnect());
    const connection = new Connection(client);
    const reader = connection.openBlocking('reader');
    onTestFinished(() => reader.disconnect());
    await expect(reader.bzpopmin('never', 0.5)).resolves.toBeNull();
  });

  test('options with a key prefix are refused, since keys lie under `prefix`, or work', async () => {
    const server = await ownServer();
    const make = (): Queue => openQueue({ connection: { host: server.host, port: server.port, keyPrefix: 'x:' } });
    const refused = await (async () => make())().then((queue) => ({ queue }), (error: { code?: string }) => error.code);
    if (typeof refused !== 'object') return expect(refused).toBe('INVALID_OPTION');
    const worker = openWorker(refused.queue, () => 'ran', { drainDelay: 3_600 });
    await until('the worker waits', async () => (await idleWorkers(refused.queue)) === 1);
    const job = await refused.queue.add('a', 1);
    expect((await finished(worker, job.id)).returnvalue).toBe('ran');
  });
});

describe('what is refused at once', () => {
  test.each<[string, unknown]>([
    ['nothing', undefined], ['null', null], ['a number', 6379], ['a list', []], ['an empty text', ''], ['a host and port', 'localhost:6379'],
    ['another scheme', 'http://localhost'], ['a URL without a host that can be', 'redis://['], ['a port out of range', 'redis://localhost:99999'],
    ['a port that is no number', { host: 'localhost', port: 'x' }], ['a port option out of range', { port: 99_999 }], ['a URL that is no text', { url: 5 }],
    ['no nodes', { nodes: [] }],
  ])('%s', async (_name, connection) => {
    const error = await refusal(() => new Queue('q', { connection: connection as ConnectionOptions }));
    expect(error).toMatchObject({ code: 'INVALID_OPTION', field: expect.stringMatching(/^connection/) });
  });
});

describe('sharing', () => {
  test('many queues and workers of one process use one connection, and one more per worker', async () => {
    const server = await ownServer();
    const before = (await clients(server)).length;
    const connection = { host: server.host, port: server.port };
    const queues = Array.from({ length: 10 }, () => openQueue({ connection: { ...connection } }));
    const workers = queues.map((queue) => openWorker(queue, () => 'ran'));
    await Promise.all(queues.map((queue) => until('its worker waits', async () => (await idleWorkers(queue)) === 1)));
    expect((await clients(server)).length - before).toBe(11);
    const done = tallyOf('completed', ...workers);
    await Promise.all(queues.map((queue) => queue.add('a', 1)));
    await done.reached(10);
    await Promise.all(workers.map((worker) => worker.close()));
    await until('only the shared one is left', async () => (await clients(server)).length - before === 1);
    await Promise.all(queues.slice(1).map((queue) => queue.close()));
    await queues[0]?.add('still', 1);
    await queues[0]?.close();
    await until('all are gone', async () => (await clients(server)).length === before);
  });

  test('a constructor that throws leaves no connection behind', async () => {
    const server = await ownServer();
    const before = (await clients(server)).length;
    const connection = { host: server.host, port: server.port };
    const wrong: (() => unknown)[] = [
      () => new Queue('q', { connection, defaultJobOptions: { delay: -1 } }),
      () => new Worker('q', 5 as never, { connection }),
      () => new Worker('q', () => 1, { connection, concurrency: 0 }),
      () => new Worker('q', { a: 5 } as never, { connection }),
      () => new Queue('q', { connection, streams: {} }).close(),
    ];
    for (const make of wrong) await (async () => make())().catch(() => undefined);
    const probe = openQueue({ connection: { ...connection, connectionName: 'probe' } });
    await probe.waitUntilReady();
    await until('nothing but the probe is connected', async () => (await clients(server)).length === before + 1, { timeoutMs: 3_000 });
  });

  test('a process whose constructor threw can end', () => {
    const script = `
      import { Worker } from 'drover';
      try { new Worker('q', 5, { connection: '${process.env['REDIS_URL']}' }); } catch (error) { console.log(error.code); }`;
    const ended = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script.replace("'drover'", `'${new URL('../../src/index.ts', import.meta.url).href}'`)], { timeout: 15_000, encoding: 'utf8' });
    expect(ended.stdout.trim()).toBe('INVALID_HANDLER');
    expect(ended.signal).toBeNull();
  }, 30_000);

  test('a process that closes its queue and worker can end', () => {
    const script = `
      import { Queue, Worker } from '${new URL('../../src/index.ts', import.meta.url).href}';
      const connection = '${process.env['REDIS_URL']}';
      const queue = new Queue('${uniqueName()}', { connection });
      const worker = new Worker(queue.name, () => 1, { connection });
      const done = new Promise((resolve) => worker.on('completed', resolve));
      await queue.add('a', 1);
      await done;
      await worker.close();
      await queue.obliterate();
      await queue.close();
      console.log('closed');`;
    const ended = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script], { timeout: 15_000, encoding: 'utf8' });
    expect(ended.stderr).toBe('');
    expect(ended.stdout.trim()).toBe('closed');
    expect(ended.signal).toBeNull();
  }, 30_000);
});

test('Redis 6.2 or later is accepted, and waitUntilReady says so', async () => {
  const server = await ownServer();
  const queue = openQueue({ connection: { host: server.host, port: server.port } });
  const worker = openWorker(queue, () => undefined);
  await Promise.all([queue.waitUntilReady(), once(worker, 'ready')]);
  await queue.close();
  expect(await refusal(() => queue.waitUntilReady())).toMatchObject({ code: 'CLOSED' });
});
