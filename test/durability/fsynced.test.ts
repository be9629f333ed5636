import { expect, onTestFinished, test } from 'vitest';
import { openQueue, openWorker, refusal, tallyOf } from '../support/behaviour.js';
import { straceUnavailable } from '../faults/infra/strace.js';
import { isAtLeast, serverBinary } from '../support/servers/binary.js';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis, type StartRedisOptions } from '../support/servers/start-redis.js';
import { awaitOutage } from './power-loss.js';
import { at, callsOf } from './replicas.js';

/** Whether the server can be relied on to wait for its disk; otherwise only `appendfsync always` will do. */
const waits = serverBinary().product === 'redis' && isAtLeast(serverBinary(), 7, 2);

async function serverWith(options: StartRedisOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  onTestFinished(() => server.stop());
  return server;
}

test('a server without an append-only file is refused before anything is written', async () => {
  const server = await serverWith({});
  const queue = openQueue({ connection: at(server), durability: 'fsynced' });
  expect(await refusal(() => queue.add('a', 1))).toMatchObject({ code: 'DURABILITY_UNAVAILABLE', outcomeKnown: true });
  expect(await (await server.control()).dbsize()).toBe(0);
  // Found out anew, so that it can be put right.
  await (await server.control()).config('SET', 'appendonly', 'yes', 'appendfsync', 'always');
  await queue.add('a', 1);
});

test.each(['always', 'everysec'] as const)('with appendfsync %s a job is on disk when add resolves, if it does', async (appendonly) => {
  const server = await serverWith({ appendonly });
  const queue = openQueue({ connection: at(server), durability: 'fsynced' });
  if (waits || appendonly === 'always') await queue.add('a', 1);
  else expect(await refusal(() => queue.add('a', 1))).toMatchObject({ code: 'DURABILITY_UNAVAILABLE', message: expect.stringContaining('appendfsync always') });
  expect((await callsOf(server, 'waitaof')) > 0).toBe(waits);
  expect(await queue.getWaitingCount()).toBe(waits || appendonly === 'always' ? 1 : 0);
});

test('a server that changes its mind is found out', async () => {
  const server = await serverWith({ appendonly: 'always' });
  const queue = openQueue({ connection: at(server), durability: { fsynced: true, timeoutMs: 500 } });
  await queue.add('a', 1);
  await (await server.control()).config('SET', waits ? 'appendonly' : 'appendfsync', 'no');
  expect(await refusal(() => queue.add('b', 2, { jobId: 'b' }))).toMatchObject({ code: 'NOT_CONFIRMED', jobIds: ['b'], stored: true, confirmed: 0, wanted: 1 });
  expect(await queue.getWaitingCount()).toBe(2);
});

test.skipIf(waits)('a user who may not read the configuration is told so, before anything is written', async () => {
  const server = await serverWith({ appendonly: 'always', users: ['poor on >pw ~* &* +@all -config'] });
  const queue = openQueue({ connection: { ...at(server), username: 'poor', password: 'pw' }, durability: 'fsynced' });
  const error = await refusal(() => queue.add('a', 1));
  expect(error).toMatchObject({ code: 'DURABILITY_UNAVAILABLE', cause: { code: 'REDIS_DENIED' }, hint: expect.stringContaining('+config|get') });
  expect(await (await server.control()).dbsize()).toBe(0);
});

test.runIf(waits)('a user who may not wait is told what is stored', async () => {
  const server = await serverWith({ appendonly: 'always', users: ['poor on >pw ~* &* +@all -waitaof'] });
  const queue = openQueue({ connection: { ...at(server), username: 'poor', password: 'pw' }, durability: 'fsynced' });
  expect(await refusal(() => queue.add('a', 1))).toMatchObject({ code: 'NOT_CONFIRMED', stored: true, confirmed: 0, cause: { code: 'REDIS_DENIED' } });
});

test('it is asked again after Redis was restarted', async () => {
  const server = await serverWith({ appendonly: 'always' });
  const queue = openQueue({ connection: at(server), durability: 'fsynced' });
  await queue.add('a', 1);
  await server.restart({ config: { appendonly: 'no' } });
  expect(await refusal(() => queue.add('b', 2))).toMatchObject({ code: 'DURABILITY_UNAVAILABLE' });
}, 40_000);

const powerless = (await straceUnavailable()) !== undefined;

test.skipIf(powerless)('what was acknowledged, added or completed, survives a loss of power', async () => {
  const server = await serverWith({ appendonly: waits ? 'everysec' : 'always' });
  const queue = openQueue({ connection: at(server), durability: 'fsynced' });
  await queue.add('before', 0);
  const outage = await awaitOutage(server);
  const worker = openWorker(queue, () => undefined, { durability: 'fsynced', closeTimeout: 0 });
  worker.on('error', () => undefined);
  queue.on('error', () => undefined);
  const completed = tallyOf('completed', worker);
  const added: string[] = [];
  let struck = false;
  const adding = (async () => {
    while (!struck) await queue.add('a', 1, { attempts: 1 }).then(({ id }) => added.push(id), () => undefined);
  })();
  await completed.reached(waits ? 4 : 40);
  await outage.strike();
  struck = true;
  const [known, ended] = [[...added], completed.seen.map(({ id }) => id)];
  await server.start();
  await adding;
  expect(known.length).toBeGreaterThan(waits ? 3 : 30);
  const states = await Promise.all([...new Set([...known, ...ended])].map(async (id) => [id, await (await queue.getJob(id))?.getState()] as const));
  expect(states.filter(([, state]) => state === undefined || state === 'unknown')).toEqual([]);
  expect(states.filter(([id, state]) => ended.includes(id) && state !== 'completed')).toEqual([]);
}, 60_000);

test.skipIf(powerless)('a loss of power takes what was only in memory: the danger is real', async () => {
  const server = await serverWith({ appendonly: 'os' });
  const queue = openQueue({ connection: at(server) });
  queue.on('error', () => undefined);
  const outage = await awaitOutage(server);
  const { id } = await queue.add('a', 1);
  expect((await outage.strike()).lostBytes).toBeGreaterThan(0);
  await server.start();
  expect(await queue.getJob(id)).toBeUndefined();
}, 40_000);
