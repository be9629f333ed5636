import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Job, Queue } from '../../src/index.js';
import { startRedis } from '../support/servers/start-redis.js';
import type { RedisServer } from '../support/servers/redis-server.js';
import { snapshot } from '../support/state.js';
import type { Proxy } from './infra/proxy/start-proxy.js';
import { Bench } from './workload/open-bench.js';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.stop();
});

/** A call of the API that changes something: the script whose reply is lost, what comes before it, and the call. */
interface Case {
  readonly name: string;
  readonly script: string;
  readonly call: (queue: Queue, job: Job) => Promise<unknown>;
  /** Brings the job into the state that the call wants. Default: it waits. */
  readonly state?: 'delayed' | 'failed' | 'completed' | 'scheduled';
}

const day = 86_400_000;

const cases: readonly Case[] = [
  { name: 'queue.pause', script: 'pause', call: (queue) => queue.pause() },
  { name: 'queue.resume', script: 'pause', call: (queue) => queue.resume() },
  { name: 'queue.remove', script: 'remove', call: (queue, job) => queue.remove(job.id) },
  { name: 'job.remove', script: 'remove', call: (_queue, job) => job.remove() },
  { name: 'job.updateData', script: 'updateData', call: (_queue, job) => job.updateData({ other: 1 }) },
  { name: 'job.updateProgress', script: 'reportProgress', call: (_queue, job) => job.updateProgress(50) },
  { name: 'job.log', script: 'appendLog', call: (_queue, job) => job.log('a row') },
  { name: 'job.changePriority', script: 'reprioritize', call: (_queue, job) => job.changePriority({ priority: 3 }) },
  { name: 'job.changeDelay', script: 'reschedule', state: 'delayed', call: (_queue, job) => job.changeDelay(2 * day) },
  { name: 'job.promote', script: 'promote', state: 'delayed', call: (_queue, job) => job.promote() },
  { name: 'queue.promoteJobs', script: 'promote', state: 'delayed', call: (queue) => queue.promoteJobs() },
  { name: 'job.retry of a failed job', script: 'redrive', state: 'failed', call: (_queue, job) => job.retry() },
  { name: 'job.retry of a completed job', script: 'redrive', state: 'completed', call: (_queue, job) => job.retry('completed') },
  { name: 'queue.retryJobs', script: 'redrive', state: 'failed', call: (queue) => queue.retryJobs() },
  { name: 'queue.clean', script: 'clean', state: 'completed', call: (queue) => queue.clean(0, 100, 'completed') },
  { name: 'queue.drain', script: 'clean', call: (queue) => queue.drain() },
  { name: 'queue.upsertJobScheduler', script: 'upsertSchedule', call: (queue) => queue.upsertJobScheduler('nightly', { every: day }, { name: 'n' }).then((job) => typeof job.id) },
  { name: 'queue.removeJobScheduler', script: 'removeSchedule', state: 'scheduled', call: (queue) => queue.removeJobScheduler('nightly') },
];

async function prepare(bench: Bench, { state }: Case): Promise<void> {
  const queue = bench.queue();
  await queue.add('n', { tag: 1 }, { jobId: 'it', timestamp: 1, ...(state === 'delayed' ? { delay: day } : {}) });
  if (state === 'scheduled') await queue.upsertJobScheduler('nightly', { every: day }, { name: 'n' });
  if (state !== 'failed' && state !== 'completed') return;
  const worker = bench.handWorker({ name: 'hand', removeOnComplete: { count: 10 } });
  const taken = await worker.getNextJob('by hand', { block: false });
  if (state === 'failed') await taken?.moveToFailed(Object.assign(new Error('no'), { stack: 'no' }), 'by hand');
  else await taken?.moveToCompleted('yes', 'by hand');
}

/** What the call answers, and what it leaves behind. */
async function outcome(one: Case, name: string, fault: ((proxy: Proxy) => void) | undefined): Promise<unknown> {
  const bench = new Bench(server, name);
  try {
    await prepare(bench, one);
    const proxy = await bench.proxy();
    const queue = bench.queue(proxy);
    const job = await queue.getJob('it');
    if (!job) throw new Error('the job is not there');
    fault?.(proxy);
    const answer = await one.call(queue, job).catch((error: Error) => error.message);
    if (fault) expect(proxy.log.count('dropReply', one.script)).toBe(1);
    const { schedules: _slots, schedule: _plans, meta: _meta, ...state } = await snapshot(bench.queue(), { sessions: false });
    return { answer, state, paused: await bench.queue().isPaused() };
  } finally {
    await bench.close();
  }
}

describe.concurrent('a call whose reply was lost answers and leaves behind what it does undisturbed', () => {
  test.each(cases)('$name', async (one) => {
    const name = one.name.replace(/\W/g, '-');
    const calm = await outcome(one, `${name}-calm`, undefined);
    const faulty = await outcome(one, `${name}-lost`, (proxy) => void proxy.rule({ when: { script: one.script, nth: 1 }, then: 'dropReply' }));
    expect(faulty).toEqual(calm);
  });
});
