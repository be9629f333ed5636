import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Queue, Worker, type Job } from 'drover';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis } from '../support/servers/start-redis.js';
import { expectRefused, shown, wrongNumbers, type Wrong } from './bad-input.js';

let server: RedisServer;
let queue: Queue;
let worker: Worker;
let job: Job;
let held: Job;

beforeAll(async () => {
  server = await startRedis();
  const connection = { host: server.host, port: server.port };
  queue = new Queue('input', { connection });
  worker = new Worker('input', null, { connection, lockDuration: 3_600_000 });
  await queue.add('held', 1);
  held = (await worker.getNextJob('token')) as Job;
  job = await queue.add('delayed', 1, { delay: 3_600_000 });
  await queue.waitUntilReady();
});

afterAll(async () => {
  await worker.close(true);
  await queue.close();
  await server.stop();
});

// Whatever is passed here is wrong on purpose.
const any = <T>(value: unknown): T => value as T;
const badIds: unknown[] = [undefined, null, '', 5, {}, [], Symbol('s'), 'a\nb', 'x'.repeat(600)];

const reading: Wrong[] = badIds.flatMap((id) => [
  { name: `getJob(${shown(id)})`, call: () => queue.getJob(any(id)), code: 'INVALID_ID' as const },
  { name: `getJobState(${shown(id)})`, call: () => queue.getJobState(any(id)), code: 'INVALID_ID' as const },
  { name: `getJobLogs(${shown(id)})`, call: () => queue.getJobLogs(any(id)), code: 'INVALID_ID' as const },
  { name: `remove(${shown(id)})`, call: () => queue.remove(any(id)), code: 'INVALID_ID' as const },
  { name: `updateJobProgress(${shown(id)})`, call: () => queue.updateJobProgress(any(id), 1), code: 'INVALID_ID' as const },
  { name: `addJobLog(${shown(id)})`, call: () => queue.addJobLog(any(id), 'row'), code: 'INVALID_ID' as const },
  { name: `getJobScheduler(${shown(id)})`, call: () => queue.getJobScheduler(any(id)), code: 'INVALID_ID' as const },
  { name: `removeJobScheduler(${shown(id)})`, call: () => queue.removeJobScheduler(any(id)), code: 'INVALID_ID' as const },
  { name: `upsertJobScheduler(${shown(id)})`, call: () => queue.upsertJobScheduler(any(id), { every: 5 }), code: 'INVALID_ID' as const },
  { name: `getDeduplicationJobId(${shown(id)})`, call: () => queue.getDeduplicationJobId(any(id)), code: 'INVALID_ID' as const },
  { name: `removeDeduplicationKey(${shown(id)})`, call: () => queue.removeDeduplicationKey(any(id)), code: 'INVALID_ID' as const },
  { name: `redrive ids [${shown(id)}]`, call: () => queue.redrive({ ids: [any(id)] }), code: ['INVALID_ID', 'INVALID_OPTION'] as const },
]);

