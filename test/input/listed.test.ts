import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Queue } from 'drover';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis } from '../support/servers/start-redis.js';
import { openWorker, finished } from '../support/behaviour.js';
import { isPolluted } from '../security/damages.js';
import { expectRefused, shown, type Wrong } from './bad-input.js';

/** What is unusual and allowed arrives as it was sent; and the schedules of the list of bad inputs, which are refused. */

let server: RedisServer;
let queue: Queue;

beforeAll(async () => {
  server = await startRedis();
  queue = new Queue('input', { connection: { host: server.host, port: server.port } });
});

afterAll(async () => {
  await queue.close();
  await server.stop();
});

const every = (repeat: object): (() => unknown) => () => queue.upsertJobScheduler('s', repeat);

const patterns = ['0 0 31 2 *', '0 0 30 2 *', '0 0 31 4,6,9,11 *', '*/0 * * * *', '*/-1 * * * *', '60 * * * *', '', ' ', 'x'.repeat(100_000), '0 0 1-31/999999999999 * *', '* * * * *\u0000', '\u001b[2J', '1e3 * * * *', '__proto__'];

describe('a schedule that is', () => {
  const wrongs: Wrong[] = [
    ...patterns.map((pattern) => ({ name: `pattern ${shown(pattern)}`, call: every({ pattern }), code: ['INVALID_SCHEDULE', 'INVALID_OPTION'] as const, field: /^repeat/ })),
    ...['../etc', 'No/Where', '', '__proto__', 'Europe/Berlin\u0000', 'x'.repeat(10_000)].map((tz) => ({ name: `zone ${shown(tz)}`, call: every({ pattern: '0 0 * * *', tz }), code: ['INVALID_SCHEDULE', 'INVALID_OPTION'] as const, field: /^repeat/ })),
    ...[0, -1, 1.5, NaN, Infinity, '5', null, 2 ** 43].map((value) => ({ name: `every ${shown(value)}`, call: every({ every: value }), code: ['INVALID_SCHEDULE', 'INVALID_OPTION'] as const, field: /^repeat/ })),
    { name: 'an end in the year 275761', call: every({ every: 5_000, endDate: 8.64e15 + 1 }), code: ['INVALID_SCHEDULE', 'INVALID_OPTION'], field: /^repeat/ },
    { name: 'neither pattern nor every', call: every({}), code: ['INVALID_SCHEDULE', 'INVALID_OPTION'], field: /^repeat/ },
  ];
  test.each(wrongs)('$name', (wrong) => expectRefused(wrong, server));
});

const ids = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '0', '-1', '1e3', '../x', 'x:lock', '{x}', '*', '\u00e9', 'e\u0301', '"><img onerror=alert(1)>', '{drover:other}:job', ' ', '日'.repeat(170)];

describe('an id that is unusual', () => {
  test.each(ids)('%j is one job, found by it alone', async (jobId) => {
    const job = await queue.add('a', { jobId }, { jobId });
    expect(job.id).toBe(jobId);
    expect(await queue.getJob(jobId)).toMatchObject({ id: jobId, data: { jobId } });
    const worker = openWorker(queue, (running) => running.id);
    expect((await finished(worker, jobId)).returnvalue).toBe(jobId);
    expect((await queue.getJob(jobId))?.returnvalue).toBe(jobId);
    await worker.close();
    expect(await queue.remove(jobId)).toBe(1);
  });

  test('forms of one character are two ids', async () => {
    await queue.add('a', 1, { jobId: '\u00e9' });
    expect(await queue.getJob('e\u0301')).toBeUndefined();
    await queue.remove('\u00e9');
  });
});

describe('a name of a property of all objects', () => {
  test.each(['toString', '__proto__', 'hasOwnProperty', 'then', 'constructor', 'valueOf'])('%s is a name as any other, and finds no handler', async (name) => {
    const other = new Queue(`names-${name}`, { connection: queue.opts.connection });
    const job = await other.add(name, 1);
    const worker = openWorker(other, { known: () => 'ran' } as never);
    await expect(finished(worker, job.id)).rejects.toThrow(name);
    await worker.close();
    await other.close();
  });
});

describe('a queue and prefix that are unusual', () => {
  test.each(['a:b', '*', '"><img onerror=alert(1)>', '__proto__', '../x', 'é', 'a b', '\\'])('%j is itself', async (name) => {
    const other = new Queue(name, { connection: queue.opts.connection, prefix: name });
    const job = await other.add('a', { name });
    expect((await other.getJob(job.id))?.data).toEqual({ name });
    expect(await other.getWaitingCount()).toBe(1);
    await other.obliterate();
    await other.close();
  });
});

test.each<[string, unknown]>([
  ['an own key __proto__', JSON.parse('{"a":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}')],
  ['2^53 + 1', 2n ** 53n + 1n], ['an empty list and an empty object', [[], {}]], ['line separators', '\u2028\u2029'],
])('%s pollutes nothing, as data, option and progress', async (_name, data) => {
  const job = await queue.add('a', data, { backoff: { type: 'custom', options: data } });
  await queue.updateJobProgress(job.id, data as object);
  const stored = await queue.getJob(job.id);
  expect(isPolluted()).toBe(false);
  if (JSON.stringify(Object.keys(Object(data) as object)) !== '["a"]') expect([stored?.data, stored?.progress]).toStrictEqual([data, data]);
  await job.remove();
});
