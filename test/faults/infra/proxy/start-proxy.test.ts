import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RedisServer } from '../../../support/servers/redis-server.js';
import { startRedis } from '../../../support/servers/start-redis.js';
import { until } from '../../../support/servers/until.js';
import { redisErrors } from './redis-errors.js';
import { startProxy, type Proxy } from './start-proxy.js';

const settle = "return redis.call('INCR', KEYS[1])";
const sha = createHash('sha1').update(settle).digest('hex');

let server: RedisServer;
let direct: Redis;
let proxy: Proxy;
const clients: Redis[] = [];

/** A client that reports every failure at once, and neither resends nor hides anything. */
function open(options: RedisOptions = {}): Redis {
  const honest = { autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0, retryStrategy: () => null };
  const client = new Redis({ host: proxy.host, port: proxy.port, ...honest, ...options });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

async function ready(options?: RedisOptions): Promise<Redis> {
  const client = open(options);
  await client.ping();
  return client;
}

const run = (client: Redis, key: string): Promise<unknown> => client.evalsha(sha, 1, key);
const outcome = (call: Promise<unknown>): Promise<unknown> => call.catch((error: Error) => `${error.name}: ${error.message}`);
const lost = expect.stringMatching(/closed|ECONNRESET|MaxRetries/i) as string;

beforeAll(async () => {
  server = await startRedis();
  direct = server.connect();
  await direct.script('LOAD', settle);
});

afterAll(() => server.stop());

async function fresh(): Promise<void> {
  proxy = await startProxy({ target: server, seed: 1, scripts: { [sha]: 'settle' } });
  await direct.flushall();
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  await proxy.stop();
});

describe.each([2, 3] as const)('the proxy under RESP%i', (protocol) => {
  it('passes what no rule is about, and counts it', async () => {
    await fresh();
    const client = await ready({ protocol });
    const value = Buffer.alloc(3_000_000, 'x');
    await client.set('big', value);
    expect((await client.getBuffer('big'))?.equals(value)).toBe(true);
    expect(await client.multi().incr('n').incr('n').exec()).toEqual([[null, 1], [null, 2]]);
    expect(await client.hgetall('none')).toEqual({});
    expect(await run(client, 'n')).toBe(3);
    expect([proxy.log.requests('settle'), proxy.log.requests('incr')]).toEqual([1, 2]);
  });

  it('drops a request before Redis sees it, after all earlier replies', async () => {
    await fresh();
    const client = await ready({ protocol });
    proxy.rule({ when: { script: 'settle', nth: 3 }, then: 'dropRequest' });
    const calls = Array.from({ length: 5 }, () => outcome(run(client, 'n')));
    expect(await Promise.all(calls)).toEqual([1, 2, lost, lost, lost]);
    expect(await direct.get('n')).toBe('2');
    expect(proxy.log.toJSON().faults).toEqual({ dropRequest: { settle: 1 } });
  });

  it('drops a reply after Redis has done the work', async () => {
    await fresh();
    const client = await ready({ protocol });
    proxy.rule({ when: { command: 'evalsha', script: 'settle', nth: 3 }, then: 'dropReply' });
    expect([await run(client, 'n'), await run(client, 'n'), await outcome(run(client, 'n'))]).toEqual([1, 2, lost]);
    expect(await direct.get('n')).toBe('3');
    expect(proxy.log.count('dropReply', 'settle')).toBe(1);
  });

  it('cuts a request at every byte: Redis does nothing unless it got the last', async () => {
    await fresh();
    const { length } = request('evalsha', sha, '1', 'n');
    for (let at = 0; at <= length; at += 1) {
      proxy.rule({ when: { script: 'settle' }, then: 'cutRequest', at, times: 1 });
      const client = await ready({ protocol });
      expect(await outcome(run(client, 'n'))).toEqual(lost);
      if (at === length) await until('Redis got the whole request', async () => (await direct.get('n')) === '1');
      else expect(await direct.get('n')).toBeNull();
    }
  });

  it('cuts a reply at every byte: the client learns nothing unless it got the line end', async () => {
    await fresh();
    const { length } = ':1\r\n';
    for (let at = 0; at <= length; at += 1) {
      proxy.rule({ when: { script: 'settle' }, then: 'cutReply', at, times: 1 });
      const client = await ready({ protocol });
      // ioredis takes an integer for complete at its CR.
      expect(await outcome(run(client, `n${at}`))).toEqual(at >= length - 1 ? 1 : lost);
      expect(await direct.get(`n${at}`)).toBe('1');
    }
  });

  it('puts an error in the place of a reply, in order, unseen by Redis', async () => {
    await fresh();
    const client = await ready({ protocol });
    proxy.rule({ when: { script: 'settle', nth: 2 }, then: 'error', error: redisErrors.READONLY });
    const calls = [run(client, 'n'), run(client, 'n'), run(client, 'n'), client.get('n')].map(outcome);
    expect(await Promise.all(calls)).toEqual([1, `ReplyError: ${redisErrors.READONLY}`, 2, '2']);
  });

  it('puts an error in the place of a reply to what was done', async () => {
    await fresh();
    const client = await ready({ protocol });
    proxy.rule({ when: { script: 'settle', nth: 2 }, then: 'error', error: redisErrors.BUSY, executed: true });
    const calls = [run(client, 'n'), run(client, 'n'), run(client, 'n')].map(outcome);
    expect(await Promise.all(calls)).toEqual([1, `ReplyError: ${redisErrors.BUSY}`, 3]);
  });

  it('knows replies from messages between them', async () => {
    await fresh();
    const client = await ready({ protocol });
    const heard: string[] = [];
    client.on('message', (channel, message) => heard.push(`${channel} ${message}`));
    expect(await client.subscribe('a', 'b')).toBe(2);
    await direct.publish('a', 'one');
    await until('the message has come', () => heard.length === 1);
    await client.unsubscribe();
    proxy.rule({ when: { script: 'settle', nth: 2 }, then: 'dropReply' });
    expect([await run(client, 'n'), await outcome(run(client, 'n'))]).toEqual([1, lost]);
    expect(await direct.get('n')).toBe('2');
  });

  it('sees blocking commands and drops what they took', async () => {
    await fresh();
    const client = await ready({ protocol });
    const rule = proxy.rule({ when: { command: 'bzpopmin' }, then: 'dropReply' });
    const pop = outcome(client.bzpopmin('z', 5));
    await rule.fired();
    await direct.zadd('z', 1, 'a');
    expect(await pop).toEqual(lost);
    expect(await direct.zcard('z')).toBe(0);
  });
});

