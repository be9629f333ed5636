import type { EventEmitter } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Redis } from 'ioredis';
import { Queue, QueueEvents, Worker, type QueueOptions } from 'drover';
import { checkConnection } from '../../src/redis/options.js';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis } from '../support/servers/start-redis.js';
import { expectRefused, shown, wrongNumbers, type Wrong } from './bad-input.js';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(() => server.stop());

/** Closes what was accepted by mistake, so that one failure does not become many. */
function made(make: () => Queue | QueueEvents | Worker): void {
  const one: EventEmitter & { close: (force?: boolean) => Promise<void> } = make();
  one.on('error', () => undefined);
  void one.close(true);
}

const connection = (): { host: string; port: number } => ({ host: server.host, port: server.port });
const queue = (opts: unknown, name: unknown = 'q') => (): void => made(() => new Queue(name as string, typeof opts === 'object' && opts !== null && !Array.isArray(opts) ? ({ connection: connection(), ...opts }) : (opts as QueueOptions)));
const worker = (opts: object, processor: unknown = () => 1, name: unknown = 'q') => (): void => made(() => new Worker(name as string, processor as never, { connection: connection(), autorun: false, ...opts }));

const events = (opts: object) => (): void => made(() => new QueueEvents('q', { connection: connection(), autorun: false, ...opts }));
/** A client that has not connected, and will not. */
const client = (opts: object): Redis => new Redis({ lazyConnect: true, ...opts });

const badNames = [undefined, null, '', 5, {}, [], Symbol('s'), '{', '}', '{}', '{a}{b}', 'a{b', '\r\n', 'a\u0000', '\ud800', 'x'.repeat(257), 'x'.repeat(1 << 20)];
const names: Wrong[] = badNames.flatMap((name) => [
  { name: `a queue named ${shown(name)}`, call: name === undefined ? () => made(() => new Queue(undefined as never, { connection: connection() })) : queue({}, name), code: 'INVALID_NAME' as const, field: 'name' },
  ...(name === undefined ? [] : [
    { name: `a worker named ${shown(name)}`, call: worker({}, () => 1, name), code: 'INVALID_NAME' as const, field: 'name' },
    { name: `a prefix ${shown(name)}`, call: queue({ prefix: name }), code: 'INVALID_NAME' as const, field: 'prefix' },
  ]),
]);

const queueOptions: Wrong[] = [
  ...[undefined, null, 5, 'x', []].map((opts) => ({ name: `options ${shown(opts)}`, call: () => made(() => new Queue('q', opts as never)), code: 'INVALID_OPTION' as const, field: 'options' })),
  { name: 'no connection', call: () => made(() => new Queue('q', {} as QueueOptions)), code: 'INVALID_OPTION', field: 'connection' },
  { name: 'a misspelt option', call: queue({ defaultJobOption: {} }), code: 'UNKNOWN_OPTION', field: 'defaultJobOption', says: '"defaultJobOptions"' },
  ...[5, 'x', null, []].map((value) => ({ name: `defaultJobOptions ${shown(value)}`, call: queue({ defaultJobOptions: value }), code: 'INVALID_OPTION' as const, field: 'defaultJobOptions' })),
  { name: 'a wrong default', call: queue({ defaultJobOptions: { delay: -1 } }), code: 'INVALID_OPTION', field: 'defaultJobOptions.delay' },
  { name: 'a misspelt default', call: queue({ defaultJobOptions: { dealy: 1 } }), code: 'UNKNOWN_OPTION', field: 'defaultJobOptions.dealy', says: '"delay"' },
  { name: 'a misspelt default inside a default', call: queue({ defaultJobOptions: { removeOnFail: { agee: 1 } } }), code: 'UNKNOWN_OPTION', field: 'defaultJobOptions.removeOnFail.agee' },
  { name: 'a default id, which all jobs would share', call: queue({ defaultJobOptions: { jobId: 5 } }), code: ['INVALID_ID', 'INVALID_OPTION', 'UNKNOWN_OPTION'], field: 'defaultJobOptions.jobId' },
  ...[5, 'x', null, {}, { error: 5 }].map((logger) => ({ name: `logger ${shown(logger)}`, call: queue({ logger }), code: 'INVALID_OPTION' as const, field: /^logger/ })),
  ...[5, null, { events: 5 }].map((streams) => ({ name: `streams ${shown(streams)}`, call: queue({ streams }), code: 'INVALID_OPTION' as const, field: /^streams/ })),
  ...wrongNumbers({ min: 0, max: 2 ** 32 }).map((maxLen) => ({ name: `streams.events.maxLen ${shown(maxLen)}`, call: queue({ streams: { events: { maxLen } } }), code: 'INVALID_OPTION' as const, field: 'streams.events.maxLen' })),
  ...wrongNumbers({ min: 1, max: 2 ** 32 }).map((maxBuffered) => ({ name: `maxBuffered ${shown(maxBuffered)}`, call: queue({ maxBuffered }), code: 'INVALID_OPTION' as const, field: 'maxBuffered' })),
  ...['skipVersionCheck', 'skipWaitingForReady', 'skipMetasUpdate'].map((option) => ({ name: `${option} 1`, call: queue({ [option]: 1 }), code: 'INVALID_OPTION' as const, field: option })),
];

