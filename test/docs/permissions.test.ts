import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { FlowProducer, Queue, QueueEvents, RedisError, Worker, type QueueOptions } from 'drover';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { uniqueName } from '../support/behaviour.js';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis } from '../support/servers/start-redis.js';
import { readPage, root } from './documents.js';

/** The users that docs/redis-layout.md makes, on a server of their own: each does its work with nothing else allowed. */

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedis({ name: 'permissions' });
  admin = server.connect();
  const users = readPage('docs/redis-layout.md').matchAll(/^ACL SETUSER (.+)$/gm);
  for (const [, rule = ''] of users) await admin.call('ACL', 'SETUSER', ...rule.split(' '));
});

afterAll(() => server.stop());

const as = (role: string): QueueOptions => ({ connection: `redis://drover-${role}:secret@127.0.0.1:${server.port}` });

/** What was refused since the last call, but for the courtesy of naming the client library. */
async function denied(): Promise<string[]> {
  const log = (await admin.call('ACL', 'LOG')) as unknown[][];
  await admin.call('ACL', 'LOG', 'RESET');
  return log.map((entry) => entry.map(String).join(' ')).filter((entry) => !entry.includes('setinfo'));
}

function open<T extends { close(force?: boolean): Promise<unknown> }>(closable: T): T {
  onTestFinished(async () => void (await closable.close(true)));
  return closable;
}

describe('the documented permissions suffice', () => {
  test('for a producer, a worker, an observer and an operator together', async () => {
    const name = uniqueName('acl');
    const errors: Error[] = [];
    const note = (error: Error): void => void errors.push(error);
    const observer = open(new QueueEvents(name, as('observer'))).on('error', note);
    await observer.waitUntilReady();
    const completed = new Promise((resolve) => observer.on('completed', resolve));

    const producer = open(new Queue(name, as('producer'))).on('error', note);
    await producer.addBulk([
      { name: 'good', data: 1 },
      { name: 'later', data: 2, opts: { delay: 20, priority: 3, deduplication: { id: 'd' } } },
      { name: 'bad', data: 3, opts: { attempts: 2, backoff: 10 } },
    ]);
    await producer.upsertJobScheduler('every', { every: 3_600_000, limit: 2 }, { name: 'scheduled' });
    const flows = open(new FlowProducer(as('producer'))).on('error', note);
    const tree = await flows.add({ name: 'parent', queueName: name, children: [{ name: 'child', queueName: name }] });
    expect((await flows.getFlow({ queueName: name, id: tree.job.id }))?.children).toHaveLength(1);

    const worker = open(new Worker(name, async (job) => {
      await job.updateProgress(50);
      await job.log('a row');
      if (job.name === 'bad') throw new Error('bad');
      return job.data as unknown;
    }, { ...as('worker'), limiter: { max: 100, duration: 1000 }, deadLetter: { queue: `${name}-dead` } })).on('error', note);
    await completed;

    const reader = open(new Queue(name, as('observer'))).on('error', note);
    await expect.poll(() => reader.getJobCounts('completed', 'failed', 'delayed', 'waiting', 'active', 'prioritized'), { timeout: 10_000 })
      .toEqual({ completed: 5, failed: 0, delayed: 0, waiting: 0, active: 0, prioritized: 0 });
    const dead = open(new Queue(`${name}-dead`, as('observer'))).on('error', note);
    expect((await dead.getWaiting())[0]?.attemptHistory).toHaveLength(2);
    expect(await reader.getJobSchedulers()).toHaveLength(1);
    await worker.close();

    const operator = open(new Queue(name, as('operator'))).on('error', note);
    await operator.pause();
    await operator.retryJobs({ state: 'completed' });
    await operator.drain(true);
    await operator.setGlobalConcurrency(3);
    await operator.clean(0, 0);
    await operator.obliterate();
    const letters = open(new Queue(`${name}-dead`, as('operator'))).on('error', note);
    expect(await letters.redrive()).toBe(1);
    await letters.obliterate();
    await operator.obliterate();
    expect(await admin.keys('*')).toEqual([]);
    expect(errors).toEqual([]);
    expect(await denied()).toEqual([]);
  });

  test('and keep an observer from changing anything', async () => {
    const observer = open(new Queue(uniqueName('acl'), as('observer')));
    await expect(observer.add('job', 1)).rejects.toBeInstanceOf(RedisError);
    expect(await admin.keys('*')).toEqual([]);
  });
});