describe('the proxy', () => {
  it('delays a request and whatever comes after it', async () => {
    await fresh();
    const client = await ready();
    proxy.rule({ when: { script: 'settle', nth: 1 }, then: 'delayRequest', ms: 60_000 });
    const late = outcome(run(client, 'n'));
    const behind = outcome(client.set('m', '1'));
    expect(await direct.mget('n', 'm')).toEqual([null, null]);
    proxy.cutAll();
    expect(await Promise.all([late, behind])).toEqual([lost, lost]);
    expect(await direct.mget('n', 'm')).toEqual([null, null]);
  });

  it('delays replies for at least the time drawn', async () => {
    await fresh();
    const client = await ready();
    proxy.rule({ when: { script: 'settle' }, then: 'delayReply', ms: [20, 40] });
    const began = performance.now();
    expect(await Promise.all([run(client, 'n'), run(client, 'n'), client.get('n')])).toEqual([1, 2, '2']);
    expect(performance.now() - began).toBeGreaterThanOrEqual(19);
  });

  it.each(['trickleRequest', 'trickleReply'] as const)('lets bytes through in drops (%s)', async (then) => {
    await fresh();
    const client = await ready();
    proxy.rule({ when: { command: 'echo' }, then, bytes: 3, everyMs: 1 });
    expect(await Promise.all([client.echo('a slow thing'), client.ping()])).toEqual(['a slow thing', 'PONG']);
    expect(proxy.log.count(then)).toBe(1);
  });

  it('black-holes existing connections while new ones work, and delivers when healed', async () => {
    await fresh();
    const [old] = [await ready()];
    expect(proxy.blackhole({ existing: true })).toBe(1);
    const stuck = run(old, 'n');
    const young = await ready();
    expect(await young.get('n')).toBeNull();
    await proxy.heal();
    expect(await stuck).toBe(1);
  });

  it('black-holes one way only', async () => {
    await fresh();
    const client = await ready();
    proxy.blackhole({ direction: 'replies' });
    let answered = false;
    const stuck = run(client, 'n').then((reply) => ((answered = true), reply));
    await until('Redis has done the work', async () => (await direct.get('n')) === '1');
    expect(answered).toBe(false);
    await proxy.heal();
    expect(await stuck).toBe(1);
  });

  it('keeps the socket to Redis open though the client of a black-holed connection has gone', async () => {
    await fresh();
    const client = await ready();
    await client.client('SETNAME', 'ghost');
    proxy.blackhole();
    client.disconnect();
    await new Promise<void>((resolve) => client.once('end', resolve));
    expect(await direct.client('LIST')).toContain('name=ghost');
    await proxy.heal({ silent: 'cut' });
    await until('Redis has noticed', async () => !String(await direct.client('LIST')).includes('name=ghost'));
  });

  it('black-holes connections to come', async () => {
    await fresh();
    proxy.blackhole({ existing: false, future: true });
    const client = open({ lazyConnect: true, connectTimeout: 100, commandTimeout: 100 });
    expect(await outcome(client.connect())).not.toBe(undefined);
    await proxy.heal();
    expect(await (await ready()).ping()).toBe('PONG');
  });

  it('black-holes a connection from a request on', async () => {
    await fresh();
    const client = await ready();
    const rule = proxy.rule({ when: { script: 'settle', nth: 2 }, then: 'blackhole', direction: 'replies' });
    expect(await run(client, 'n')).toBe(1);
    const stuck = outcome(run(client, 'n'));
    await rule.fired();
    await until('Redis has done the work', async () => (await direct.get('n')) === '2');
    await proxy.heal({ silent: 'cut' });
    expect(await stuck).toEqual(lost);
  });

  it('refuses new connections and keeps the old', async () => {
    await fresh();
    const old = await ready();
    proxy.refuse();
    const refused = connect(proxy.port, proxy.host);
    const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
    expect(await old.ping()).toBe('PONG');
    await proxy.heal();
    expect(await (await ready()).ping()).toBe('PONG');
  });

  it('cuts all connections', async () => {
    await fresh();
    const both = [await ready(), await ready()];
    expect(proxy.cutAll()).toBe(2);
    expect(await Promise.all(both.map((client) => outcome(client.ping())))).toEqual([lost, lost]);
    await until('both are gone', () => proxy.connections === 0);
  });

  it('draws the same faults from the same seed', async () => {
    await fresh();
    const patterns: unknown[] = [];
    for (const seed of [7, 7, 8]) {
      await proxy.stop();
      proxy = await startProxy({ target: server, seed, scripts: { [sha]: 'settle' } });
      const client = await ready();
      proxy.rule({ when: { script: 'settle', probability: 0.5 }, then: 'error', error: redisErrors.OOM });
      const replies = await Promise.all(Array.from({ length: 40 }, () => outcome(run(client, 'n'))));
      patterns.push(replies.map((reply) => typeof reply));
    }
    expect(patterns[0]).toEqual(patterns[1]);
    expect(patterns[0]).not.toEqual(patterns[2]);
  });

  it('counts each rule by itself and lets the first that is due decide', async () => {
    await fresh();
    const client = await ready();
    const every = proxy.rule({ when: { command: 'evalsha', every: 2 }, then: 'error', error: redisErrors.BUSY });
    proxy.rule({ when: { script: 'settle' }, times: 2, then: 'error', error: redisErrors.LOADING });
    const replies = await Promise.all(Array.from({ length: 6 }, () => outcome(run(client, 'n'))));
    expect(replies.map((reply) => String(reply).split(' ')[1] ?? reply)).toEqual(['LOADING', 'BUSY', 'LOADING', 'BUSY', 1, 'BUSY']);
    expect([every.matches, every.hits]).toEqual([6, 3]);
    every.remove();
    expect(await run(client, 'n')).toBe(2);
  });

  it('understands requests in one line, and MONITOR', async () => {
    await fresh();
    const socket = connect(proxy.port, proxy.host);
    socket.on('error', () => undefined);
    proxy.rule({ when: { command: 'get' }, then: 'error', error: 'ERR replaced' });
    socket.write('\r\nSET a 1\r\nGET a\r\nPING\r\nMONITOR\r\n');
    expect(await readUntil(socket, /PONG\r\n\+OK\r\n/)).toBe('+OK\r\n-ERR replaced\r\n+PONG\r\n+OK\r\n');
    // Listens before it happens: what arrives while nobody listens is lost.
    const seen = readUntil(socket, /seen/);
    await direct.set('seen', '1');
    expect(await seen).toContain('"set" "seen"');
    socket.destroy();
  });

  it('closes with Redis and with the client', async () => {
    await fresh();
    const client = await ready();
    const id = await client.client('ID');
    await direct.client('KILL', 'ID', id);
    expect(await outcome(client.ping())).toEqual(lost);
    const other = await ready();
    await other.client('SETNAME', 'leaver');
    other.disconnect();
    await until('Redis has noticed', async () => !String(await direct.client('LIST')).includes('leaver'));
    await until('the proxy has noticed', () => proxy.connections === 0);
  });
});

function request(...parts: string[]): Buffer {
  return Buffer.from(`*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`);
}

async function readUntil(socket: Socket, end: RegExp): Promise<string> {
  let text = '';
  const collect = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  socket.on('data', collect);
  await until(`the reply matches ${end}`, () => end.test(text));
  socket.off('data', collect);
  return text;
}