const deadlines: Wrong[] = wrongNumbers({ min: 1, max: 2 ** 31 - 1 }).flatMap((commandTimeout) => ([
  ['connection', { port: 1, commandTimeout }],
  ['connection.redisOptions', { nodes: [{ host: '127.0.0.1', port: 1 }], redisOptions: { commandTimeout } }],
  ['connection.options', client({ commandTimeout })],
] as const).map(([field, to]) => ({ name: `${field}.commandTimeout ${shown(commandTimeout)}`, call: queue({ connection: to }), code: 'INVALID_OPTION' as const, field: `${field}.commandTimeout`, says: /whole number/ })));

const nearly: Wrong[] = [
  { name: 'defaultJobOptions.repeat', call: queue({ defaultJobOptions: { repeat: { every: 5 } } }), code: 'INVALID_OPTION', field: 'defaultJobOptions.repeat', says: 'upsertJobScheduler' },
  { name: 'durability fsync', call: queue({ durability: 'fsync' }), code: 'INVALID_OPTION', field: 'durability', says: 'did you mean "fsynced"?' },
  { name: 'durability { fsynced: false }', call: queue({ durability: { fsynced: false } }), code: 'INVALID_OPTION', field: 'durability.fsynced', says: 'should be true' },
  { name: 'repeatKeyHashAlgorithm sha-256', call: worker({ settings: { repeatKeyHashAlgorithm: 'sha-256' } }), code: 'INVALID_OPTION', field: 'settings.repeatKeyHashAlgorithm', says: 'did you mean "sha256"?' },
];

const misspelled: Wrong[] = ([
  [{ hst: 'x' }, 'connection.hst', 'host'], [{ host: 'x', prot: 6379 }, 'connection.prot', 'port'], [{ DB: 3 }, 'connection.DB', 'db'], [{ Host: 'x' }, 'connection.Host', 'host'],
  [{ uri: 'redis://x' }, 'connection.uri', 'url'], [{ passwrod: 'x' }, 'connection.passwrod', 'password'], [{ maxRetriesPerRequests: null }, 'connection.maxRetriesPerRequests', 'maxRetriesPerRequest'],
  [{ retry_strategy: null }, 'connection.retry_strategy', 'retryStrategy'], [{ socket: { host: 'x' } }, 'connection.socket', 'host'], [{ hostname: 'x' }, 'connection.hostname', 'host'], [{ user: 'x' }, 'connection.user', 'username'],
  [{ nodes: [{ hst: 'x' }] }, 'connection.nodes[0].hst', 'host'], [{ nodes: [{ host: 'x' }], redisOptions: { pasword: 'x' } }, 'connection.redisOptions.pasword', 'password'],
  [{ sentinels: [{ host: 'x' }, { prot: 1 }] }, 'connection.sentinels[1].prot', 'port'], [{ 'ho\nst': 'x' }, 'connection.ho?st', 'host'],
] as const).map(([connection, field, meant]) => ({ name: `${field} for ${meant}`, call: queue({ connection }), code: 'UNKNOWN_OPTION' as const, field, says: `did you mean "${meant}"?` }));

