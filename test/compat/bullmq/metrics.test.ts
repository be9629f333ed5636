import { describe, expect, test } from 'vitest';
import { MetricsTime, type Queue } from 'drover';
import { openQueue, openRedis, openWorker } from '../../support/behaviour.js';

/** Runs so many jobs, of which those named `bad` fail. */
async function run(queue: Queue, names: string[], maxDataPoints?: number): Promise<void> {
  const worker = openWorker(queue, (job) => {
    if (job.name === 'bad') throw new Error('bad');
  }, maxDataPoints === undefined ? {} : { metrics: { maxDataPoints } });
  let left = names.length;
  const done = new Promise<void>((resolve) => {
    const ended = (): void => void (--left === 0 && resolve());
    worker.on('completed', ended).on('failed', ended);
  });
  await queue.addBulk(names.map((name) => ({ name, data: null })));
  await done;
  await worker.close();
}

describe('metrics', () => {
  test('count what completed and what failed for good', async () => {
    const queue = openQueue();
    await run(queue, ['good', 'bad', 'good', 'good'], MetricsTime.ONE_HOUR);
    const [completed, failed] = await Promise.all([queue.getMetrics('completed'), queue.getMetrics('failed')]);
    expect([completed.meta.count, failed.meta.count]).toEqual([3, 1]);
    expect(completed.data.reduce((sum, count) => sum + count, 0) + completed.meta.count - completed.meta.prevCount).toBe(3);
  });

  test('are told per minute, the newest first, with minutes in which nothing ended', async () => {
    const queue = openQueue();
    const redis = openRedis();
    const minute = Math.floor(Date.now() / 60_000);
    await redis.hset(queue.toKey('metrics'), 'since', minute - 4, 'max', 60, `c${minute - 1}`, 5, `c${minute - 3}`, 7, `c${minute}`, 1, 'c', 10);
    const metrics = await queue.getMetrics('completed');
    expect(metrics).toEqual({ meta: { count: 23, prevTS: minute * 60_000, prevCount: 22 }, data: [5, 0, 7, 0], count: 4 });
    expect((await queue.getMetrics('completed', 1, 2)).data).toEqual([0, 7]);
    expect((await queue.getMetrics('failed')).data).toEqual([0, 0, 0, 0]);
  });

  test('keep as many minutes as asked for, and the sum of the others', async () => {
    const queue = openQueue();
    const redis = openRedis();
    const minute = Math.floor(Date.now() / 60_000);
    await redis.hset(queue.toKey('metrics'), 'since', minute - 9, 'max', 3, `c${minute - 9}`, 5, `f${minute - 8}`, 2, `c${minute - 2}`, 1);
    await run(queue, ['good'], 3);
    expect(await redis.hgetall(queue.toKey('metrics'))).toMatchObject({ c: '5', f: '2', [`c${minute - 2}`]: '1' });
    expect((await queue.getMetrics('completed')).meta.count).toBe(7);
    expect((await queue.getMetrics('completed')).count).toBeLessThanOrEqual(3);
  });

  test('are not kept by workers that do not say so', async () => {
    const queue = openQueue();
    await run(queue, ['good']);
    expect(await openRedis().exists(queue.toKey('metrics'))).toBe(0);
    expect(await queue.getMetrics('completed')).toEqual({ meta: { count: 0, prevTS: 0, prevCount: 0 }, data: [], count: 0 });
  });

  test('are told to Prometheus, with every label escaped', async () => {
    const queue = openQueue();
    await run(queue, ['good', 'bad'], 60);
    await queue.add('later', null, { delay: 60_000 });
    const lines = (await queue.exportPrometheusMetrics({ zone: 'a"\n\\' })).split('\n');
    expect(lines).toEqual(expect.arrayContaining([
      '# TYPE bullmq_job_count gauge',
      `bullmq_job_count{queue="${queue.name}", state="delayed", zone="a\\"\\n\\\\"} 1`,
      `bullmq_job_completed_total{queue="${queue.name}", zone="a\\"\\n\\\\"} 1`,
      `bullmq_job_failed_total{queue="${queue.name}", zone="a\\"\\n\\\\"} 1`,
    ]));
  });
});