const getters: Wrong[] = [
  ...(['compelted', 'Completed'] as const).flatMap((type) => [
    { name: `getJobs ${type}, and says what is meant`, call: () => queue.getJobs([any<'waiting'>(type)]), code: 'INVALID_OPTION' as const, field: 'types', says: 'did you mean "completed"?' },
    { name: `clean ${type}, and says what is meant`, call: () => queue.clean(0, 0, any(type)), code: 'INVALID_OPTION' as const, field: 'type', says: 'did you mean "completed"?' },
    { name: `getMetrics ${type}, and says what is meant`, call: () => queue.getMetrics(any(type)), code: 'INVALID_OPTION' as const, field: 'type', says: 'did you mean "completed"?' },
  ]),
  { name: 'getDependencies of a type that is none', call: () => queue.getDependencies('x', any('proccessed'), 0, 1), code: 'INVALID_OPTION', field: 'type', says: 'did you mean "processed"?' },
  ...['nonsense', 'job', 'meta', '__proto__', 5, null, {}].flatMap((type) => [
    { name: `getJobs(${shown(type)})`, call: () => queue.getJobs(any(type)), code: 'INVALID_OPTION' as const },
    { name: `getJobs([${shown(type)}])`, call: () => queue.getJobs([any<'waiting'>(type)]), code: 'INVALID_OPTION' as const },
    { name: `getJobCounts(${shown(type)})`, call: () => queue.getJobCounts(any(type)), code: 'INVALID_OPTION' as const },
  ]),
  ...[NaN, 1.5, '0', null, Infinity, {}].flatMap((value) => [
    { name: `getJobs start ${shown(value)}`, call: () => queue.getJobs('waiting', any(value)), code: 'INVALID_OPTION' as const, field: 'start' },
    { name: `getJobs end ${shown(value)}`, call: () => queue.getJobs('failed', 0, any(value)), code: 'INVALID_OPTION' as const, field: 'end' },
    { name: `getJobLogs start ${shown(value)}`, call: () => queue.getJobLogs('x', any(value)), code: 'INVALID_OPTION' as const, field: 'start' },
    { name: `getJobSchedulers start ${shown(value)}`, call: () => queue.getJobSchedulers(any(value)), code: 'INVALID_OPTION' as const, field: 'start' },
    { name: `getJobSchedulers end ${shown(value)}`, call: () => queue.getJobSchedulers(0, any(value)), code: 'INVALID_OPTION' as const, field: 'end' },
    { name: `getDelayedCount ${shown(value)}`, call: () => queue.getDelayedCount(any(value)), code: 'INVALID_OPTION' as const, field: 'timestamp' },
    { name: `getCountsPerPriority [${shown(value)}]`, call: () => queue.getCountsPerPriority([any(value)]), code: 'INVALID_OPTION' as const, field: /^priorities/ },
  ]),
  ...[undefined, null, 5, 'x'].map((value) => ({ name: `getCountsPerPriority ${shown(value)}`, call: () => queue.getCountsPerPriority(any(value)), code: 'INVALID_OPTION' as const, field: 'priorities' })),
];

