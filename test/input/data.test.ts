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

class Money {
  constructor(readonly cents: number) {}

  toJSON(): string {
    return `${this.cents}.00`;
  }
}

class Day extends Date {
  override toJSON(): string {
    return 'a day';
  }
}

class Points extends Map<string, unknown> {}
class Later extends Date {}
class Words extends Set<string> {}

function nested(levels: number, core: unknown): unknown {
  return Array.from({ length: levels }).reduce((inner) => ({ inner }), core);
}

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
  ['boxed values', [Object(1), Object('x'), Object(false), Object(5n)], [1, 'x', false, 5n]],
  ['minus zero', { zero: -0 }, { zero: 0 }],
  ['BigInts of all sizes', [0n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 1000n], [0n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 1000n]],
  ['a key of 100 KB', { [longKey]: 1 }, { [longKey]: 1 }],
  ['an own key then', { then: 'x' }, { then: 'x' }],
  ['a plain object with toJSON', { price: { toJSON: () => '1.50' } }, { price: '1.50' }],
  ['toJSON inside what toJSON answers', { toJSON: () => ({ at: new Money(5), list: [{ toJSON: () => new Map([['a', new Money(6)]]) }] }) }, { at: '5.00', list: [{ a: '6.00' }] }],
  ['toJSON that answers its own object', { toJSON(): unknown { return this; }, a: 1 }, { a: 1 }],
  ['toJSON that answers nothing', { a: { toJSON: () => undefined } }, { a: undefined }],
  ['a Date with a toJSON of its class', [new Day(0), new Date(0)], ['a day', new Date(0)]],
  ['instances of subclasses', [new Points([['a', new Money(1)]]), new Later(5), new Words(['x'])], [{ a: '1.00' }, new Date(5), new Set(['x'])]],
  ['an error beside an instance', [new TypeError('no', { cause: new Money(2) })], [new TypeError('no', { cause: '2.00' })]],
  ['bytes beside an instance', [Buffer.from([1]), new Uint8Array([2]), new URL('http://localhost/x')], [Buffer.from([1]), new Uint8Array([2]), 'http://localhost/x']],
  ['a field with the name of Object’s', { constructor: 'x', then: 'y', inner: new Money(3) }, { constructor: 'x', then: 'y', inner: '3.00' }],
  ['an own key __proto__ beside an instance', [JSON.parse('{"__proto__": 1}'), new Money(4)], [{ __proto_: 1 }, '4.00']],
  ['nesting of 900 levels around an instance', nested(900, new Money(7)), nested(900, '7.00')],
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

/** What holds something that has no form, and where. */
const unstorable: [name: string, data: unknown, field: string, says: string][] = [
  ['a promise', { user: { avatar: Promise.resolve(1) } }, 'data.user.avatar', '`await` is missing'],
  ['a promise in a list', [1, [Promise.resolve(1)]], 'data[1][0]', '`await` is missing'],
  ['a promise in a Map', new Map([['a', Promise.resolve(1)]]), "data.get('a')", '`await` is missing'],
  ['a promise in a Set', { all: new Set([Promise.resolve(1)]) }, 'data.all.values()[0]', '`await` is missing'],
  ['a promise that toJSON answers', { user: { toJSON: () => Promise.resolve(1) } }, 'data.user', '`await` is missing'],
  ['a query that was not sent', { rows: new (class { then(): void { /* never called */ } })() }, 'data.rows', '`await` is missing'],
  ['a function beside toJSON', { a: { toJSON: () => 1 }, b: [{ run: () => 1 }] }, 'data.b[0].run', 'a function'],
  ['a symbol inside', { a: [Symbol('s')] }, 'data.a[0]', 'a symbol'],
  ['a Map with an object as key', { map: new Map([[{ a: 1 }, 1]]) }, 'data.map', 'a key of a Map'],
  ['a WeakMap', { cache: new WeakMap() }, 'data.cache', 'cannot be read'],
  ['a generator', { keys: (function* () { yield 1; })() }, 'data.keys', 'make a list'],
  ['shared memory', { bytes: new SharedArrayBuffer(1) }, 'data.bytes', 'copy it'],
  ['a cycle through an instance', { a: new (class { readonly self = this; })() }, 'data.a.self', 'refers back'],
  ['a toJSON that throws', { a: { toJSON: () => { throw new Error('not now'); } } }, 'data.a', 'not now'],
  ['deep nesting', nested(20_000, 1), 'data.inner', '1000 levels'],
];

test.each(unstorable)('%s is refused with its path, as data, progress and result', async (_name, data, field, says) => {
  const starts = (root: string): RegExp => new RegExp(`^${(field === 'data.inner' ? `${root}.inner` : field.replace('data', root)).replace(/[[\]().]/g, '\\$&')}`);
  await expectRefused({ name: '', call: () => queue.add('a', data), code: 'INVALID_DATA', field: starts('data'), says }, server);
  const job = await queue.add('a', 1);
  await expectRefused({ name: '', call: () => job.updateProgress(data as object), code: 'INVALID_DATA', field: starts('progress'), says }, server);
  const worker = openWorker(queue, () => ({ result: data }));
  await expect(finished(worker, job.id)).rejects.toMatchObject({ code: 'INVALID_DATA', message: expect.stringContaining(says) as string });
  await worker.close();
  await job.remove();
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
