/* eslint-disable @typescript-eslint/no-unsafe-member-access -- what the board answers is JSON */
import { expect } from 'vitest';
import type { Cases } from './cases.js';

/** Routes that concern a queue as a whole. */
export const ofQueues: Cases = {
  'get /api/redis/stats': async (stage, route) => {
    const { status, body } = await stage.call(route);
    expect(status).toBe(200);
    expect(body).toMatchObject({ backend: 'redis', version: expect.stringMatching(/^\d+\.\d+/), clients: { connected: expect.any(Number) } });
  },

  'get /api/queues': async (stage) => {
    const first = await stage.add('first', { n: 1 });
    await stage.add('later', {}, { delay: 60_000 });
    await stage.addFailed('broken');
    const queue = await stage.listed();
    expect(queue).toMatchObject({ type: stage.kind, isPaused: false, hasWorkers: false, jobSchedulerCount: 0 });
    expect(queue.counts).toMatchObject({ waiting: 1, delayed: 1, failed: 1, active: 0 });
    expect(queue.jobs).toHaveLength(3);
    // The failing job was added last, but the first was taken.
    const failed = (await stage.listed('failed')).jobs as object[];
    expect(failed).toMatchObject([{ id: first, name: 'first', data: { n: 1 }, failedReason: 'broken', isFailed: true, attempts: stage.shownAttempts(1) }]);
    expect((await stage.listed('waiting')).jobs).toMatchObject([{ name: 'failing' }]);
    expect((await stage.listed('delayed')).jobs).toMatchObject([{ name: 'later', delay: 60_000 }]);
  },

  'get /api/queues/:queueName/metrics': async (stage, route) => {
    await stage.addCompleted('done');
    const { status, body } = await stage.call(route);
    expect(status).toBe(200);
    expect(body).toMatchObject({ completed: { meta: { count: expect.any(Number) } }, failed: { data: [] } });
  },

  'get /api/queues/:queueName/default-job-options': async (stage, route) => {
    expect(await stage.call(route)).toEqual({ status: 200, body: { attempts: 2 } });
  },

  'get /api/queues/:queueName/workers': async (stage, route) => {
    expect(await stage.call(route)).toEqual({ status: 200, body: { workers: [] } });
    await stage.startWorker('painter');
    const { body } = await stage.call(route);
    const name = stage.kind === 'bullmq' ? 'painter' : null;
    expect(body.workers).toEqual([{ id: expect.any(String), name, addr: expect.stringContaining(':'), age: expect.any(Number) }]);
    expect((await stage.listed()).hasWorkers).toBe(true);
  },

  'get /api/queues/:queueName/job-data-schema': async (stage, route) => {
    expect(await stage.call(route)).toMatchObject({ status: 200, body: {} });
  },

  'put /api/queues/pause': async (stage, route) => {
    expect((await stage.call(route)).status).toBe(200);
    expect(await stage.queue.isPaused()).toBe(true);
    await stage.call('put /api/queues/resume');
  },

  'put /api/queues/resume': async (stage, route) => {
    await stage.queue.pause();
    expect((await stage.call(route)).status).toBe(200);
    expect(await stage.queue.isPaused()).toBe(false);
  },

  'put /api/queues/:queueName/pause': async (stage, route) => {
    const id = await stage.add('one');
    expect((await stage.call(route)).status).toBe(200);
    expect(await stage.queue.isPaused()).toBe(true);
    const queue = await stage.listed();
    expect(queue.isPaused).toBe(true);
    // BullMQ 6 and Drover keep what waits in `waiting`; to users of Bull it is `paused`.
    const where = stage.kind === 'bull' ? 'paused' : 'waiting';
    expect(queue.counts[where]).toBe(1);
    expect((await stage.listed(where)).jobs).toMatchObject([{ id }]);
  },

  'put /api/queues/:queueName/resume': async (stage, route) => {
    await stage.queue.pause();
    expect((await stage.call(route)).status).toBe(200);
    expect(await stage.queue.isPaused()).toBe(false);
  },

  'put /api/queues/:queueName/empty': async (stage, route) => {
    const kept = await stage.addCompleted('done');
    const waiting = await stage.add('waiting');
    const delayed = await stage.add('delayed', {}, { delay: 60_000 });
    expect((await stage.call(route)).status).toBe(200);
    expect(await stage.state(waiting)).toBe('unknown');
    // BullMQ's `drain()` leaves delayed jobs alone, Bull's `empty()` does not.
    expect(await stage.state(delayed)).toBe(stage.kind === 'bull' ? 'unknown' : 'delayed');
    expect(await stage.state(kept)).toBe('completed');
  },

  'put /api/queues/:queueName/obliterate': async (stage, route) => {
    await stage.add('waiting');
    await stage.take();
    await stage.add('another');
    expect((await stage.call(route)).body).toMatchObject({ error: { key: 'ERRORS.QUEUE_NOT_PAUSED' } });
    await stage.queue.pause();
    const refused = await stage.call(route);
    expect(refused).toMatchObject({ status: 409, body: { error: { key: 'ERRORS.QUEUE_HAS_ACTIVE_JOBS' } } });
    expect((await stage.call(route, {}, { force: true })).status).toBe(200);
    expect(await stage.queue.getJobCountByTypes('waiting', 'prioritized', 'active', 'completed', 'failed', 'delayed')).toBe(0);
    expect(await stage.queue.getBackend().client.exists(stage.queue.toKey('job'))).toBe(0);
  },

  'put /api/queues/:queueName/retry/:queueStatus': async (stage, route) => {
    const failed = [await stage.addFailed('one'), await stage.addFailed('two')];
    const completed = await stage.addCompleted('fine');
    expect(await stage.call(route, { queueStatus: 'failed' })).toEqual({ status: 200, body: { retried: 2, skipped: 0 } });
    expect(await Promise.all(failed.map((id) => stage.state(id)))).toEqual(['waiting', 'waiting']);
    expect(await stage.state(completed)).toBe('completed');
    if (stage.kind === 'bullmq') {
      expect(await stage.call(route, { queueStatus: 'completed' })).toEqual({ status: 200, body: { retried: 1, skipped: 0 } });
      expect(await stage.state(completed)).toBe('waiting');
    }
    expect((await stage.call(route, { queueStatus: 'delayed' })).status).toBe(400);
  },

  'put /api/queues/:queueName/promote': async (stage, route) => {
    const ids = [await stage.add('one', {}, { delay: 60_000 }), await stage.add('two', {}, { delay: 70_000 })];
    expect((await stage.call(route)).status).toBe(200);
    expect(await Promise.all(ids.map((id) => stage.state(id)))).toEqual(['waiting', 'waiting']);
  },

  'put /api/queues/:queueName/clean/:queueStatus': async (stage, route) => {
    const longAgo = { timestamp: Date.now() - 60_000 };
    const cases: [status: string, make: () => Promise<string>][] = [
      ['completed', async () => stage.age('completed', await stage.addCompleted('old'))],
      ['failed', async () => stage.age('failed', await stage.addFailed('old'))],
      ['delayed', () => stage.add('old', {}, { delay: 60_000, ...longAgo })],
      ['waiting', () => stage.add('old', {}, longAgo)],
      ...stage.kind === 'bullmq' ? [
        ['prioritized', () => stage.add('old', {}, { priority: 3, ...longAgo })],
        ['waiting-children', () => stage.addParent(longAgo)],
      ] satisfies [string, () => Promise<string>][] : [],
    ];
    for (const [status, make] of cases) {
      const id = await make();
      expect([status, await stage.state(id)]).toEqual([status, status]);
      // The board spares what is younger than five seconds.
      const young = status === 'completed' ? await stage.addCompleted('young') : undefined;
      expect([status, (await stage.call(route, { queueStatus: status })).status]).toEqual([status, 200]);
      expect([status, await stage.state(id)]).toEqual([status, 'unknown']);
      if (young !== undefined) expect(await stage.state(young)).toBe('completed');
    }
    await stage.add('running', {}, longAgo);
    const { id } = await stage.take();
    expect((await stage.call(route, { queueStatus: 'active' })).status).toBe(200);
    expect(await stage.state(id)).toBe('active');
  },

  'put /api/queues/:queueName/concurrency': async (stage, route) => {
    expect((await stage.call(route, {}, { concurrency: 3 })).status).toBe(200);
    const set = stage.kind === 'bullmq' ? 3 : null;
    expect(await stage.queue.getGlobalConcurrency()).toBe(set);
    expect((await stage.listed()).globalConcurrency).toBe(set);
    await stage.call(route, {}, { concurrency: 0 });
    expect(await stage.queue.getGlobalConcurrency()).toBeNull();
  },

  'get /api/queues/:queueName/rate-limit': async (stage, route) => {
    await stage.queue.setGlobalRateLimit(5, 1_000);
    const body = stage.kind === 'bullmq' ? { supported: true, rateLimit: { max: 5, duration: 1_000 } } : { supported: false, rateLimit: null };
    expect(await stage.call(route)).toEqual({ status: 200, body });
  },

  'put /api/queues/:queueName/rate-limit': async (stage, route) => {
    const { status } = await stage.call(route, {}, { max: 7, duration: 2_000 });
    if (stage.kind === 'bull') return expect(status).toBe(400);
    expect(status).toBe(200);
    expect(await stage.queue.getGlobalRateLimit()).toEqual({ max: 7, duration: 2_000 });
    expect((await stage.call(route, {}, { max: null })).status).toBe(200);
    return expect(await stage.queue.getGlobalRateLimit()).toBeNull();
  },

  'put /api/queues/:queueName/rate-limit/release': async (stage, route) => {
    await stage.queue.rateLimit(60_000);
    if (stage.kind === 'bullmq') expect((await stage.listed()).activeRateLimitTtl).toBeGreaterThan(50_000);
    expect((await stage.call(route)).status).toBe(200);
    if (stage.kind === 'bullmq') expect((await stage.listed()).activeRateLimitTtl).toBe(0);
  },

  'get /api/metrics/history': async (stage, route) => {
    expect(await stage.call(route, { from: '0', to: String(Date.now()) })).toMatchObject({ status: 200, body: { completed: expect.any(Array), failed: expect.any(Array) } });
  },

  'get /api/metrics/history/usage': async (stage, route) => expect((await stage.call(route)).status).toBe(200),
  'post /api/metrics/history/purge': async (stage, route) => expect((await stage.call(route)).status).toBe(200),
  'get /api/metrics/latency': async (stage, route) => expect(await stage.call(route, { metric: 'runtime' })).toEqual({ status: 200, body: [] }),
};
