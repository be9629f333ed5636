import { format, inspect } from 'node:util';
import { Redis } from 'ioredis';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { FlowProducer, Queue, QueueEvents, QueueEventsProducer, Worker, type ConnectionOptions, type Job } from 'drover';
import BullQueue from 'drover/bull';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openQueue, openRedis, openWorker, redisUrl, Tally, uniqueName } from '../support/behaviour.js';
import { freePort } from '../support/servers/free-port.js';
import { startRedis } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';
import { bulk, fakeServer, posingAs } from '../redis/fake-server.js';

/** Canary strings stand for passwords and job data. They must be found nowhere but where they belong. */

const password = 'canary-password-7f3a';
const payload = 'canary-payload-91bc';

/** Everything that a person may come to see of a value. */
function pictures(value: unknown): string {
  const shown = [format('%s %o %O', value, value, value), inspect(value, { depth: 12, showHidden: true, getters: true })];
  try {
    shown.push(JSON.stringify(value));
  } catch {
    // What cannot be shown so does not leak so.
  }
  for (let error: unknown = value; error instanceof Error; error = error.cause) {
    shown.push(error.message, String(error.stack), JSON.stringify(error, Object.getOwnPropertyNames(error)));
  }
  return shown.join('\n');
}

function expectNoCanary(value: unknown, ...canaries: string[]): void {
  const shown = typeof value === 'string' ? value : pictures(value);
  for (const canary of canaries) expect(shown.includes(canary), shown.slice(Math.max(0, shown.indexOf(canary) - 300), shown.indexOf(canary) + 60)).toBe(false);
}

/** A pino logger as users make it, and all that it wrote. */
function openLog(): { logger: pino.Logger; lines: string[] } {
  const lines: string[] = [];
  const sink = new Writable({ write: (chunk: Buffer, _encoding, done) => (lines.push(String(chunk)), done()) });
  return { logger: pino({ level: 'trace' }, sink), lines };
}

async function thrown(call: () => unknown): Promise<unknown> {
  return (async () => call())().then(() => undefined, (error: unknown) => error);
}

const tls = { key: password, cert: password, passphrase: password, rejectUnauthorized: true };

describe('passwords', () => {
  test.each<[string, (host: string, port: number) => ConnectionOptions]>([
    ['a URL', (host, port) => `redis://user:${password}@${host}:${port}`],
    ['options', (host, port) => ({ host, port, password })],
    ['options with a URL', (host, port) => ({ url: `redis://:${password}@${host}:${port}` })],
    ['options of sentinels', (host, port) => ({ sentinels: [{ host, port }], name: 'x', password, sentinelPassword: password })],
    ['nodes of a cluster', (host, port) => ({ nodes: [{ host, port }], redisOptions: { password } })],
    ['TLS keys', (host, port) => ({ host, port, tls })],
    ['a client of one’s own', (host, port) => new Redis({ host, port, password, lazyConnect: true, retryStrategy: () => 50 }).on('error', () => undefined)],
  ])('in %s: neither errors, logs nor pictures of the objects show them', async (_name, connection) => {
    const server = await startRedis({ password: 'another' });
    onTestFinished(() => server.stop());
    const { logger, lines } = openLog();
    for (const port of [server.port, await freePort()]) {
      const given = connection(server.host, port);
      const opts = { connection: given, logger };
      const errors: unknown[] = [];
      const objects = [new Queue('q', opts), new Worker('q', () => 1, { ...opts, closeTimeout: 0, runRetryDelay: 20 }), new QueueEvents('q', opts), new FlowProducer(opts), new QueueEventsProducer('q', opts)];
      const told = new Tally<unknown>();
      for (const object of objects) (object as Queue).on('error', (error) => told.add(error));
      await told.reached(3);
      errors.push(...told.seen);
      for (const object of objects) expectNoCanary(object, password);
      expectNoCanary(objects[0]?.connection, password);
      await Promise.all(objects.map((object) => (object instanceof Worker ? object.close(true) : object.close())));
      if (given instanceof Redis) given.disconnect();
      for (const error of errors) expectNoCanary(error, password);
    }
    expect(lines.length).toBeGreaterThan(0);
    expectNoCanary(lines.join(''), password);
  }, 30_000);

  test.each([`redis//:${password}@host`, `http://:${password}@host`, `redis://u:${password}@host:99999`, `redis://u:${password}@[`])('in a URL that is refused: %#', async (url) => {
    expectNoCanary(await thrown(() => new Queue('q', { connection: url })), password);
    expectNoCanary(await thrown(() => new Queue('q', { connection: { url } })), password);
  });

  test('a server that quotes the password back', async () => {
    const { url } = await fakeServer((words) => (words[0]?.toLowerCase() === 'auth' ? `-ERR unknown command 'auth', with args beginning with: '${words.slice(1).join("' '")}'\r\n` : posingAs('redis_version:7.2.0\r\n')(words)));
    const { logger, lines } = openLog();
    const queue = openQueue({ connection: url.replace('//', `//user:${password}@`), logger });
    const told = new Tally<unknown>();
    queue.on('error', (error) => told.add(error));
    await told.reached(1);
    for (const error of told.seen) expectNoCanary(error, password);
    expectNoCanary(lines.join(''), password);
  });
});

