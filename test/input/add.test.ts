import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Queue, type JobsOptions } from 'drover';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis } from '../support/servers/start-redis.js';
import { expectRefused, shown, wrongNumbers, type Wrong } from './bad-input.js';

let server: RedisServer;
let queue: Queue;

beforeAll(async () => {
  server = await startRedis();
  queue = new Queue('input', { connection: { host: server.host, port: server.port } });
  await queue.waitUntilReady();
});

afterAll(async () => {
  await queue.close();
  await server.stop();
});

const add = (opts: unknown): (() => unknown) => () => queue.add('a', 1, opts as JobsOptions);

function cyclic(): unknown {
  const value: Record<string, unknown> = { list: [1] };
  (value['list'] as unknown[]).push({ back: value });
  return value;
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = { inner: value };
  return value;
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const data: Wrong[] = [
  { name: 'a cycle', call: () => queue.add('a', cyclic()), code: 'INVALID_DATA', field: 'data.list[1].back', says: 'refers back' },
  { name: 'a promise', call: () => queue.add('a', Promise.resolve(1)), code: 'INVALID_DATA', field: 'data', says: 'an `await` is missing' },
  { name: 'a function', call: () => queue.add('a', { user: { save: () => 1 } }), code: 'INVALID_DATA', field: 'data.user.save', says: 'a function' },
  { name: 'a class', call: () => queue.add('a', [class {}]), code: 'INVALID_DATA', field: 'data[0]' },
  { name: 'a symbol', call: () => queue.add('a', { s: Symbol('x') }), code: 'INVALID_DATA', field: 'data.s', says: 'a symbol' },
  { name: 'a getter that throws', call: () => queue.add('a', { get secret() { throw new Error('trap'); } }), code: 'INVALID_DATA', field: 'data.secret', says: 'trap' },
  { name: 'toJSON that throws', call: () => queue.add('a', { toJSON() { throw new Error('trap'); } }), code: 'INVALID_DATA', field: 'data', says: 'trap' },
  { name: 'a revoked proxy', call: () => queue.add('a', { deep: revoked() }), code: 'INVALID_DATA', field: /^data/ },
  { name: 'a proxy that throws', call: () => queue.add('a', new Proxy({}, { ownKeys: () => { throw new Error('trap'); } })), code: 'INVALID_DATA', field: 'data' },
  { name: 'a proxy whose prototype throws', call: () => queue.add('a', new Proxy({}, { getPrototypeOf: () => { throw new Error('trap'); }, get: () => { throw new Error('trap'); } })), code: 'INVALID_DATA', field: /^data/ },
  { name: 'a function in a map', call: () => queue.add('a', new Map([['f', () => 1]])), code: 'INVALID_DATA', field: /^data/ },
  { name: 'a function in a set', call: () => queue.add('a', { s: new Set([() => 1]) }), code: 'INVALID_DATA', field: /^data/ },
  { name: 'data over the default limit', call: () => queue.add('a', 'x'.repeat(17 << 20)), code: 'PAYLOAD_TOO_LARGE', field: 'data' },
  { name: 'data over its own limit', call: () => queue.add('a', 'x'.repeat(200), { sizeLimit: 100 }), code: 'PAYLOAD_TOO_LARGE', field: 'data', says: '100' },
  { name: 'bulk data over the limit', call: () => queue.addBulk([{ name: 'a', data: 1 }, { name: 'a', data: 'x'.repeat(200), opts: { sizeLimit: 100 } }]), code: 'PAYLOAD_TOO_LARGE', field: 'jobs[1].data' },
  { name: 'a function in bulk data', call: () => queue.addBulk([{ name: 'a', data: 1 }, { name: 'b', data: { f: () => 1 } }]), code: 'INVALID_DATA', field: /data\.f$/ },
];

const names: Wrong[] = [undefined, null, '', 5, {}, [], Symbol('s'), () => 1, 'a\nb', 'a\u0000', '\u001b[31m', 'a\u2028b', '\ud800', 'x'.repeat(257), 'x'.repeat(1 << 20), { toString: () => 'a' }].flatMap((name) => [
  { name: `name ${shown(name)}`, call: () => queue.add(name as string, 1), code: 'INVALID_NAME' as const, field: 'name' },
  { name: `bulk name ${shown(name)}`, call: () => queue.addBulk([{ name: name as string, data: 1 }]), code: 'INVALID_NAME' as const, field: 'jobs[0].name' },
]);

const ids: Wrong[] = ['', 5, 0, NaN, true, null, {}, [], Symbol('s'), 7n, 'id\n', 'a\u0000b', '\u007f', '\udc00x', 'x'.repeat(513), '日'.repeat(171), 'x'.repeat(65_536)].map((jobId) => ({
  name: `jobId ${shown(jobId)}`, call: add({ jobId }), code: 'INVALID_ID', field: 'opts.jobId',
}));

const limit = 2 ** 42;
const numbers: Wrong[] = [
  ...wrongNumbers({ min: 0, max: limit }).map((value) => ({ option: 'delay', value })),
  ...wrongNumbers({ min: 0, max: 2 ** 31 }).map((value) => ({ option: 'attempts', value })),
  ...wrongNumbers({ min: 0, max: 2_097_151 }).map((value) => ({ option: 'priority', value })),
  ...wrongNumbers({ min: 0 }).map((value) => ({ option: 'timestamp', value })),
  ...wrongNumbers({ min: 1, max: limit }).map((value) => ({ option: 'timeout', value })),
  ...wrongNumbers({ min: 0 }).map((value) => ({ option: 'keepLogs', value })),
  ...wrongNumbers({ min: 0 }).map((value) => ({ option: 'stackTraceLimit', value })),
  ...[...wrongNumbers({ min: 0, max: 2 ** 29 }), 2 ** 29 + 1].map((value) => ({ option: 'sizeLimit', value })),
].map(({ option, value }) => ({ name: `${option} ${shown(value)}`, call: add({ [option]: value }), code: 'INVALID_OPTION', field: `opts.${option}`, says: /whole number/ }));

const backoffs: Wrong[] = [
  ...wrongNumbers({ min: 0, max: limit }).filter((value) => typeof value !== 'object').map((value) => ({ name: `backoff ${shown(value)}`, call: add({ backoff: value }), code: 'INVALID_OPTION' as const, field: 'opts.backoff' })),
  ...wrongNumbers({ min: 0, max: limit }).filter((value) => value !== undefined).map((delay) => ({ name: `backoff.delay ${shown(delay)}`, call: add({ backoff: { type: 'fixed', delay } }), code: 'INVALID_OPTION' as const, field: 'opts.backoff.delay' })),
  ...[-0.1, 1.1, NaN, '0.5', null].map((jitter) => ({ name: `backoff.jitter ${shown(jitter)}`, call: add({ backoff: { type: 'fixed', jitter } }), code: 'INVALID_OPTION' as const, field: 'opts.backoff.jitter' })),
  ...[5, '', null, {}, 'x'.repeat(257)].map((type) => ({ name: `backoff.type ${shown(type)}`, call: add({ backoff: { type } }), code: 'INVALID_OPTION' as const, field: 'opts.backoff.type' })),
  { name: 'backoff without a type', call: add({ backoff: {} }), code: 'INVALID_OPTION', field: 'opts.backoff.type' },
  { name: 'a misspelt option of backoff', call: add({ backoff: { type: 'fixed', dealy: 5 } }), code: 'UNKNOWN_OPTION', field: 'opts.backoff.dealy', says: "'delay'" },
  ...[['exponental', 'exponential'], ['Exponential', 'exponential'], ['fixd', 'fixed'], ['lienar', 'linear']].map(([type, meant]) => ({ name: `backoff.type ${type}`, call: add({ backoff: { type } }), code: 'INVALID_OPTION' as const, field: 'opts.backoff.type', says: `did you mean '${meant}'?` })),
];

const flags: Wrong[] = ['lifo', 'failParentOnFailure', 'continueParentOnFailure', 'ignoreDependencyOnFailure', 'removeDependencyOnFailure'].flatMap((option) =>
  [0, 1, 'true', null, {}].map((value) => ({ name: `${option} ${shown(value)}`, call: add({ [option]: value }), code: 'INVALID_OPTION' as const, field: `opts.${option}` })));

const keeps: Wrong[] = ['removeOnComplete', 'removeOnFail'].flatMap((option) => [
  ...[-1, 1.5, NaN, 'all', null, []].map((value) => ({ name: `${option} ${shown(value)}`, call: add({ [option]: value }), code: 'INVALID_OPTION' as const, field: `opts.${option}` })),
  ...[0, -1, NaN, '5'].map((age) => ({ name: `${option}.age ${shown(age)}`, call: add({ [option]: { age } }), code: 'INVALID_OPTION' as const, field: `opts.${option}.age` })),
  ...[-1, 1.5].map((count) => ({ name: `${option}.count ${shown(count)}`, call: add({ [option]: { count } }), code: 'INVALID_OPTION' as const, field: `opts.${option}.count` })),
  { name: `${option} 'yes', and is told what it may be`, call: add({ [option]: 'yes' }), code: 'INVALID_OPTION' as const, field: `opts.${option}`, says: 'true or false, or a whole number from 0 to 2147483648, or an object with "age", "count", "limit"; it is a text' },
  { name: `a misspelt option of ${option}`, call: add({ [option]: { agee: 1 } }), code: 'UNKNOWN_OPTION' as const, field: `opts.${option}.agee`, says: '"age"' },
  { name: `an option of ${option} of one letter`, call: add({ [option]: { e: 1 } }), code: 'UNKNOWN_OPTION' as const, field: `opts.${option}.e`, says: `no option "opts.${option}.e"` },
  { name: `an option of ${option} with signs`, call: add({ [option]: { '$&': 1 } }), code: 'UNKNOWN_OPTION' as const, field: `opts.${option}.$&`, says: `"opts.${option}.$&"` },
]);

const others: Wrong[] = [
  { name: 'a misspelt option', call: add({ dealy: 5 }), code: 'UNKNOWN_OPTION', field: 'opts.dealy', says: '"delay"' },
  { name: 'an option far from any', call: add({ zzzzzzzzzz: 5 }), code: 'UNKNOWN_OPTION', field: 'opts.zzzzzzzzzz' },
  { name: 'an option named __proto__', call: add(JSON.parse('{"__proto__": 5}')), code: 'UNKNOWN_OPTION' },
  { name: 'an option named toString', call: add({ toString: 1 }), code: 'UNKNOWN_OPTION', field: 'opts.toString' },
  { name: 'an option with terminal escapes', call: add({ '\u001b[31m': 1 }), code: 'UNKNOWN_OPTION' },
  { name: 'an option of a megabyte', call: add({ ['x'.repeat(1 << 20)]: 1 }), code: 'UNKNOWN_OPTION' },
  ...[{ every: 1_000 }, { pattern: '* * * * *' }, {}].map((repeat) => ({ name: `repeat ${Object.keys(repeat).join()}, which would never repeat`, call: add({ repeat }), code: 'INVALID_OPTION' as const, field: 'opts.repeat', says: 'upsertJobScheduler' })),
  { name: 'repeat in a bulk', call: () => queue.addBulk([{ name: 'a', data: 1, opts: { repeat: { every: 5 } } }]), code: 'INVALID_OPTION', field: 'jobs[0].opts.repeat', says: 'upsertJobScheduler' },
  { name: 'a misspelt bulk option', call: () => queue.addBulk([{ name: 'a', data: 1, opts: { prority: 1 } as JobsOptions }]), code: 'UNKNOWN_OPTION', field: 'jobs[0].opts.prority', says: '"priority"' },
  ...[5, 'x', null, [], () => 1].map((opts) => ({ name: `options ${shown(opts)}`, call: add(opts), code: 'INVALID_OPTION' as const, field: 'opts' })),
  ...[undefined, null, 5, 'ab', {}, { length: 1 }].map((jobs) => ({ name: `bulk of ${shown(jobs)}`, call: () => queue.addBulk(jobs as never), code: 'INVALID_OPTION' as const, field: 'jobs' })),
  ...[undefined, null, 5, 'ab', [], () => 1].map((job) => ({ name: `bulk with ${shown(job)}`, call: () => queue.addBulk([{ name: 'a', data: 1 }, job as never]), code: 'INVALID_OPTION' as const, field: 'jobs[1]' })),
  { name: 'options whose getter throws', call: add({ get delay() { throw new Error('trap'); } }), code: 'INVALID_OPTION', field: /^opts/ },
  { name: 'deduplication without an id', call: add({ deduplication: {} }), code: 'INVALID_OPTION', field: 'opts.deduplication.id' },
  ...['', 5, null, 'x'.repeat(600)].map((id) => ({ name: `deduplication.id ${shown(id)}`, call: add({ deduplication: { id } }), code: ['INVALID_OPTION', 'INVALID_ID'] as const, field: 'opts.deduplication.id' })),
  ...[0, -1, 1.5, NaN, '5'].map((ttl) => ({ name: `deduplication.ttl ${shown(ttl)}`, call: add({ deduplication: { id: 'x', ttl } }), code: 'INVALID_OPTION' as const, field: 'opts.deduplication.ttl' })),
  { name: 'a misspelt option of deduplication', call: add({ deduplication: { id: 'x', tll: 1 } }), code: 'UNKNOWN_OPTION', field: 'opts.deduplication.tll', says: '"ttl"' },
  { name: 'a parent without a queue', call: add({ parent: { id: 'x' } }), code: 'INVALID_OPTION', field: 'opts.parent.queue' },
  { name: 'a parent without an id', call: add({ parent: { queue: 'x:y' } }), code: 'INVALID_OPTION', field: 'opts.parent.id' },
  { name: 'a parent that is none', call: add({ parent: 5 }), code: 'INVALID_OPTION', field: 'opts.parent' },
];

describe.each<[string, Wrong[]]>([
  ['data', data], ['names', names], ['ids', ids], ['numbers', numbers], ['backoff', backoffs], ['flags', flags], ['retention', keeps], ['other options', others],
])('add refuses %s', (_kind, wrongs) => {
  test.each(wrongs)('$name', (wrong) => expectRefused(wrong, server));
});

test('data nested ten thousand levels deep is refused or survives, also in a worker', async () => {
  const error = await queue.add('a', deep(10_000)).then(async (job) => {
    await queue.getJob(job.id);
    await job.remove();
  }, (refused: unknown) => refused);
  if (error !== undefined) expect(error).toMatchObject({ code: 'INVALID_DATA' });
});

test('nothing at all was written', async () => {
  expect(await queue.getJobs()).toEqual([]);
});

test.each(['mixed', 'exponential-jitter', 'fixed2', 'my own'])('a backoff type %j is one of a strategy, and taken', async (type) => {
  const job = await queue.add('a', 1, { backoff: { type, delay: 5 } });
  expect(job.opts.backoff).toEqual({ type, delay: 5 });
  await job.remove();
});

test('the options of a run of a schedule can be used again', async () => {
  const { name, data, opts } = await queue.upsertJobScheduler('again', { every: 1_000 }, { name: 'a', data: 1 });
  expect(opts.repeat).toBeDefined();
  const job = await queue.add(name, data, { ...opts, delay: 5_000, repeatJobKey: 'again', jobId: 'again:1' });
  await queue.removeJobScheduler('again');
  expect(job.id).toBe('again:1');
  await job.remove();
});