const managing: Wrong[] = [
  ...wrongNumbers({ min: 0, max: 2 ** 43 }).flatMap((value) => [
    { name: `clean grace ${shown(value)}`, call: () => queue.clean(any(value), 0), code: 'INVALID_OPTION' as const, field: 'grace' },
    { name: `rateLimit ${shown(value)}`, call: () => queue.rateLimit(any(value)), code: 'INVALID_OPTION' as const, field: 'ms' },
    { name: `worker.rateLimit ${shown(value)}`, call: () => worker.rateLimit(any(value)), code: 'INVALID_OPTION' as const, field: 'ms' },
  ]),
  ...wrongNumbers({ min: 0 }).flatMap((value) => [
    { name: `clean limit ${shown(value)}`, call: () => queue.clean(0, any(value)), code: 'INVALID_OPTION' as const, field: 'limit' },
    { name: `trimEvents ${shown(value)}`, call: () => queue.trimEvents(any(value)), code: 'INVALID_OPTION' as const, field: 'maxLength' },
    { name: `retryJobs timestamp ${shown(value)}`, call: () => queue.retryJobs({ timestamp: any(value) }), code: 'INVALID_OPTION' as const, field: 'timestamp' },
  ]),
  ...wrongNumbers({ min: 1, max: 2 ** 32 }).flatMap((value) => [
    { name: `setGlobalConcurrency ${shown(value)}`, call: () => queue.setGlobalConcurrency(any(value)), code: 'INVALID_OPTION' as const, field: 'concurrency' },
    { name: `setGlobalRateLimit max ${shown(value)}`, call: () => queue.setGlobalRateLimit(any(value), 5), code: 'INVALID_OPTION' as const, field: 'max' },
    { name: `setGlobalRateLimit duration ${shown(value)}`, call: () => queue.setGlobalRateLimit(5, any(value === 2 ** 33 ? 2 ** 43 : value)), code: 'INVALID_OPTION' as const, field: 'duration' },
    { name: `retryJobs count ${shown(value)}`, call: () => queue.retryJobs({ count: any(value) }), code: 'INVALID_OPTION' as const, field: 'count' },
    { name: `promoteJobs count ${shown(value)}`, call: () => queue.promoteJobs({ count: any(value) }), code: 'INVALID_OPTION' as const, field: 'count' },
    { name: `redrive count ${shown(value)}`, call: () => queue.redrive({ count: any(value) }), code: 'INVALID_OPTION' as const, field: 'count' },
    { name: `obliterate count ${shown(value)}`, call: () => queue.obliterate({ count: any(value) }), code: 'INVALID_OPTION' as const, field: 'count' },
  ]),
  ...['nonsense', 5, null, 'repeat', '__proto__'].map((type) => ({ name: `clean type ${shown(type)}`, call: () => queue.clean(0, 0, any(type)), code: 'INVALID_OPTION' as const, field: 'type', says: 'completed' })),
  ...['waiting', 5, null].map((state) => ({ name: `retryJobs state ${shown(state)}`, call: () => queue.retryJobs({ state: any(state) }), code: 'INVALID_OPTION' as const, field: 'state' })),
  { name: 'obliterate force 1', call: () => queue.obliterate({ force: any(1) }), code: 'INVALID_OPTION', field: 'force' },
  { name: 'a misspelt option of obliterate', call: () => queue.obliterate(any({ forse: true })), code: 'UNKNOWN_OPTION', field: 'forse', says: '"force"' },
  { name: 'a misspelt option of promoteJobs', call: () => queue.promoteJobs(any({ cuont: 1 })), code: 'UNKNOWN_OPTION', field: 'cuont' },
  ...[null, 5, 'x', []].flatMap((opts) => [
    { name: `obliterate(${shown(opts)})`, call: () => queue.obliterate(any(opts)), code: 'INVALID_OPTION' as const },
    { name: `retryJobs(${shown(opts)})`, call: () => queue.retryJobs(any(opts)), code: 'INVALID_OPTION' as const },
    { name: `promoteJobs(${shown(opts)})`, call: () => queue.promoteJobs(any(opts)), code: 'INVALID_OPTION' as const },
    { name: `redrive(${shown(opts)})`, call: () => queue.redrive(any(opts)), code: 'INVALID_OPTION' as const },
  ]),
  { name: 'redrive ids of text', call: () => queue.redrive({ ids: any('abc') }), code: 'INVALID_OPTION', field: 'ids' },
];

