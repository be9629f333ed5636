// What a job costs in quantities that do not depend on the machine: calls of scripts, commands that Redis runs, bytes on
// the wire. A bound is a little above what was counted when it was written down; docs/performance.md says what moves it.
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FlowProducer, Queue, Worker, type JobsOptions } from 'drover';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis } from '../support/servers/start-redis.js';
import { idleWorkers } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';

interface Counts {
  scripts: number;
  commands: number;
  bytes: number;
  blocking: number;
}

let server: RedisServer;
let probe: Redis;
let names = 0;
const closables: { close(): Promise<unknown> }[] = [];

beforeAll(async () => {
  server = await startRedis();
  probe = server.connect();
});

afterAll(async () => {
  await Promise.all(closables.map((one) => one.close()));
  probe.disconnect();
  await server.stop();
});

function open(): { queue: Queue; worker: (concurrency: number, where?: { connectionName: string }) => Worker } {
  const name = `costs-${++names}`;
  const connection = { host: server.host, port: server.port };
  const queue = new Queue(name, { connection });
  closables.push(queue);
  return {
    queue,
    worker: (concurrency, where) => {
      const worker = new Worker(name, () => undefined, { connection: { ...connection, ...where }, concurrency, autorun: false, removeOnComplete: { count: 0 } });
      closables.push(worker);
      return worker;
    },
  };
}

async function counts(): Promise<Counts> {
  const info = await probe.info('everything');
  const number = (pattern: RegExp): number => Number(pattern.exec(info)?.[1] ?? 0);
  return {
    scripts: number(/cmdstat_evalsha:calls=(\d+)/),
    commands: number(/total_commands_processed:(\d+)/),
    bytes: number(/total_net_input_bytes:(\d+)/) + number(/total_net_output_bytes:(\d+)/),
    blocking: number(/cmdstat_bzpopmin:calls=(\d+)/),
  };
}

/** What `work` made Redis do. The probe's own question is left out. */
async function counted(work: () => Promise<unknown>): Promise<Counts> {
  const before = await counts();
  const asked = await counts();
  await work();
  const after = await counts();
  const own = { scripts: 0, commands: asked.commands - before.commands, bytes: asked.bytes - before.bytes, blocking: 0 };
  return {
    scripts: after.scripts - asked.scripts, blocking: after.blocking - asked.blocking,
    commands: after.commands - asked.commands - own.commands, bytes: after.bytes - asked.bytes - own.bytes,
  };
}

const email = (i: number): object => ({ to: `user${i}@example.com`, subject: `Hello number ${i}`, template: 'welcome', locale: 'en', attempt: i });

function jobs(count: number, opts?: (i: number) => JobsOptions): { name: string; data: object; opts?: JobsOptions }[] {
  return Array.from({ length: count }, (_, i) => ({ name: 'email', data: email(i), ...(opts && { opts: opts(i) }) }));
}

async function drain(worker: Worker, queue: Queue, count: number): Promise<void> {
  let completed = 0;
  const ended = new Promise<void>((resolve) => worker.on('completed', () => void (++completed === count && resolve())));
  void worker.run();
  await ended;
  await until('the queue is empty', async () => (await queue.count()) === 0);
}

/** What each of so many jobs that are waiting costs from the take to its end. */
async function perJob(worker: Worker, queue: Queue, count: number): Promise<Counts> {
  await worker.waitUntilReady();
  const { scripts, commands, bytes, blocking } = await counted(() => drain(worker, queue, count));
  return { scripts: scripts / count, commands: commands / count, bytes: bytes / count, blocking: blocking / count };
}

