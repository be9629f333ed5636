import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Queue, type Job, type Telemetry } from 'drover';
import Bull from 'drover/bull';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis } from '../support/servers/start-redis.js';
import { finished, openWorker } from '../support/behaviour.js';
import { expectRefused, shown, type Wrong } from './bad-input.js';

/** Data that is unusual: what becomes of it is defined, and what is refused says why. */

let server: RedisServer;
let queue: Queue;

beforeAll(async () => {
  server = await startRedis();
  queue = new Queue('data', { connection: { host: server.host, port: server.port } });
  await queue.waitUntilReady();
});

afterAll(async () => {
  await queue.close();
  await server.stop();
});

const sparse = [1, , 3];
const sneaky = new Proxy({ a: 1, list: [new Proxy({ deep: true }, {})] }, {});
const withGetter = { get now(): number { return 5; }, set ignored(_value: number) { throw new Error('never called'); } };
const bySymbol = { a: 1, [Symbol('s')]: 2 };
const hidden = Object.defineProperty({ a: 1 }, 'hidden', { value: 2, enumerable: false });
const bare = Object.assign(Object.create(null) as object, { a: 1, toString: 2 });
const longKey = 'k'.repeat(100_000);

/** Half a character is none: as everywhere in UTF-8, what stands in its place says that there was one. */
const replaced = expect.stringMatching(/^a?\ufffd+b?$/) as string;

/** What goes in and what comes out. */
const values: [name: string, given: unknown, read: unknown][] = [
  ['an invalid date', { at: new Date(NaN) }, { at: new Date(NaN) }],
  ['the first and the last date', [new Date(-8.64e15), new Date(8.64e15)], [new Date(-8.64e15), new Date(8.64e15)]],
  ['a sparse list', sparse, [1, undefined, 3]],
  ['a list whose end is a hole', Array.from({ length: 3 }), [undefined, undefined, undefined]],
  ['a lone surrogate in a text', { text: 'a\ud800b' }, { text: replaced }],
  ['a list with a lone surrogate', ['\udc00'], [replaced]],
  ['proxies that show all', sneaky, { a: 1, list: [{ deep: true }] }],
  ['a getter', withGetter, { now: 5, ignored: undefined }],
  ['a key that is a symbol', bySymbol, { a: 1 }],
  ['a property that is not enumerable', hidden, { a: 1 }],
  ['an object without a prototype', bare, { a: 1, toString: 2 }],
  ['boxed values', [Object(1), Object('x'), Object(false)], [{}, { 0: 'x' }, {}]],
  ['minus zero', { zero: -0 }, { zero: 0 }],
  ['BigInts of all sizes', [0n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 1000n], [0n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 1000n]],
  ['a key of 100 KB', { [longKey]: 1 }, { [longKey]: 1 }],
  ['an own key then', { then: 'x' }, { then: 'x' }],
  ['one object twice', ((one) => [one, one])({ a: 1 }), [{ a: 1 }, { a: 1 }]],
];

test.each(values)('%s has a defined result, as data and as result', async (_name, given, read) => {
  const job = await queue.add('a', { given }, { removeOnComplete: false });
  expect((await queue.getJob(job.id))?.data).toEqual({ given: read });
  const worker = openWorker(queue, () => ({ given }));
  await finished(worker, job.id);
  await worker.close();
  const stored = await queue.getJob(job.id);
  await job.remove();
  expect(stored?.returnvalue).toEqual({ given: read });
});

describe('a name with colons', () => {
  test.each(['a:b', ':', '::1', 'job:wait', 'x:'.repeat(128)])('%j is kept apart from all others', async (name) => {
    const job = await queue.add(name, name, { jobId: `${name}:id`, deduplication: { id: `${name}:d` } });
    expect(await queue.getJob(`${name}:id`)).toMatchObject({ name, data: name });
    expect(await queue.getDeduplicationJobId(`${name}:d`)).toBe(`${name}:id`);
    expect(await queue.getJob(name)).toBeUndefined();
    await job.remove();
    expect(await queue.getJobs()).toEqual([]);
  });
});