const onJobs: Wrong[] = [
  ...wrongNumbers({ min: 0, max: 2 ** 43 }).map((value) => ({ name: `changeDelay ${shown(value)}`, call: () => job.changeDelay(any(value)), code: 'INVALID_OPTION' as const, field: 'delay' })),
  ...wrongNumbers({ min: 0, max: 2_097_152 }).map((value) => ({ name: `changePriority ${shown(value)}`, call: () => job.changePriority({ priority: any(value) }), code: 'INVALID_OPTION' as const, field: 'priority' })),
  ...[1, 'yes', null].map((lifo) => ({ name: `changePriority lifo ${shown(lifo)}`, call: () => job.changePriority({ priority: 1, lifo: any(lifo) }), code: 'INVALID_OPTION' as const, field: 'lifo' })),
  ...[undefined, null, 5].map((opts) => ({ name: `changePriority(${shown(opts)})`, call: () => job.changePriority(any(opts)), code: 'INVALID_OPTION' as const })),
  { name: 'a misspelt option of changePriority', call: () => job.changePriority(any({ prority: 1 })), code: 'UNKNOWN_OPTION', field: 'prority', says: '"priority"' },
  ...[() => 1, Symbol('s'), { f: () => 1 }].flatMap((value) => [
    { name: `updateData ${shown(value)}`, call: () => job.updateData(value), code: 'INVALID_DATA' as const, field: /^data/ },
    { name: `updateProgress ${shown(value)}`, call: () => job.updateProgress(any(value)), code: 'INVALID_DATA' as const, field: /^progress/ },
    { name: `log ${shown(value)}`, call: () => job.log(any(value)), code: ['INVALID_DATA', 'INVALID_OPTION'] as const, field: /^row/ },
    { name: `moveToCompleted ${shown(value)}`, call: () => held.moveToCompleted(value, 'token'), code: 'INVALID_DATA' as const, field: /^returnvalue/ },
  ]),
  ...[undefined, null, {}, []].flatMap((row) => [
    { name: `log ${shown(row)}`, call: () => job.log(any(row)), code: 'INVALID_OPTION' as const, field: 'row' },
    { name: `addJobLog ${shown(row)}`, call: () => queue.addJobLog(job.id, any(row)), code: 'INVALID_OPTION' as const, field: 'row' },
  ]),
  ...[-2, 1.5, NaN, '1', null].flatMap((keep) => [
    { name: `clearLogs ${shown(keep)}`, call: () => job.clearLogs(any(keep)), code: 'INVALID_OPTION' as const, field: 'keepLogs' },
    { name: `addJobLog keepLogs ${shown(keep)}`, call: () => queue.addJobLog(job.id, 'row', any(keep)), code: 'INVALID_OPTION' as const, field: 'keepLogs' },
  ]),
  ...['waiting', 'active', 5, null].map((state) => ({ name: `retry ${shown(state)}`, call: () => job.retry(any(state)), code: 'INVALID_OPTION' as const, field: 'state' })),
  ...[0, -1, NaN, 1.5, '5', null].map((duration) => ({ name: `extendLock ${shown(duration)}`, call: () => held.extendLock('token', any(duration)), code: 'INVALID_OPTION' as const, field: 'duration' })),
  ...[-1, NaN, 1.5, '5', null, Infinity].map((timestamp) => ({ name: `moveToDelayed ${shown(timestamp)}`, call: () => held.moveToDelayed(any(timestamp), 'token'), code: 'INVALID_OPTION' as const, field: 'timestamp' })),
];

const onWorkers: Wrong[] = [
  ...[null, 5, {}, '', Symbol('s')].map((token) => ({ name: `getNextJob token ${shown(token)}`, call: () => worker.getNextJob(any(token), { block: false }), code: 'INVALID_OPTION' as const, field: 'token' })),
  ...[5, 'x'].map((opts) => ({ name: `getNextJob options ${shown(opts)}`, call: () => worker.getNextJob('t', any(opts)), code: 'INVALID_OPTION' as const })),
  { name: 'getNextJob block 1', call: () => worker.getNextJob('t', { block: any(1) }), code: 'INVALID_OPTION', field: 'block' },
  { name: 'extendJobLocks of text', call: () => worker.extendJobLocks(any('abc'), ['t'], 5), code: 'INVALID_OPTION', field: 'ids' },
  { name: 'extendJobLocks of wrong ids', call: () => worker.extendJobLocks([any(5)], ['t'], 5), code: ['INVALID_ID', 'INVALID_OPTION'] },
  ...[0, -1, NaN, '5'].map((duration) => ({ name: `extendJobLocks duration ${shown(duration)}`, call: () => worker.extendJobLocks([held.id], ['token'], any(duration)), code: 'INVALID_OPTION' as const, field: 'duration' })),
];