test('a queue of Bull’s kind does not show its password either', async () => {
  const url = new URL(redisUrl);
  const queue = new BullQueue(uniqueName(), { redis: { host: url.hostname, port: Number(url.port), password, lazyConnect: true } });
  queue.on('error', () => undefined);
  expectNoCanary(queue, password);
  await queue.close();
});

describe('job data', () => {
  test.each<[string, string]>([
    ['refuses', '-ERR no\r\n'], ['is out of memory', '-OOM command not allowed\r\n'], ['denies', '-NOPERM no\r\n'], ['is busy', '-BUSY script\r\n'],
    ['forgets scripts', '-NOSCRIPT no\r\n'], ['answers nonsense', bulk('what')], ['hangs', ''],
  ])('is not in the error of a call that the server %s', async (_name, reply) => {
    const { url } = await fakeServer((words) => (/^(?:evalsha|script|hset)$/i.test(words[0] ?? '') ? reply : posingAs('redis_version:7.2.0\r\n')(words)));
    const { logger, lines } = openLog();
    const queue = openQueue({ connection: { url, commandTimeout: 200 }, logger });
    queue.on('error', (error) => expectNoCanary(error, payload));
    const calls = [
      () => queue.add('a', { payload }), () => queue.addBulk([{ name: 'a', data: payload, opts: { delay: 5 } }]), () => queue.updateJobProgress('x', { payload }),
      () => queue.addJobLog('x', payload), () => queue.upsertJobScheduler('s', { every: 5_000 }, { data: { payload } }),
    ];
    for (const error of await Promise.all(calls.map(thrown))) {
      expect(error).toBeInstanceOf(Error);
      expectNoCanary(error, payload);
    }
    expectNoCanary(lines.join(''), payload);
  });

  test('is not in the error of data that is refused', async () => {
    const queue = openQueue();
    const cyclic: Record<string, unknown> = { payload };
    cyclic['self'] = cyclic;
    for (const data of [cyclic, { payload, fn: () => payload }, [payload, Symbol('x')], payload.repeat(1 << 20)]) expectNoCanary(await thrown(() => queue.add('a', data)), payload);
    expectNoCanary(await thrown(() => queue.add('a', payload, { sizeLimit: 3 })), payload);
  });

  test('is not in logs, errors or pictures while jobs run, fail, stall and are damaged', async () => {
    const { logger, lines } = openLog();
    const queue = openQueue({ logger });
    const redis = openRedis();
    const errors: unknown[] = [];
    queue.on('error', (error) => errors.push(error));
    const jobs = await queue.addBulk(['good', 'bad', 'unstorable', 'cut', 'doubled'].map((name) => ({ name, data: { payload } })));
    const [, , , cut, doubled] = jobs;
    const column = queue.toKey('job');
    const of = async (job: Job | undefined): Promise<Buffer> => (await redis.hgetBuffer(column, job?.id ?? '')) ?? Buffer.alloc(0);
    await redis.hset(column, cut?.id ?? '', (await of(cut)).subarray(0, -2));
    await redis.hset(column, doubled?.id ?? '', Buffer.concat([await of(doubled), await of(doubled)]));
    errors.push(await thrown(() => queue.getJob(cut?.id ?? '')), await thrown(() => queue.getJob(doubled?.id ?? '')));
    const worker = openWorker(queue, async (job) => {
      await job.log(payload);
      await job.updateProgress({ payload });
      if (job.name === 'bad') throw new Error('no data in here');
      return job.name === 'unstorable' ? { payload, fn: () => 1 } : { payload };
    }, { logger });
    worker.on('error', (error) => errors.push(error));
    worker.on('failed', (_job, error) => errors.push(error));
    await until('all have ended', async () => (await queue.getJobCountByTypes('completed', 'failed')) === 5);
    expect(errors.length).toBeGreaterThanOrEqual(6);
    for (const error of errors) expectNoCanary(error, payload);
    for (const object of [queue, worker, queue.connection]) expectNoCanary(object, payload);
    expect(lines.length).toBeGreaterThan(0);
    expectNoCanary(lines.join(''), payload);
  });

  test('is in events only where an event carries it: the result and the progress', async () => {
    const queue = openQueue();
    const events = new QueueEvents(queue.name, { connection: redisUrl });
    onTestFinished(() => events.close());
    const seen = new Tally<[string, unknown]>();
    for (const event of ['added', 'waiting', 'active', 'failed', 'delayed', 'removed', 'stalled', 'completed'] as const) events.on(event as 'added', (args) => seen.add([event, args]));
    await events.waitUntilReady();
    const worker = openWorker(queue, () => 'fine');
    await queue.add('a', { payload }, { deduplication: { id: uniqueName() } });
    await until('it is done', () => seen.seen.some(([event]) => event === 'completed'));
    for (const [, args] of seen.seen) expectNoCanary(args, payload);
    await worker.close();
  });
});