const page = readPage('docs/scripts.md');
/** Per script who runs it besides operators, and the commands in it, as docs/scripts.md has them from the Lua. */
const scripts = [...page.matchAll(/^\| \[([a-z-]+)\]\(#.*\| ([a-z, –]+) \|$/gm)].map(([, verb = '', callers = '']) => ({
  callers: [...callers.split(', '), 'operator'],
  commands: new RegExp(`^## ${verb}$[\\s\\S]*?^Redis commands: (.*)\\.$`, 'm').exec(page)?.[1]?.split(', ').map((name) => name.slice(1, -1).replace(' ', '|')) ?? [],
}));
const source = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('lua.generated.ts')).map((file) => readFileSync(join(root, 'src', file), 'utf8')).join('\n');
/** Whether the source sends it outside of scripts: by its name in quotes, as a method of the client, or as an option of it. */
const isSent = (command: string): boolean => (command === 'client|setname' && source.includes('connectionName')) || command.split('|').every((word) => new RegExp(`'${word}'|\\.${word}(Buffer)?\\(`, 'i').test(source));
const granted = (role: string): string[] => [...(new RegExp(`^ACL SETUSER drover-${role} .*$`, 'm').exec(readPage('docs/redis-layout.md'))?.[0] ?? '').matchAll(/ \+(\S+)/g)].map(([, name = '']) => name);

describe('nothing is permitted that is not needed', () => {
  test.each(['producer', 'worker', 'observer', 'operator'])('to a %s: one of its scripts uses it, or the source sends it', (role) => {
    const inScripts = new Set(scripts.filter(({ callers }) => callers.includes(role)).flatMap(({ commands }) => commands));
    expect(granted(role).length).toBeGreaterThan(20);
    expect(scripts.length).toBeGreaterThan(25);
    expect(granted(role).filter((command) => !inScripts.has(command) && !isSent(command))).toEqual([]);
  });

  test.each<[role: string, what: string, commands: string[], call: (queue: Queue) => Promise<unknown>]>([
    ['producer', 'add', ['evalsha', 'time', 'hmget', 'hget', 'hset', 'zadd', 'zrevrangebyscore', 'xadd'], (queue) => queue.add('job', 1)],
    ['producer', 'upsertJobScheduler', ['zadd', 'zscore'], (queue) => queue.upsertJobScheduler('s', { every: 3_600_000 })],
    ['observer', 'getJobCounts', ['zcard'], (queue) => queue.getJobCounts('completed')],
    ['operator', 'pause', ['hset', 'xadd'], (queue) => queue.pause()],
    ['operator', 'trimEvents', ['xtrim'], (queue) => queue.trimEvents(0)],
    ['operator', 'drain', ['zrangebyscore', 'zrem', 'hdel'], async (queue) => {
      await admin.zadd(queue.toKey('wait'), 1, 'x');
      return queue.drain();
    }],
    ['worker', 'updateProgress', ['evalsha', 'hexists', 'hset', 'xadd'], async (queue) => {
      await admin.hset(queue.toKey('job'), 'x', '');
      return queue.updateJobProgress('x', 1);
    }],
  ])('a %s needs for %s: %s', async (role, _what, commands, call) => {
    const queue = open(new Queue(uniqueName('acl'), as(role)));
    queue.on('error', () => undefined);
    for (const command of commands) {
      await admin.call('ACL', 'SETUSER', `drover-${role}`, `-${command}`);
      try {
        await expect(call(queue), command).rejects.toMatchObject({ name: 'RedisError', code: 'REDIS_DENIED' });
      } finally {
        await admin.call('ACL', 'SETUSER', `drover-${role}`, `+${command}`);
      }
    }
    await call(queue);
    await admin.flushall();
  });
});
