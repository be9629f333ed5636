import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FlowProducer, Queue } from '../../src/index.js';
import { temporaryDirectory } from '../support/servers/guardian.js';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis } from '../support/servers/start-redis.js';
import { until } from '../support/servers/until.js';
import { readHistory } from './infra/history.js';
import { spawnNode, type NodeProcess } from './infra/processes.js';
import { startProxy } from './infra/proxy/start-proxy.js';
import { scriptNames } from './workload/script-names.js';
import { childrenOf, type JobData, type WorkerSpec } from './workload/spec.js';

/** At how many calls a worker is killed: all of them in the long form of the lost replies. */
const most = Number(process.env['DROVER_LOST_REPLIES'] ?? 0) >= 1_000 ? Infinity : 2;
const timeout = most === Infinity ? 1_800_000 : 240_000;
const entry = new URL('./workload/worker.ts', import.meta.url);

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.stop();
});

const job = (tag: string, data: Partial<JobData> = {}): JobData => ({ tag, ms: 0, fails: 0, ...data });

/** Jobs whose lives go through all the calls of a worker. */
async function fill(name: string): Promise<{ queue: Queue; children: Queue }> {
  const connection = { host: server.host, port: server.port };
  const [queue, children, flows] = [new Queue(name, { connection }), new Queue(childrenOf(name), { connection }), new FlowProducer({ connection })];
  await queue.addBulk([
    { name: 'plain', data: job('plain') },
    { name: 'long', data: job('long', { ms: 400 }) },
    { name: 'failing', data: job('failing', { fails: 1 }), opts: { attempts: 2, backoff: 20 } },
    { name: 'delayed', data: job('delayed'), opts: { delay: 50 } },
  ]);
  await flows.add({ name: 'parent', queueName: name, data: job('parent', { children: 1 }), children: [{ name: 'child', queueName: children.name, data: job('child') }] });
  await flows.close();
  return { queue, children };
}

async function left({ queue, children }: { queue: Queue; children: Queue }): Promise<number> {
  const counts = await Promise.all([queue, children].map((each) => each.getJobCounts('waiting', 'active', 'delayed', 'waiting-children')));
  return counts.flatMap((count) => Object.values(count)).reduce((sum, count) => sum + count, 0);
}

/** Kills a worker at its `nth` call; answers whether it came to that call, and how often each job began and went well. */
async function killAt(nth: number, side: 'before' | 'after'): Promise<{ killed: boolean; began: Map<string, number>; done: string[]; failed: number; deaf: number }> {
  const [folder, name] = [temporaryDirectory('killed'), `killed-${side}-${nth}`];
  const proxy = await startProxy({ target: { host: server.host, port: server.port }, seed: nth, scripts: scriptNames });
  const queues = await fill(name);
  const spec = (worker: string, connection: WorkerSpec['connection']): WorkerSpec => ({ folder, name: worker, queue: name, connection, leaseMs: 400, concurrency: 2 });
  const start = (one: WorkerSpec): Promise<NodeProcess> => spawnNode(entry, { name: one.name, args: [JSON.stringify(one)] });
  // A silent connection, and not a cut one: nothing may come after that call.
  const rule = proxy.rule({ when: { script: Object.values(scriptNames), nth }, then: 'blackhole', direction: side === 'before' ? 'both' : 'replies' });
  const workers = [await start(spec('first', { host: proxy.host, port: proxy.port }))];
  try {
    await until('the call has come, or all is done', async () => rule.hits > 0 || (await left(queues)) === 0, { timeoutMs: 120_000 });
    const killed = rule.hits > 0;
    await workers[0]?.kill9();
    workers.push(await start(spec('second', { host: server.host, port: server.port })));
    await until('all jobs have ended', async () => (await left(queues)) === 0, { timeoutMs: 120_000 });
    const [began, done, failed] = [new Map<string, number>(), new Array<string>(), await queues.queue.getFailedCount()];
    const tags = new Map<string, string>();
    let deaf = 0;
    for await (const event of readHistory(folder)) {
      if (event.type === 'start') {
        const { tag, heard, children } = event.value as unknown as { tag: string; heard?: number; children?: number };
        tags.set(event.job, tag);
        began.set(tag, (began.get(tag) ?? 0) + 1);
        if (heard !== children) deaf += 1;
      }
      if (event.type === 'end' && event.value === 'done') done.push(tags.get(event.job) ?? '');
    }
    return { killed, began, done, failed, deaf };
  } finally {
    await Promise.all(workers.map((worker) => worker.kill9()));
    await Promise.all([queues.queue.close(), queues.children.close(), proxy.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.concurrent.each(['before', 'after'] as const)('a worker that is killed right %s one of its calls', (side) => {
  test(`loses no job and fails none, at each of its first ${most} calls`, async () => {
    let calls = 0;
    for (let nth = 1; nth <= most; nth += 1) {
      const { killed, began, done, failed, deaf } = await killAt(nth, side);
      if (!killed) break;
      calls += 1;
      const where = `${side} call ${nth}`;
      expect([...new Set(done)].sort(), where).toEqual(['child', 'delayed', 'failing', 'long', 'parent', 'plain']);
      expect({ failed, deaf }, where).toEqual({ failed: 0, deaf: 0 });
      // Once more than without the kill, at most.
      for (const [tag, times] of began) expect(times, `${tag}, ${where}`).toBeLessThanOrEqual(tag === 'failing' ? 3 : 2);
    }
    expect(calls).toBeGreaterThanOrEqual(Math.min(most, 8));
  }, timeout);
});
