import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { IdMaker } from '../../src/core/ids.js';
import { packRecord } from '../../src/core/job-record.js';
import { Enqueuer, type EnqueueRequest } from '../../src/queue/enqueuer.js';
import { Connection } from '../../src/redis/connection.js';
import { QueueKeys } from '../../src/redis/keys.js';
import { at, proxyTo } from '../durability/replicas.js';
import { startRedis } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';

/** What the buffer of a producer keeps hold of, seen by what the garbage collector may take. */

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function open(commandTimeout: number): Promise<{ enqueuer: Enqueuer; connection: Connection; cut: () => void }> {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const proxy = await proxyTo(server);
  const connection = new Connection({ ...at(proxy), commandTimeout });
  connection.on('error', () => undefined);
  onTestFinished(() => connection.close());
  const cut = (): void => {
    proxy.refuse();
    proxy.cutAll();
  };
  return { enqueuer: new Enqueuer(connection, new QueueKeys('drover', 'buffered')), connection, cut };
}

const ids = new IdMaker();
const requests = (count: number): EnqueueRequest[] =>
  Array.from({ length: count }, () => ({ id: ids.next(), name: 'a', record: packRecord('a', 1, 1, undefined), special: undefined }));

/** How many of these something still holds. A turn of its own: what was looked at in this one is held until it ends. */
async function held(refs: readonly WeakRef<EnqueueRequest>[]): Promise<number> {
  await new Promise(setImmediate);
  collectGarbage();
  return refs.filter((ref) => ref.deref()).length;
}

test('what was given up in an outage is held no longer, though nothing is added after it', async () => {
  const { enqueuer, connection, cut } = await open(500);
  await enqueuer.add(requests(1));
  cut();
  await until('the connection is lost', () => !connection.isReady);
  const refs: WeakRef<EnqueueRequest>[] = [];
  const codes = await Promise.all(Array.from({ length: 10 }, () => {
    const batch = requests(1_000);
    refs.push(...batch.map((request) => new WeakRef(request)));
    return enqueuer.add(batch).then(() => 'added', (error: unknown) => (error as { code: string }).code);
  }));
  expect([...new Set(codes)]).toEqual(['REDIS_UNAVAILABLE']);
  expect(await held(refs)).toBe(0);
});

test('what has been sent is held no longer, though the buffer never runs empty', async () => {
  const { enqueuer } = await open(10_000);
  const first = requests(1_000);
  const refs = first.map((request) => new WeakRef(request));
  const waiting = [enqueuer.add(first.splice(0)), ...Array.from({ length: 9 }, () => enqueuer.add(requests(1_000)))];
  for (let round = 0; round < 30; round++) {
    await waiting.shift();
    waiting.push(enqueuer.add(requests(1_000)));
  }
  const left = await held(refs);
  await Promise.all(waiting);
  expect(left).toBe(0);
});
