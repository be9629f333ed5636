import { describe, expect, onTestFinished, test } from 'vitest';
import { DroverError, type Job, type Queue, type Worker } from 'drover';
import { addNumbered, finished, gate, idleWorkers, once, openQueue, openWorker, refusal, Tally, tallyOf } from '../support/behaviour.js';
import { freePort } from '../support/servers/free-port.js';
import { type RedisServer } from '../support/servers/redis-server.js';
import { startRedis, type StartRedisOptions } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';
import { bulk, fakeServer, posingAs } from './fake-server.js';

async function ownServer(options: StartRedisOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  return server;
}

const at = ({ host, port }: RedisServer): { host: string; port: number } => ({ host, port });

/** Swallows the errors that a fault makes a queue or worker report; answers them. */
function errorsOf(emitter: Queue | Worker): Tally<Error> {
  const errors = new Tally<Error>();
  (emitter as Worker).on('error', (error: Error) => errors.add(error));
  return errors;
}

describe('Redis away', () => {
  test('at the start: add rejects at its deadline, and is not written later when Redis comes', async () => {
    const server = await ownServer();
    await server.kill9();
    const queue = openQueue({ connection: at(server) });
    const errors = errorsOf(queue);
    const refused = await refusal(() => queue.add('a', 1));
    expect(refused).toMatchObject({ code: 'REDIS_UNAVAILABLE', outcomeKnown: true });
    expect(errors.seen.length).toBeGreaterThan(0);
    expect(errors.seen[0]).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    await server.start();
    const next = await queue.add('b', 2);
    expect((await queue.getWaiting()).map((job) => job.id)).toEqual([next.id]);
  }, 40_000);

  test('at the start: many batches wait for one deadline, not one after the other', async () => {
    const port = await freePort();
    const queue = openQueue({ connection: { host: '127.0.0.1', port } });
    errorsOf(queue);
    const outcomes = await Promise.all(Array.from({ length: 3 }, (_, i) => addNumbered(queue, 1_000, { priority: i }).catch((error: { code?: string }) => error.code)));
    expect(outcomes).toEqual(Array(3).fill('REDIS_UNAVAILABLE'));
  }, 18_000);

  test('at the start: a worker begins when it comes', async () => {
    const server = await ownServer();
    await server.kill9();
    const worker = openWorker('later', () => 'ran', { connection: at(server), runRetryDelay: 50 });
    const errors = errorsOf(worker);
    await errors.reached(1);
    expect(errors.seen[0]).toMatchObject({ code: 'REDIS_UNAVAILABLE' });
    const ready = once(worker, 'ready');
    await server.start();
    await ready;
    const queue = openQueue({ connection: at(server) }, 'later');
    const job = await queue.add('a', 1);
    expect((await finished(worker, job.id)).returnvalue).toBe('ran');
  }, 40_000);

  test('for a while: a call that waits is answered when it is back', async () => {
    const server = await ownServer({ appendonly: 'always' });
    const queue = openQueue({ connection: at(server) });
    errorsOf(queue);
    await queue.add('before', 0);
    await server.kill9();
    const adding = queue.add('during', 1);
    await server.start();
    await adding;
    expect((await queue.getWaiting()).map((job) => job.name)).toEqual(['before', 'during']);
  }, 40_000);

  test('for a while: workers go on, and what ended meanwhile is settled once', async () => {
    const server = await ownServer({ appendonly: 'always' });
    const queue = openQueue({ connection: at(server) });
    errorsOf(queue);
    const end = gate<string>();
    const worker = openWorker(queue, () => end.promise, { runRetryDelay: 50, lockDuration: 60_000 });
    errorsOf(worker);
    const [active, done] = [tallyOf('active', worker), tallyOf('completed', worker)];
    const job = await queue.add('a', 1);
    await active.reached(1);
    await server.kill9();
    end.open('ended while Redis was away');
    await server.start();
    await done.reached(1);
    expect(await queue.getJob(job.id)).toMatchObject({ returnvalue: 'ended while Redis was away', attemptsMade: 1 });
    const next = await queue.add('b', 2);
    await done.reached(2);
    expect(done.seen[1]?.id).toBe(next.id);
  }, 40_000);

  test('close still ends, with nothing running', async () => {
    const server = await ownServer();
    const queue = openQueue({ connection: at(server) });
    const worker = openWorker(queue, () => undefined, { closeTimeout: 3_600_000 });
    errorsOf(queue);
    errorsOf(worker);
    await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
    await server.kill9();
    await Promise.all([worker.close(), queue.close()]);
  }, 25_000);
});