const durabilities: Wrong[] = ([['a queue', queue], ['a worker', worker]] as const).flatMap(([whose, make]) => [
  ...wrongNumbers({ min: 1, max: 100 }).map((replicated) => ({ name: `durability.replicated ${shown(replicated)} of ${whose}`, call: make({ durability: { replicated } }), code: 'INVALID_OPTION' as const, field: 'durability.replicated' })),
  ...wrongNumbers({ min: 1, max: 10_000 }).flatMap((timeoutMs) => [{ replicated: 1, timeoutMs }, { fsynced: true, timeoutMs }].map((durability) => ({
    name: `durability.timeoutMs ${shown(timeoutMs)} of ${whose}, ${Object.keys(durability)[0]}`, call: make({ durability }), code: 'INVALID_OPTION' as const, field: 'durability.timeoutMs', says: /whole number of milliseconds/,
  }))),
]);

const eventsOptions: Wrong[] = wrongNumbers({ min: 1, max: 2 ** 42 }).map((blockingTimeout) => ({ name: `blockingTimeout ${shown(blockingTimeout)}`, call: events({ blockingTimeout }), code: 'INVALID_OPTION', field: 'blockingTimeout', says: /whole number/ }));

const workerOptions: Wrong[] = [
  ...[5, true, Symbol('s'), [], [() => 1], { a: 5 }, { a: () => 1, b: null }].map((processor) => ({ name: `a handler that is ${shown(processor)}`, call: worker({}, processor), code: 'INVALID_HANDLER' as const, field: /^processor/ })),
  { name: 'a map without handlers', call: worker({}, {}), code: 'INVALID_HANDLER', field: 'processor' },
  { name: 'a misspelt option', call: worker({ concurency: 5 }), code: 'UNKNOWN_OPTION', field: 'concurency', says: '"concurrency"' },
  ...wrongNumbers({ min: 1, max: 1e9 }).map((value) => ({ name: `concurrency ${shown(value)}`, call: worker({ concurrency: value }), code: 'INVALID_OPTION' as const, field: 'concurrency', says: /whole number/ })),
  ...wrongNumbers({ min: 100 }).map((value) => ({ name: `lockDuration ${shown(value)}`, call: worker({ lockDuration: value }), code: 'INVALID_OPTION' as const, field: 'lockDuration' })),
  { name: 'lockDuration 0', call: worker({ lockDuration: 0 }), code: 'INVALID_OPTION', field: 'lockDuration' },
  ...['lockRenewTime', 'stalledInterval', 'runRetryDelay', 'maximumRateLimitDelay', 'maxStartedAttempts'].flatMap((option) =>
    wrongNumbers({ min: 1 }).map((value) => ({ name: `${option} ${shown(value)}`, call: worker({ [option]: value }), code: 'INVALID_OPTION' as const, field: option }))),
  ...wrongNumbers({ min: 1, max: 100_000 }).map((maxDataPoints) => ({ name: `metrics.maxDataPoints ${shown(maxDataPoints)}`, call: worker({ metrics: { maxDataPoints } }), code: 'INVALID_OPTION' as const, field: 'metrics.maxDataPoints', says: /whole number/ })),
  ...['maxStalledCount', 'closeTimeout'].flatMap((option) =>
    wrongNumbers({ min: 0 }).map((value) => ({ name: `${option} ${shown(value)}`, call: worker({ [option]: value }), code: 'INVALID_OPTION' as const, field: option }))),
  ...[0, -1, NaN, Infinity, '5', null, 5_000].map((value) => ({ name: `drainDelay ${shown(value)}`, call: worker({ drainDelay: value }), code: 'INVALID_OPTION' as const, field: 'drainDelay' })),
  ...wrongNumbers({ min: 1, max: 2 ** 32 }).flatMap((value) => [
    { name: `limiter.max ${shown(value)}`, call: worker({ limiter: { max: value, duration: 1_000 } }), code: 'INVALID_OPTION' as const, field: 'limiter.max' },
    { name: `limiter.duration ${shown(value)}`, call: worker({ limiter: { max: 1, duration: value === 2 ** 33 ? 2 ** 43 : value } }), code: 'INVALID_OPTION' as const, field: 'limiter.duration' },
  ]),
  { name: 'limiter without max', call: worker({ limiter: { duration: 5 } }), code: 'INVALID_OPTION', field: 'limiter.max' },
  { name: 'limiter without duration', call: worker({ limiter: { max: 5 } }), code: 'INVALID_OPTION', field: 'limiter.duration' },
  { name: 'limiter max 0', call: worker({ limiter: { max: 0, duration: 5 } }), code: 'INVALID_OPTION', field: 'limiter.max' },
  { name: 'a misspelt option of limiter', call: worker({ limiter: { max: 5, durration: 5 } }), code: 'UNKNOWN_OPTION', field: 'limiter.durration', says: '"duration"' },
  ...[5, 'x', {}].map((value) => ({ name: `settings.backoffStrategy ${shown(value)}`, call: worker({ settings: { backoffStrategy: value } }), code: 'INVALID_OPTION' as const, field: 'settings.backoffStrategy' })),
  ...['autorun', 'skipLockRenewal', 'skipStalledCheck', 'useWorkerThreads'].map((option) => ({ name: `${option} "yes"`, call: worker({ [option]: 'yes' }), code: 'INVALID_OPTION' as const, field: option })),
  ...['removeOnComplete', 'removeOnFail'].flatMap((option) => [-1, 'all', null, { age: 0 }, { count: -1 }].map((value) => ({ name: `${option} ${shown(value)}`, call: worker({ [option]: value }), code: 'INVALID_OPTION' as const, field: new RegExp(`^${option}`) }))),
  ...['', 5, null, 'x'.repeat(257)].map((value) => ({ name: `name ${shown(value)}`, call: worker({ name: value }), code: ['INVALID_OPTION', 'INVALID_NAME'] as const, field: 'name' })),
  ...[5, {}, { queue: '' }, { queue: '{x}' }, { queue: 5 }, { queue: 'a\nb' }].map((deadLetter) => ({ name: `deadLetter ${shown(deadLetter)}`, call: worker({ deadLetter }), code: ['INVALID_OPTION', 'INVALID_NAME'] as const, field: /^deadLetter/ })),
];

