import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';
import { squeezeMemory } from './infra/kinds/squeeze-memory.js';
import { Random } from './infra/random.js';
import { Bench } from './workload/open-bench.js';

async function openBench(): Promise<{ bench: Bench; squeeze: () => Promise<() => Promise<void> | void> }> {
  const server = await startRedis();
  const bench = new Bench(server);
  onTestFinished(async () => {
    await bench.close();
    await server.stop();
  });
  return { bench, squeeze: async () => (await squeezeMemory(() => server).inject(new Random(1))).heal };
}

test('while Redis is out of memory, jobs are refused, leases are kept, and what runs can end', async () => {
  const { bench, squeeze } = await openBench();
  const queue = bench.queue();
  const proxy = await bench.proxy();
  const renewed = proxy.rule({ when: { script: 'renew' }, then: 'pass' });
  let release = (): void => undefined;
  const done = new Promise<void>((resolve) => (release = resolve));
  const worker = bench.worker({ proxy, lockDuration: 400, handle: () => done });
  const lost: unknown[] = [];
  worker.on('leaseLost', (job) => void lost.push(job));
  await queue.addBulk([{ name: 'n', data: { tag: 1 } }, { name: 'n', data: { tag: 2 } }]);
  await bench.ran(1);
  const heal = await squeeze();
  await expect(queue.add('n', { tag: 3 })).rejects.toMatchObject({ code: 'REDIS_OUT_OF_MEMORY' });
  // More than twice the lease.
  await renewed.fired(renewed.hits + 6);
  release();
  await until('both have ended', async () => Object.values(await queue.getJobCounts('active', 'waiting')).every((count) => count === 0));
  expect([bench.runs, lost]).toEqual([['1', '2'], []]);
  await heal();
  await queue.add('n', { tag: 4 });
  await bench.ran(3);
});

test('while Redis is out of memory, a lost reply does no harm', async () => {
  const { bench, squeeze } = await openBench();
  const queue = bench.queue();
  const proxy = await bench.proxy();
  let release = (): void => undefined;
  const done = new Promise<void>((resolve) => (release = resolve));
  bench.worker({ proxy, handle: () => done });
  await queue.addBulk([{ name: 'n', data: { tag: 1 } }, { name: 'n', data: { tag: 2 } }]);
  await bench.ran(1);
  await squeeze();
  const rule = proxy.rule({ when: { script: 'settle', nth: 1 }, then: 'dropReply' });
  release();
  await rule.fired();
  await bench.ran(2);
  await until('both have ended', async () => Object.values(await queue.getJobCounts('active', 'waiting')).every((count) => count === 0));
  expect(bench.runs).toEqual(['1', '2']);
});

test('a job whose reply was lost is not called refused', async () => {
  const { bench, squeeze } = await openBench();
  const proxy = await bench.proxy();
  const queue = bench.queue(proxy);
  await queue.add('n', { tag: 1 });
  const dropped = proxy.rule({ when: { script: 'enqueue', nth: 1 }, then: 'dropReply' });
  const adding = queue.add('n', { tag: 2 }).then(() => 'OK', (error: { code: string }) => error.code);
  await dropped.fired();
  proxy.refuse();
  const heal = await squeeze();
  // The very error that the server would give a call of which it knows nothing.
  proxy.rule({ when: { script: 'enqueue', nth: 1 }, then: 'error', error: "OOM command not allowed when used memory > 'maxmemory'." });
  await proxy.accept();
  expect(await adding).toBe('OUTCOME_UNKNOWN');
  await heal();
  bench.worker();
  await bench.ran(2);
  expect(bench.runs).toEqual(['1', '2']);
});