describe('connections that are killed', () => {
  test('work goes on, and each job runs', async () => {
    const server = await ownServer();
    const queue = openQueue({ connection: at(server) });
    errorsOf(queue);
    const worker = openWorker(queue, () => undefined, { concurrency: 5, runRetryDelay: 50 });
    errorsOf(worker);
    const done = tallyOf('completed', worker);
    const control = await server.control();
    const ids: string[] = [];
    for (let round = 0; round < 8; round++) {
      const adding = addNumbered(queue, 50);
      await control.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      ids.push(...(await adding).map((job) => job.id));
    }
    await done.reached(400);
    expect(new Set(done.seen.map((job) => job.id))).toEqual(new Set(ids));
    expect(await queue.getJobCounts('completed', 'waiting', 'active')).toEqual({ completed: 400, waiting: 0, active: 0 });
  });

  test('an idle worker wakes for the next job', async () => {
    const server = await ownServer();
    const queue = openQueue({ connection: at(server) });
    errorsOf(queue);
    const worker = openWorker(queue, () => 'ran', { drainDelay: 3_600, runRetryDelay: 50 });
    errorsOf(worker);
    for (let round = 0; round < 3; round++) {
      await until('the worker waits', async () => (await idleWorkers(queue)) === 1);
      await (await server.control()).call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      const job = await queue.add('a', round);
      await finished(worker, job.id);
    }
  });
});

describe('scripts', () => {
  test('are loaded again when the server forgets them', async () => {
    const server = await ownServer();
    const control = await server.control();
    const queue = openQueue({ connection: at(server) });
    const worker = openWorker(queue, () => undefined, { concurrency: 5 });
    const done = tallyOf('completed', worker);
    for (let round = 1; round <= 10; round++) {
      await control.script('FLUSH');
      await Promise.all(Array.from({ length: 20 }, (_, i) => queue.add('a', i)));
      await control.script('FLUSH');
      await done.reached(20 * round);
    }
    const order = (await queue.getCompleted()).length;
    expect(order).toBe(200);
  });
});

describe('out of memory', () => {
  test('add is refused with a typed error and writes nothing; running jobs still finish', async () => {
    const server = await ownServer();
    const control = await server.control();
    const queue = openQueue({ connection: at(server) });
    const ends = [gate<string>(), gate<string>()];
    const worker = openWorker(queue, async (job) => {
      const result = await ends[job.data as number]?.promise;
      if (job.data === 1) throw new Error('no');
      return result;
    }, { concurrency: 2 });
    const errors = errorsOf(worker);
    const [active, done, failed] = [tallyOf('active', worker), tallyOf('completed', worker), tallyOf('failed', worker)];
    await addNumbered(queue, 2);
    await active.reached(2);
    await control.config('SET', 'maxmemory', '1');
    const before = await control.dbsize();
    const refused = await refusal(() => queue.add('b', 'x'));
    expect(refused).toMatchObject({ code: 'REDIS_OUT_OF_MEMORY', outcomeKnown: true });
    expect(await refusal(() => queue.addBulk([{ name: 'c', data: 1, opts: { delay: 5 } }]))).toMatchObject({ code: 'REDIS_OUT_OF_MEMORY' });
    expect(await control.dbsize()).toBe(before);
    ends[0]?.open('done');
    ends[1]?.open('done');
    await until('both are settled, or Redis has refused', () => done.seen.length + failed.seen.length === 2 || errors.seen.length > 0, { timeoutMs: 20_000 });
    expect([done.seen.length, failed.seen.length]).toEqual([1, 1]);
    await control.config('SET', 'maxmemory', '0');
    await queue.add('d', 0).then((job) => job.remove().catch(() => undefined));
  });

  test('what could not be settled is settled when there is room again', async () => {
    const server = await ownServer();
    const control = await server.control();
    const queue = openQueue({ connection: at(server) });
    const end = gate<string>();
    const worker = openWorker(queue, () => end.promise, { runRetryDelay: 50 });
    errorsOf(worker);
    const active = tallyOf('active', worker);
    const job = await queue.add('a', 1);
    await active.reached(1);
    await control.config('SET', 'maxmemory', '1');
    const done = finished(worker, job.id);
    end.open('result');
    await control.config('SET', 'maxmemory', '0');
    expect((await done).returnvalue).toBe('result');
  });
});

