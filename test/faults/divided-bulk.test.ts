import { expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../support/servers/start-redis.js';
import { Bench } from './workload/open-bench.js';

const jobs = (count: number, bulk: string): { name: string; data: { tag: string } }[] =>
  Array.from({ length: count }, (_, i) => ({ name: 'n', data: { tag: `${bulk}${i}` } }));
const oom = "OOM command not allowed when used memory > 'maxmemory'.";

async function openBench(): Promise<Bench> {
  const server = await startRedis();
  const bench = new Bench(server);
  onTestFinished(async () => {
    await bench.close();
    await server.stop();
  });
  return bench;
}

test('a bulk that fits into one call is added as a whole or not at all, whatever else is added with it', async () => {
  const bench = await openBench();
  const proxy = await bench.proxy();
  const queue = bench.queue(proxy);
  await queue.add('n', { tag: 'known' });
  proxy.rule({ when: { script: 'enqueue', nth: 2 }, then: 'error', error: oom });
  const [first, second] = await Promise.allSettled([queue.addBulk(jobs(700, 'a')), queue.addBulk(jobs(700, 'b'))]);
  const added = (await queue.getWaitingCount()) - 1;
  expect([first.status, second.status, added % 700]).toEqual(['fulfilled', added === 1_400 ? 'fulfilled' : 'rejected', 0]);
});

test('a bulk of which only a part was added is not called refused', async () => {
  const bench = await openBench();
  const proxy = await bench.proxy();
  const queue = bench.queue(proxy);
  await queue.add('n', { tag: 'known' });
  proxy.rule({ when: { script: 'enqueue', nth: 2 }, then: 'error', error: oom });
  await expect(queue.addBulk(jobs(1_500, 'a'))).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
});