describe('as JSON', () => {
  test('a BigInt is the text of its digits, an invalid date null, and the rest as JSON has it', async () => {
    const data = { big: 2n ** 64n, list: [-1n], date: new Date(NaN), nan: NaN, set: new Set([1]) };
    const job = await queue.add('a', data);
    const worker = openWorker(queue, () => 7n);
    await finished(worker, job.id);
    const stored = (await queue.getJob(job.id)) as Job;
    for (const json of [job.asJSON(), stored.asJSON(), stored.asJSONSandbox()]) {
      expect(JSON.parse(json.data)).toEqual({ big: '18446744073709551616', list: ['-1'], date: null, nan: null, set: {} });
    }
    expect(stored.asJSON().returnvalue).toBe('"7"');
    await job.remove();
  });

  test.each<[string, unknown]>([['a BigInt', 5n], ['a BigInt inside', { big: 5n }], ['a cycle', cyclic()], ['a getter that throws', { get x(): never { throw new Error('trap'); } }]])(
    'is what Bull stores, so it refuses %s with a typed error', async (_name, data) => {
      const bull = new Bull('bull', { redis: { host: server.host, port: server.port } });
      onTestFinished(() => bull.close());
      await bull.isReady();
      await expectRefused({ name: '', call: () => bull.add(data), code: 'INVALID_DATA', field: 'data' }, server);
    },
  );
});

test('telemetry that cannot show a value does not disturb the call', async () => {
  const progress: unknown[] = [];
  const noted = new Queue('traced', { connection: queue.opts.connection, telemetry: telemetryOf((key, value) => key.endsWith('progress') && progress.push(value)) });
  onTestFinished(() => noted.close());
  const job = await noted.add('a', 1);
  await noted.updateJobProgress(job.id, { big: 5n });
  expect((await noted.getJob(job.id))?.progress).toEqual({ big: 5n });
  expect(progress).toEqual(['{"big":"5"}']);
  await expectRefused({ name: '', call: () => noted.updateJobProgress(job.id, cyclic()), code: 'INVALID_DATA', field: /^progress/ }, server);
});

describe('data that is larger than Redis takes', () => {
  const wrongs: Wrong[] = [2 ** 29 + 1, 2 ** 30].map((sizeLimit) => ({
    name: `cannot be allowed by sizeLimit ${shown(sizeLimit)}`, call: () => queue.add('a', 1, { sizeLimit }), code: 'INVALID_OPTION', field: 'opts.sizeLimit', says: '536870912',
  }));
  test.each(wrongs)('$name', (wrong) => expectRefused(wrong, server));

  test('because the server takes less, is a typed error in time, and its neighbours are added', async () => {
    const small = await startRedis();
    onTestFinished(() => small.stop());
    await (await small.control()).config('SET', 'proto-max-bulk-len', 1 << 20);
    const other = new Queue('small', { connection: { host: small.host, port: small.port, commandTimeout: 1_000 } });
    other.on('error', () => undefined);
    onTestFinished(() => other.close());
    await other.add('a', 'before');
    // Redis closes the connection with the rest unread: the reset may overtake its answer, and then nobody knows.
    const code = expect.stringMatching(/^(PAYLOAD_TOO_LARGE|OUTCOME_UNKNOWN)$/) as string;
    await expect(other.add('a', 'x'.repeat(2 << 20))).rejects.toMatchObject({ name: 'RedisError', code });
    await other.add('a', 'after');
    expect((await other.getJobs()).map(({ data }) => data as unknown).sort()).toEqual(['after', 'before']);
  });
});

function cyclic(): object {
  const value: Record<string, unknown> = {};
  value['back'] = value;
  return value;
}

function telemetryOf(note: (key: string, value: unknown) => void): Telemetry<unknown> {
  const span = {
    setSpanOnContext: (context: unknown) => context, setAttribute: note, addEvent: () => undefined, recordException: () => undefined, end: () => undefined,
    setAttributes: (attributes: object) => void Object.entries(attributes).forEach(([key, value]) => note(key, value)),
  };
  return {
    tracer: { startSpan: () => span },
    contextManager: { with: (_context, fn) => fn() as never, active: () => undefined, root: () => undefined, getMetadata: () => '', fromMetadata: () => undefined },
  };
}