describe('a server that refuses writes', () => {
  test('a replica: REDIS_READ_ONLY', async () => {
    const primary = await ownServer();
    const replica = await ownServer({ config: { replicaof: `${primary.host} ${primary.port}` } });
    const queue = openQueue({ connection: at(replica) });
    errorsOf(queue);
    expect(await refusal(() => queue.add('a', 1))).toMatchObject({ code: 'REDIS_READ_ONLY', outcomeKnown: true });
  }, 40_000);

  test('one that cannot save: REDIS_NOT_PERSISTING', async () => {
    const server = await ownServer({ config: { save: '3600 1', 'stop-writes-on-bgsave-error': 'yes', dir: '/tmp' } });
    const control = await server.control();
    await control.set('x', 1);
    await control.config('SET', 'dbfilename', 'x.rdb').catch(() => undefined);
    const refusing = await failSaving(server);
    if (!refusing) return;
    const queue = openQueue({ connection: at(server) });
    expect(await refusal(() => queue.add('a', 1))).toMatchObject({ code: 'REDIS_NOT_PERSISTING', outcomeKnown: true });
  });

  test('one that knows another password: REDIS_DENIED', async () => {
    const server = await ownServer({ password: 'right' });
    for (const password of ['wrong', undefined]) {
      const queue = openQueue({ connection: { ...at(server), ...(password === undefined ? {} : { password }) } });
      const errors = errorsOf(queue);
      const refused = await refusal(() => queue.add('a', 1));
      expect(refused).toMatchObject({ code: 'REDIS_DENIED' });
      expect(refused.message).not.toContain('wrong password');
      expect(JSON.stringify([refused, ...errors.seen])).not.toContain('"wrong"');
      expect(await refusal(() => queue.waitUntilReady())).toMatchObject({ code: 'REDIS_DENIED' });
    }
  }, 40_000);

  test('one that forbids a command: REDIS_DENIED', async () => {
    const server = await ownServer({ users: ['poor on >pw ~* &* +@all -evalsha'] });
    const queue = openQueue({ connection: { ...at(server), username: 'poor', password: 'pw' } });
    errorsOf(queue);
    expect(await refusal(() => queue.add('a', 1))).toMatchObject({ code: 'REDIS_DENIED', outcomeKnown: true });
  });
});

describe('a server one should not use', () => {
  test('one that may evict jobs is reported, and work goes on', async () => {
    const server = await ownServer({ config: { 'maxmemory-policy': 'allkeys-lru' } });
    const queue = openQueue({ connection: at(server) });
    const worker = openWorker(queue, () => 'ran');
    const errors = [errorsOf(queue), errorsOf(worker)];
    await Promise.all(errors.map((one) => one.reached(1)));
    for (const one of errors) expect(one.seen[0]).toMatchObject({ code: 'UNSAFE_EVICTION', message: expect.stringContaining('allkeys-lru') });
    const job = await queue.add('a', 1);
    expect((await finished(worker, job.id)).returnvalue).toBe('ran');
  });

  test('one that may evict jobs is reported also to who comes second to a shared connection', async () => {
    const server = await ownServer({ config: { 'maxmemory-policy': 'volatile-ttl' } });
    const first = openQueue({ connection: at(server) });
    errorsOf(first);
    await first.waitUntilReady();
    const second = openQueue({ connection: at(server) });
    const errors = errorsOf(second);
    await second.waitUntilReady();
    await until('the second is told', () => errors.seen.length > 0, { timeoutMs: 3_000 });
  });

  test('one that is too old is refused', async () => {
    const { url, seen } = await fakeServer(posingAs('# Server\r\nredis_version:5.0.0\r\nmaxmemory_policy:noeviction\r\n'));
    const queue = openQueue({ connection: url });
    const errors = errorsOf(queue);
    const refused = await refusal(() => queue.waitUntilReady());
    expect(refused).toMatchObject({ code: 'UNSUPPORTED_SERVER', message: expect.stringContaining('5.0.0') });
    await errors.reached(1);
    const worker = openWorker(queue, () => undefined, { runRetryDelay: 20 });
    const told = errorsOf(worker);
    await told.reached(1);
    expect(told.seen[0]).toMatchObject({ code: 'UNSUPPORTED_SERVER' });
    expect(seen.some(([name]) => name?.toLowerCase() === 'evalsha')).toBe(false);
  });

  test('one that is too old is accepted when the user insists', async () => {
    const { url } = await fakeServer(posingAs('redis_version:5.0.0\r\n'));
    const queue = openQueue({ connection: url, skipVersionCheck: true });
    errorsOf(queue);
    await expect(queue.waitUntilReady()).resolves.toBeUndefined();
  });

  test('Valkey is told by its own version', async () => {
    const { url } = await fakeServer(posingAs('redis_version:7.2.4\r\nvalkey_version:8.1.0\r\nserver_name:valkey\r\n'));
    await expect(openQueue({ connection: url }).waitUntilReady()).resolves.toBeUndefined();
  });
});