describe.each<[string, Wrong[]]>([
  ['names', names], ['options of a queue', queueOptions], ['options of a worker', workerOptions],
  ['options of QueueEvents', eventsOptions], ['deadlines of connections', deadlines], ['names of options of connections', misspelled], ['choices that are nearly right', nearly], ['durability', durabilities],
])('constructors refuse wrong %s', (_kind, wrongs) => {
  test.each(wrongs)('$name', (wrong) => expectRefused(wrong, server));
});

test.each<[string, object]>([
  ['options of ioredis', { maxRetriesPerRequest: null, enableReadyCheck: false, username: 'default', family: 4, tls: undefined, keepAlive: 5, noDelay: true, name: 'mymaster', role: 'master', retryStrategy: () => 50, showFriendlyErrorStack: true, readOnly: false, stringNumbers: false }],
  ['options of a cluster', { nodes: [{ host: '127.0.0.1', port: 1 }, 'redis://127.0.0.1:2', 3], redisOptions: { tls: {}, username: 'x' }, natMap: {}, dnsLookup: () => undefined, slotsRefreshTimeout: 5, scaleReads: 'master', clusterRetryStrategy: () => 5 }],
  ['options of Sentinels', { sentinels: [{ host: '127.0.0.1', port: 1, family: 4 }], name: 'mymaster', sentinelPassword: 'x', sentinelUsername: 'x', sentinelTLS: {}, enableTLSForSentinelMode: true, updateSentinels: false, preferredSlaves: [], failoverDetector: true }],
  ['what BullMQ and earlier versions add', { skipVersionCheck: true, dropBufferSupport: false }],
  ['what ioredis leaves alone', { label: 'x', isGlobal: true, mode: 'x', type: 'redis', timeout: 5, id: 1, ttl: 5, scheme: 'x', logger: {}, clusterName: 'x', tlsOptions: {}, namespace: 'x' }],
  ['names of other clients that say nothing new', { host: '127.0.0.1', hostname: '127.0.0.1', ssl: false, database: 0, user: '' }],
])('a connection takes %s', (_kind, options) => {
  expect(() => checkConnection({ port: 1, ...options })).not.toThrow();
});
