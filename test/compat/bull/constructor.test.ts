import { describe, expect, onTestFinished, test } from 'vitest';
import { Redis } from 'ioredis';
import Bull from 'drover/bull';
import * as everything from 'drover/bull';
import { redisUrl, uniqueName } from '../../support/behaviour.js';
import { openBull } from './support.js';

const { hostname: host, port } = new URL(redisUrl);
const redis = { host, port: Number(port) };

function closing<T extends Bull.Queue>(queue: T): T {
  onTestFinished(() => queue.close(true));
  return queue;
}

describe('Bull', () => {
  test('is called with and without new', async () => {
    for (const queue of [new Bull('a', redisUrl), Bull('a', redisUrl)]) {
      expect(closing(queue)).toBeInstanceOf(Bull);
      expect(await queue.isReady()).toBe(queue);
    }
  });

  test('is what require answers', () => {
    const { 'module.exports': required } = everything as unknown as Record<string, unknown>;
    expect(required).toBe(Bull);
    expect(Bull.default).toBe(Bull);
  });

  test('is extended by classes', () => {
    class Mail extends Bull {
      greet(): string {
        return `I am ${this.name}`;
      }
    }
    const mail = closing(new Mail('mail', redisUrl));
    expect(mail.greet()).toBe('I am mail');
    expect(mail).toBeInstanceOf(Bull);
  });

  test('has statics', () => {
    expect(Bull.Job.DEFAULT_JOB_NAME).toBe('__default__');
    expect(Bull.ErrorMessages.RETRY_JOB_NOT_EXIST).toBe("Couldn't retry job: The job doesn't exist");
    expect(Bull.utils.MetricsTime.ONE_HOUR).toBe(60);
  });
});

describe('the address of Redis', () => {
  test.each<[string, () => Bull.Queue]>([
    ['a URL', () => new Bull('a', redisUrl)],
    ['a URL and options', () => new Bull('a', `redis://127.0.0.1:1`, { redis })],
    ['options', () => new Bull('a', { redis })],
    ['a URL among the options', () => new Bull('a', { redis: redisUrl })],
    ['a URL with a query', () => new Bull('a', `${redisUrl}/0?connectTimeout=1000`)],
  ])('is %s', async (_kind, open) => {
    const queue = closing(open());
    await queue.isReady();
    expect(await queue.client.ping()).toBe('PONG');
  });

  test('names a database, user and password', () => {
    const queue = closing(new Bull('a', 'redis://me:se%3Acret@127.0.0.1:1/3', { redis: { lazyConnect: true } }));
    expect(queue.client.options).toMatchObject({ host: '127.0.0.1', port: 1, db: 3, username: 'me', password: 'se:cret' });
  });

  test('is the local host by default', () => {
    const queue = closing(new Bull('a', { redis: { lazyConnect: true } }));
    expect(queue.client.options).toMatchObject({ host: '127.0.0.1', port: 6379 });
  });
});

describe('createClient', () => {
  test('opens the client that the queue works with, which stays the user’s', async () => {
    const asked: string[] = [];
    const client = new Redis(redisUrl, { maxRetriesPerRequest: null, enableReadyCheck: false });
    onTestFinished(() => client.disconnect());
    const queue = new Bull(uniqueName(), { redis, createClient: (type, opts) => {
      asked.push(`${type} ${opts?.port}`);
      return client;
    } });
    void queue.process(async () => 'done');
    expect(await (await queue.add({})).finished()).toBe('done');
    expect(queue.client).toBe(client);
    expect(queue.clients).toEqual([]);
    await queue.obliterate({ force: true });
    await queue.close();
    expect(await client.ping()).toBe('PONG');
    expect(asked).toEqual([`client ${port}`]);
  });

  test('is asked for the other clients when their properties are read', () => {
    const asked: string[] = [];
    const queue = closing(new Bull('a', { createClient: (type) => {
      asked.push(type);
      return new Redis({ lazyConnect: true, maxRetriesPerRequest: null, enableReadyCheck: false });
    } }));
    expect(queue.bclient).toBe(queue.bclient);
    expect(queue.eclient).not.toBe(queue.bclient);
    expect(asked).toEqual(['client', 'bclient', 'subscriber']);
  });

  test('may not give a blocking client that is impatient', () => {
    const queue = closing(new Bull('a', { createClient: () => new Redis({ lazyConnect: true, maxRetriesPerRequest: 3 }) }));
    expect(() => queue.bclient).toThrow('Using a redis instance with enableReadyCheck or maxRetriesPerRequest for bclient/subscriber is not permitted');
  });
});

describe('options', () => {
  test('must be an object', () => {
    expect(() => new Bull('a', redisUrl, 5 as unknown as Bull.QueueOptions)).toThrow(new TypeError('Options must be a valid object'));
  });

  test('refuse half a limiter', () => {
    expect(() => new Bull('a', redisUrl, { limiter: { max: 5 } as Bull.RateLimiter })).toThrow(new TypeError('Limiter requires `max` and `duration` options'));
  });

  test('have Bull’s settings as defaults', () => {
    expect(openBull().settings).toEqual({
      lockDuration: 30_000, lockRenewTime: 15_000, stalledInterval: 30_000, maxStalledCount: 1, guardInterval: 5_000,
      retryProcessDelay: 5_000, drainDelay: 5, backoffStrategies: {}, isSharedChildPool: false,
    });
    expect(openBull({ settings: { lockDuration: 5_000 } }).settings.lockRenewTime).toBe(2_500);
  });
});

describe('names', () => {
  test('keys begin with the prefix, bull by default', () => {
    const queue = openBull({}, 'mail');
    expect(queue.toKey('wait')).toBe('{bull:mail}:wait');
    expect(queue.keys['delayed']).toBe('{bull:mail}:delayed');
    expect(openBull({ prefix: 'mine' }, 'mail').toKey('')).toBe('{mine:mail}:');
    expect(openBull({ redis: { keyPrefix: 'theirs' } }, 'mail').toKey('')).toBe('{theirs:mail}:');
  });

  test('a hash tag for Redis Cluster is not needed, and taken', () => {
    expect(openBull({ prefix: '{mine}' }, 'mail').toKey('wait')).toBe('{mine:mail}:wait');
  });

  test('clients carry prefix and name', async () => {
    const queue = openBull({}, uniqueName('workers'));
    expect(queue.base64Name()).toBe(Buffer.from(queue.name).toString('base64'));
    expect(queue.clientName()).toBe(`bull:${queue.base64Name()}`);
    expect(queue.parseClientList(`id=1 addr=1.2.3.4:5 name=${queue.clientName()} age=3\nid=2 name=other\n`)).toEqual([
      { id: '1', addr: '1.2.3.4:5', name: queue.name, age: '3' },
    ]);
    await queue.setWorkerName();
    expect(await queue.getWorkers()).toEqual([]);
    const drained = new Promise<void>((resolve) => void queue.on('drained', resolve));
    void queue.process(async () => undefined);
    await queue.add({});
    await drained;
    await expect.poll(() => queue.getWorkers()).toMatchObject([{ name: queue.name, rawname: queue.clientName() }]);
  });

  test('a transaction runs on the queue’s client', async () => {
    const queue = openBull();
    expect(await queue.multi().ping().echo('a').exec()).toEqual([[null, 'PONG'], [null, 'a']]);
  });
});