const schedules: Wrong[] = [
  ...[undefined, null, 5, 'x', []].map((repeat) => ({ name: `repeat ${shown(repeat)}`, call: () => queue.upsertJobScheduler('s', any(repeat)), code: ['INVALID_OPTION', 'INVALID_SCHEDULE'] as const, field: 'repeat' })),
  { name: 'a misspelt option of repeat', call: () => queue.upsertJobScheduler('s', any({ evry: 5 })), code: 'UNKNOWN_OPTION', field: 'repeat.evry', says: "'every'" },
  ...[null, 5, 'x', []].map((template) => ({ name: `template ${shown(template)}`, call: () => queue.upsertJobScheduler('s', { every: 5 }, any(template)), code: 'INVALID_OPTION' as const, field: 'jobTemplate' })),
  { name: 'a misspelt part of the template', call: () => queue.upsertJobScheduler('s', { every: 5 }, any({ dta: 1 })), code: 'UNKNOWN_OPTION', field: 'jobTemplate.dta', says: '"data"' },
  ...[5, '', 'a\nb'].map((name) => ({ name: `template name ${shown(name)}`, call: () => queue.upsertJobScheduler('s', { every: 5 }, { name: any(name) }), code: 'INVALID_NAME' as const, field: 'jobTemplate.name' })),
  { name: 'template data with a function', call: () => queue.upsertJobScheduler('s', { every: 5 }, { data: { f: () => 1 } }), code: 'INVALID_DATA', field: /jobTemplate\.data.*f$/ },
  { name: 'template data over the limit', call: () => queue.upsertJobScheduler('s', { every: 5 }, { data: 'x'.repeat(17 << 20) }), code: 'PAYLOAD_TOO_LARGE', field: 'jobTemplate.data' },
  { name: 'a wrong option of the template', call: () => queue.upsertJobScheduler('s', { every: 5 }, { opts: { attempts: -1 } }), code: 'INVALID_OPTION', field: 'jobTemplate.opts.attempts' },
  ...[{ jobId: 'x' }, { jobId: 5 }].map((opts) => ({ name: 'an id in the template', call: () => queue.upsertJobScheduler('s', { every: 5 }, { opts: any(opts) }), code: ['INVALID_OPTION', 'UNKNOWN_OPTION', 'INVALID_ID'] as const, field: 'jobTemplate.opts.jobId' })),
  // null counts as not given here: BullMQ stores it.
  ...([['limit', wrongNumbers({ min: 1 })], ['count', wrongNumbers({ min: 0 })], ['offset', [NaN, Infinity, -Infinity, 1.5, '5', [5], {}, true, 5n, 2 ** 43, -(2 ** 43), 1e308]]] as const).flatMap(([option, values]) =>
    values.filter((value) => value !== null).map((value) => ({ name: `${option} ${shown(value)}`, call: () => queue.upsertJobScheduler('s', { every: 5, [option]: value }), code: 'INVALID_OPTION' as const, field: `repeat.${option}`, says: /whole number/ }))),
  ...wrongNumbers({ min: 1, max: 2 ** 42 }).filter((value) => value !== null).map((every) => ({ name: `every ${shown(every)}`, call: () => queue.upsertJobScheduler('s', { every: any(every) }), code: 'INVALID_SCHEDULE' as const, field: 'repeat.every', says: /whole number/ })),
  { name: 'overlap skipp, and says what is meant', call: () => queue.upsertJobScheduler('s', { every: 5, overlap: any('skipp') }), code: 'INVALID_OPTION', field: 'repeat.overlap', says: "did you mean 'skip'" },
  ...['later', 5, null].filter((value) => value !== null).map((missed) => ({ name: `missed ${shown(missed)}`, call: () => queue.upsertJobScheduler('s', { every: 5, missed: any(missed) }), code: 'INVALID_OPTION' as const, field: 'repeat.missed' })),
];

describe.each<[string, Wrong[]]>([
  ['ids', reading], ['arguments of getters', getters], ['arguments of management', managing], ['arguments on jobs', onJobs], ['arguments on workers', onWorkers], ['schedules', schedules],
])('wrong %s are refused:', (_kind, wrongs) => {
  test.each(wrongs)('$name', (wrong) => expectRefused(wrong, server));
});

test('after all of this the held and the delayed job are as they were', async () => {
  expect(await held.getState()).toBe('active');
  expect(await job.getState()).toBe('delayed');
  expect(await queue.getJobSchedulersCount()).toBe(0);
});
