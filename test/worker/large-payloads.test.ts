import { expect, test } from 'vitest';
import { addNumbered, gate, openQueue, openWorker } from '../support/behaviour.js';
import { until } from '../support/servers/until.js';
import { glance } from '../../src/worker/glance.js';

const body = (size: number, i: number): string => `${i}:`.padEnd(size, 'x');

test.each([
  { what: 'some large, some small', sizes: [10, 2_048, 100_000, 2_040, 70_000, 1] },
  { what: 'large in all only', sizes: Array.from({ length: 40 }, () => 3_000) },
  { what: 'one of a megabyte', sizes: [1_000_000] },
])('jobs arrive whole and in order: $what', async ({ sizes }) => {
  const queue = openQueue();
  const bodies = sizes.map(body);
  const seen: unknown[] = [];
  await queue.addBulk(bodies.map((data) => ({ name: 'plain', data })));
  await queue.addBulk(bodies.map((data) => ({ name: 'fresh', data, opts: { priority: 1 } })));
  await queue.addBulk(bodies.map((data, i) => ({ name: 'special', data, opts: { jobId: `own-${i}`, priority: 2 } })));
  openWorker(queue, (job) => void seen.push(job.data), { concurrency: 100 });
  await until('all have run', async () => (await queue.getJobCountByTypes('completed')) === 3 * sizes.length);
  expect(seen).toEqual([...bodies, ...bodies, ...bodies]);
});

test('large results that end together travel in several calls', async () => {
  const queue = openQueue();
  await addNumbered(queue, 24);
  const begun = gate();
  let running = 0;
  openWorker(queue, async (job) => {
    if (++running === 24) begun.open();
    await begun.promise;
    return body(2_000_000, job.data as number);
  }, { concurrency: 24 });
  await until('all have ended', async () => (await queue.getJobCountByTypes('completed')) === 24);
  const [first] = await queue.getCompleted(0, 0);
  expect(first?.returnvalue).toBe(body(2_000_000, first?.data as number));
});

test('a result that Redis could not take fails its job alone', async () => {
  const queue = openQueue();
  await addNumbered(queue, 2);
  openWorker(queue, (job) => (job.data === 0 ? Buffer.alloc((1 << 26) + 1) : 'small'), { concurrency: 2 });
  await until('both have ended', async () => (await queue.getJobCountByTypes('completed', 'failed')) === 2);
  const [failed] = await queue.getFailed();
  expect(failed?.failedReason).toMatch(/^returnvalue has 6710\d{4} bytes; the limit is 67108864\./);
});

test('a large record that is gone fails its job alone', async () => {
  const queue = openQueue();
  const jobs = await queue.addBulk([0, 1, 2].map((i) => ({ name: 'job', data: body(70_000, i) })));
  await queue.getBackend().client.hdel(queue.toKey('job'), jobs[1]?.id ?? '');
  const seen: unknown[] = [];
  const errors: string[] = [];
  const worker = openWorker(queue, (job) => void seen.push(job.id), { concurrency: 3, autorun: false });
  worker.on('error', (error) => void errors.push(error.message));
  void worker.run();
  await until('the others have run', async () => (await queue.getJobCountByTypes('completed')) === 2);
  expect(seen).toEqual([jobs[0]?.id, jobs[2]?.id]);
  expect(await queue.getJobCounts('wait', 'active')).toEqual({ wait: 0, active: 0 });
});

test('a glance sees waiting jobs, and what is due', async () => {
  const queue = openQueue();
  const look = (): Promise<unknown> => glance(queue.connection, queue.keys, 5_000);
  expect(await look()).toEqual({ jobs: false, dueAt: [] });
  const job = await queue.add('later', 1, { delay: 60_000 });
  const due = await queue.getBackend().client.zscore(queue.toKey('delayed'), job.id);
  expect(await look()).toEqual({ jobs: false, dueAt: [Number(due), 0] });
  const next = await queue.upsertJobScheduler('s', { every: 3_600_000 }, { name: 'scheduled' });
  expect(next).toBeDefined();
  const [first] = await queue.getJobSchedulers();
  expect(await look()).toMatchObject({ dueAt: [expect.any(Number) as number, first?.next] });
  await addNumbered(queue, 1);
  expect(await look()).toMatchObject({ jobs: true });
});