describe('a hostile server', () => {
  test('an error with terminal escapes is made printable', async () => {
    const { url } = await fakeServer((command) => (command[0]?.toLowerCase() === 'evalsha' ? '-ERR \u001b[31mred\u001b[0m\u0007\r\n' : posingAs('redis_version:7.2.0\r\n')(command)));
    const queue = openQueue({ connection: url });
    const refused = await refusal(() => queue.add('a', 1));
    expect(refused.message).not.toMatch(/[\u0000-\u001f]/);
  });

  test.each<[string, string]>([
    ['a number', ':5\r\n'], ['a text', bulk('what?')], ['nothing', '$-1\r\n'], ['an empty list', '*0\r\n'], ['a list of nothing', '*3\r\n$-1\r\n$-1\r\n$-1\r\n'], ['a status', '+OK\r\n'],
  ])('%s in reply to a script is understood, or a typed error', async (_name, reply) => {
    const { url } = await fakeServer((command) => (command[0]?.toLowerCase() === 'evalsha' ? reply : posingAs('redis_version:7.2.0\r\n')(command)));
    const queue = openQueue({ connection: url });
    errorsOf(queue);
    for (const call of [() => queue.add('a', 1), () => queue.getJobCounts(), () => queue.getJob('x')]) {
      await (async () => call())().catch((error: unknown) => expect(error).toBeInstanceOf(DroverError));
    }
  });

  test('a nonsense reply does not bring a worker down', async () => {
    const replies = [':5\r\n', '$-1\r\n', '*0\r\n', '-ERR no\r\n'];
    let i = 0;
    const { url } = await fakeServer((command) => (command[0]?.toLowerCase() === 'evalsha' ? replies[i++ % replies.length] ?? '' : posingAs('redis_version:7.2.0\r\n')(command)));
    const worker = openWorker('q', () => undefined, { connection: url, runRetryDelay: 10, closeTimeout: 0 });
    const errors = errorsOf(worker);
    await errors.reached(8);
    await worker.close();
  });
});

describe('damaged data', () => {
  test('a job whose record cannot be read goes to the dead letters; its neighbours run', async () => {
    const server = await ownServer();
    const control = await server.control();
    const queue = openQueue({ connection: at(server) });
    const jobs = await addNumbered(queue, 5);
    await control.hset(queue.toKey('job'), jobs[2]?.id ?? '', '\xc1\xc1');
    const worker = openWorker(queue, () => undefined, { concurrency: 5 });
    const errors = errorsOf(worker);
    const done = tallyOf('completed', worker);
    await done.reached(4);
    await errors.reached(1);
    expect(errors.seen[0]).toMatchObject({ code: 'CORRUPT_DATA', message: expect.stringContaining(jobs[2]?.id ?? '') });
    await until('the damaged one is buried', async () => (await control.zcard(queue.toKey('failed'))) === 1);
    expect(await refusal(() => queue.getJob(jobs[2]?.id ?? ''))).toMatchObject({ code: 'CORRUPT_DATA' });
  });

  test('an id without a record is reported; its neighbours run', async () => {
    const server = await ownServer();
    const control = await server.control();
    const queue = openQueue({ connection: at(server) });
    await addNumbered(queue, 3);
    await control.zadd(queue.toKey('wait'), -5e15, 'ghost');
    const worker = openWorker(queue, () => undefined);
    const errors = errorsOf(worker);
    const done = tallyOf('completed', worker);
    await done.reached(3);
    await errors.reached(1);
    expect(errors.seen[0]).toMatchObject({ code: 'CORRUPT_DATA', message: expect.stringContaining('ghost') });
  });

  test('a key of the wrong type is a typed error, and work goes on once it is gone', async () => {
    const server = await ownServer();
    const control = await server.control();
    const queue = openQueue({ connection: at(server) });
    await control.set(queue.toKey('wait'), 'x');
    expect(await refusal(() => queue.add('a', 1))).toMatchObject({ code: 'CORRUPT_DATA' });
    await control.del(queue.toKey('wait'));
    const job = await queue.add('b', 1);
    const worker = openWorker(queue, () => undefined);
    await finished(worker, job.id);
  });

  test('a flushed database does not stop workers', async () => {
    const server = await ownServer();
    const control = await server.control();
    const queue = openQueue({ connection: at(server) });
    const worker = openWorker(queue, (job: Job) => job.data as number, { concurrency: 3 });
    errorsOf(worker);
    const done = tallyOf('completed', worker);
    await addNumbered(queue, 20);
    await control.flushall();
    const job = await queue.add('after', 1);
    await until('the new job is done', () => done.seen.some(({ id }) => id === job.id));
  });
});

/** Makes the next save fail, so that Redis refuses writes; false where that cannot be arranged. */
async function failSaving(server: RedisServer): Promise<boolean> {
  const control = await server.control();
  try {
    await control.config('SET', 'rdbcompression', 'yes');
    const { mkdirSync } = await import('node:fs');
    mkdirSync('/tmp/drover-not-a-file.rdb', { recursive: true });
    await control.config('SET', 'dbfilename', 'drover-not-a-file.rdb');
    await control.call('BGSAVE');
    await until('the save has failed', async () => (await server.info('persistence')).get('rdb_last_bgsave_status') === 'err');
    return true;
  } catch {
    return false;
  }
}