describe('a bulk of 1,000', () => {
  test.each([
    { what: 'plain jobs', opts: undefined, commands: 11, bytesPerJob: 160 },
    { what: 'jobs with priorities', opts: (i: number) => ({ priority: 1 + (i % 10) }), commands: 22, bytesPerJob: 200 },
    { what: 'delayed jobs', opts: (i: number) => ({ delay: 60_000 + (i % 100) }), commands: 12, bytesPerJob: 210 },
  ])('of $what is one call', async ({ opts, commands, bytesPerJob }) => {
    const { queue } = open();
    await queue.addBulk(jobs(1, opts));
    const cost = await counted(() => queue.addBulk(jobs(1_000, opts)));
    expect(cost.scripts).toBe(1);
    expect(cost.commands).toBeLessThanOrEqual(commands);
    expect(cost.bytes / 1_000).toBeLessThanOrEqual(bytesPerJob);
  });

  test('as a flow is one call for the parent and one for the children', async () => {
    const { queue } = open();
    const flows = new FlowProducer({ connection: { host: server.host, port: server.port } });
    closables.push(flows);
    const tree = (children: number): Parameters<FlowProducer['add']>[0] => ({
      name: 'parent', queueName: queue.name, children: jobs(children).map((job) => ({ ...job, queueName: queue.name })),
    });
    await flows.add(tree(1));
    const cost = await counted(() => flows.add(tree(1_000)));
    expect(cost.scripts).toBe(2);
    expect(cost.commands).toBeLessThanOrEqual(30);
  });
});

test('500 adds of one turn are three calls, so that Redis and Node work side by side', async () => {
  const { queue } = open();
  await queue.add('email', email(0));
  const cost = await counted(() => Promise.all(jobs(500).map(({ name, data }) => queue.add(name, data))));
  expect(cost.scripts).toBe(3);
  expect(cost.bytes / 500).toBeLessThanOrEqual(160);
});

test('jobs are taken and settled many at a time', async () => {
  const { queue, worker } = open();
  const count = 4_000;
  for (let i = 0; i < count; i += 1_000) await queue.addBulk(jobs(1_000));
  const cost = await perJob(worker(100), queue, count);
  expect(cost.scripts).toBeLessThanOrEqual(0.03);
  expect(cost.commands).toBeLessThanOrEqual(0.5);
  expect(cost.bytes).toBeLessThanOrEqual(240);
});

test('children end, and their parent hears of it beside them, in the calls that settle them', async () => {
  const { queue, worker } = open();
  const flows = new FlowProducer({ connection: { host: server.host, port: server.port } });
  closables.push(flows);
  const count = 4_000;
  await flows.addBulk(Array.from({ length: 4 }, () => ({
    name: 'parent', queueName: queue.name, children: jobs(count / 4 - 1).map((job) => ({ ...job, queueName: queue.name })),
  })));
  const cost = await perJob(worker(100), queue, count);
  expect(cost.scripts).toBeLessThanOrEqual(0.015);
  expect(cost.commands).toBeLessThanOrEqual(0.5);
  expect(cost.bytes).toBeLessThanOrEqual(220);
});

/** Adds a job for a worker that rests, until it rests again. */
function throughRest(queue: Queue, worker: Worker): () => Promise<void> {
  return async () => {
    const ended = new Promise<void>((resolve) => void worker.once('completed', () => resolve()));
    await queue.add('email', email(0));
    await ended;
    await until('the worker rests', async () => (await idleWorkers(queue)) === 1);
  };
}

test('a job from elsewhere for a worker that rests is three calls: added, taken in the moment the wait ends, settled', async () => {
  const { queue, worker } = open();
  const one = worker(1, { connectionName: 'elsewhere' });
  const goThrough = throughRest(queue, one);
  void one.run();
  await until('the worker rests', async () => (await idleWorkers(queue)) === 1);
  await goThrough();
  const cost = await counted(goThrough);
  expect(cost.scripts).toBe(3);
});

test('a job for a worker that rests beside its queue is two calls: added and handed over, settled', async () => {
  const { queue, worker } = open();
  const one = worker(1);
  const goThrough = throughRest(queue, one);
  await queue.add('email', email(0));
  await drain(one, queue, 1);
  // This one leaves its marker behind, which ends the first wait.
  await until('the marker is used up', async () => (await probe.exists(queue.toKey('marker'))) === 0);
  // By the first of these it learns that jobs are added beside it.
  await goThrough();
  await goThrough();
  const cost = await counted(goThrough);
  expect(cost.scripts).toBe(2);
  expect(cost.blocking, 'its wait for the marker goes on meanwhile').toBe(0);
});
