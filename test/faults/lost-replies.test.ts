import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { startRedis } from '../support/servers/start-redis.js';
import type { RedisServer } from '../support/servers/redis-server.js';
import { until } from '../support/servers/until.js';
import { takeAndForget } from '../support/take-and-forget.js';
import type { Proxy } from './infra/proxy/start-proxy.js';
import type { RuleSpec } from './infra/proxy/rules.js';
import { Bench } from './workload/open-bench.js';

/** How many replies each script loses: `DROVER_LOST_REPLIES=1000` for the long form. */
const losses = Number(process.env['DROVER_LOST_REPLIES'] ?? 200);
const timeout = 60_000 + losses * 200;
/** Waits that are far longer than a call may take. */
const patience = { timeoutMs: timeout };

let server: RedisServer;

beforeAll(async () => {
  server = await startRedis();
});

afterAll(async () => {
  await server.stop();
});

async function openBench({ onTestFinished }: TestContext): Promise<{ bench: Bench; proxy: Proxy }> {
  const bench = new Bench(server);
  onTestFinished(() => bench.close());
  return { bench, proxy: await bench.proxy() };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const strike = (proxy: Proxy, then: 'dropReply' | 'dropRequest', script: string): ReturnType<Proxy['rule']> =>
  proxy.rule({ when: { script, nth: 1 }, then });

/** Everything has ended, nothing failed, nothing was left behind. */
async function expectAllGone(bench: Bench): Promise<void> {
  const queue = bench.queue();
  const counts = await until('the queue is empty', async () => {
    const now = await queue.getJobCounts();
    return Object.values(now).every((count) => count === 0) ? now : undefined;
  }, patience);
  expect(counts).toMatchObject({ failed: 0, active: 0 });
}

describe.concurrent.each(['dropReply', 'dropRequest'] as const)('after %s', (then) => {
  test('of enqueue: each job is added once, under the id that was answered', async (context) => {
    const { bench, proxy } = await openBench(context);
    const queue = bench.queue(proxy);
    bench.worker({ concurrency: 10 });
    const ids: string[] = [];
    for (const i of range(losses)) {
      const rule = strike(proxy, then, 'enqueue');
      const tagged = (part: number): { tag: string } => ({ tag: `${i}.${part}` });
      // Every way in: plain, special, under a name of its own, and many at once.
      const bulk = queue.addBulk(range(5).map((part) => ({ name: 'bulk', data: tagged(5 + part) })));
      const added = await Promise.all([
        queue.add('plain', tagged(0)),
        queue.add('delayed', tagged(1), { delay: i % 3 }),
        queue.add('urgent', tagged(2), { priority: 1 + (i % 3) }),
        queue.add('own', tagged(3), { jobId: `own-${i}` }),
        queue.add('alike', tagged(4), { deduplication: { id: `alike-${i}` } }),
      ]);
      expect(rule.hits).toBe(1);
      ids.push(...added.map((job) => job.id), ...(await bulk).map((job) => job.id));
    }
    await bench.ran(losses * 10);
    await expectAllGone(bench);
    expect(new Set(ids).size).toBe(losses * 10);
    expect(bench.repeated()).toEqual([]);
  }, timeout);

  test('of enqueue, by a process that also works: each job is handed over once', async (context) => {
    const { bench, proxy } = await openBench(context);
    const queue = bench.neighbours(proxy, { concurrency: 3 });
    for (const i of range(losses)) {
      await until('the worker rests', async () => bench.runs.length === i * 2 && (await queue.getActiveCount()) === 0, patience);
      const rule = strike(proxy, then, 'enqueue');
      await Promise.all([queue.add('one', { tag: `${i}.0` }), queue.add('other', { tag: `${i}.1` })]);
      expect(rule.hits).toBe(1);
      await bench.ran(2 * (i + 1));
    }
    await expectAllGone(bench);
    expect(bench.repeated()).toEqual([]);
  }, timeout);

  test('of takeFirst: a job that came with the end of a wait runs once, and at once', async (context) => {
    const { bench, proxy } = await openBench(context);
    const queue = bench.queue();
    bench.worker({ proxy, concurrency: 2 });
    const rule = proxy.rule({ when: { script: 'takeFirst', probability: 0.5 }, then });
    for (let tag = 0; rule.hits < losses; tag++) {
      await queue.add('n', { tag });
      await bench.ran(tag + 1, patience.timeoutMs);
      await until('it has ended', async () => (await queue.getActiveCount()) === 0, patience);
    }
    await expectAllGone(bench);
    expect(bench.repeated()).toEqual([]);
  }, timeout);

  test('of settle: each job runs once, and none fails that never ran', async (context) => {
    const { bench, proxy } = await openBench(context);
    const queue = bench.queue();
    const failing = (tag: number): boolean => tag % 10 === 3;
    bench.worker({
      proxy,
      concurrency: 4,
      handle: (job) => {
        if (failing((job.data as { tag: number }).tag) && job.attemptsMade === 0) throw new Error('the first attempt');
        return { done: true };
      },
    });
    // By chance and not every second one: with two calls under way that would always be the same one.
    const rule = proxy.rule({ when: { script: 'settle', probability: 0.4 }, then });
    let tag = 0;
    while (rule.hits < losses) {
      await queue.addBulk(range(20).map(() => ({ name: 'n', data: { tag: tag++ }, opts: { attempts: 2 } })));
      await bench.ran(range(tag).filter(failing).length + tag, timeout);
    }
    rule.remove();
    await expectAllGone(bench);
    const twice = bench.repeated().map(Number);
    expect(twice.sort((a, b) => a - b)).toEqual(range(tag).filter(failing));
    expect(bench.runs).toHaveLength(tag + twice.length);
  }, timeout);

  test('of renew: no lease is lost', async (context) => {
    const { bench } = await openBench(context);
    const queue = bench.queue();
    const workers = 8;
    let release = (): void => undefined;
    const done = new Promise<void>((resolve) => (release = resolve));
    const lost: string[] = [];
    const rules = await Promise.all(range(workers).map(async (i) => {
      const proxy = await bench.proxy(i);
      const worker = bench.worker({ proxy, lockDuration: 30_000, lockRenewTime: 1, handle: () => done });
      worker.on('leaseLost', (job) => void lost.push(job.id));
      return proxy.rule({ when: { script: 'renew', every: 2 }, then });
    }));
    await queue.addBulk(range(workers).map((tag) => ({ name: 'long', data: { tag } })));
    await until('enough renewals were struck', () => rules.reduce((sum, rule) => sum + rule.hits, 0) >= losses, patience);
    release();
    await expectAllGone(bench);
    expect([lost, bench.repeated(), bench.runs.length]).toEqual([[], [], workers]);
  }, timeout);

  test('of promote: each delayed job runs once', async (context) => {
    const { bench, proxy } = await openBench(context);
    const queue = bench.queue();
    bench.worker({ proxy, concurrency: 4 });
    const rule = proxy.rule({ when: { script: 'promote', every: 2 }, then });
    let tag = 0;
    while (rule.hits < losses) {
      const due = range(40).map((i) => ({ name: 'n', data: { tag: tag++ }, opts: { delay: 5 + i * 8 } }));
      await queue.addBulk(due);
      await bench.ran(tag, timeout);
    }
    rule.remove();
    await expectAllGone(bench);
    expect([bench.repeated(), bench.runs.length]).toEqual([[], tag]);
  }, timeout);

  test('of recover: a job that nobody started runs once and counts no stall', async (context) => {
    const { bench, proxy } = await openBench(context);
    const queue = bench.queue();
    const rule = proxy.rule({ when: { script: 'recover', every: 2 }, then });
    const stalls: unknown[] = [];
    let tag = 0;
    const worker = bench.worker({ proxy, concurrency: 4, autorun: false });
    worker.on('stalled', (id) => void stalls.push(id));
    void worker.run();
    await worker.pause(true);
    while (rule.hits < losses) {
      await queue.addBulk(range(30).map(() => ({ name: 'n', data: { tag: tag++ } })));
      // As when a take is lost for good; each lease ends at a time of its own.
      for (const i of range(30)) await takeAndForget(queue, 100 + 6 * i);
      void worker.resume();
      await bench.ran(tag, timeout);
      await worker.pause();
    }
    rule.remove();
    void worker.resume();
    await expectAllGone(bench);
    expect([bench.repeated(), bench.runs.length, stalls]).toEqual([[], tag, []]);
  }, timeout);
});

describe.concurrent('a reply that is lost for long', () => {
  test('adds no second job when the first has run and is gone', async (context) => {
    const { bench, proxy } = await openBench(context);
    const queue = bench.queue(proxy);
    bench.worker();
    for (const tag of range(20)) {
      const dropped = strike(proxy, 'dropReply', 'enqueue');
      const adding = queue.add('n', { tag });
      await dropped.fired();
      proxy.refuse();
      await bench.ran(tag + 1);
      await expectAllGone(bench);
      await proxy.accept();
      await adding;
    }
    await expectAllGone(bench);
    expect([bench.repeated(), bench.runs.length]).toEqual([[], 20]);
  }, timeout);
});

describe.concurrent('a cut at any byte', () => {
  const cuts: { then: 'cutRequest' | 'cutReply'; bytes: number; step: number }[] = [
    { then: 'cutRequest', bytes: 900, step: losses >= 1_000 ? 1 : 4 },
    { then: 'cutReply', bytes: 60, step: 1 },
  ];

  test.each(cuts)('of enqueue ($then) adds one job', async ({ then, bytes, step }) => {
    const bench = new Bench(server);
    try {
      const proxy = await bench.proxy();
      const queue = bench.queue(proxy);
      bench.worker({ concurrency: 10 });
      let tag = 0;
      for (let at = 0; at < bytes; at += step) {
        proxy.rule({ when: { script: 'enqueue', nth: 1 }, then, at });
        await queue.add('n', { tag: tag++ });
        proxy.clearRules();
      }
      await bench.ran(tag);
      await expectAllGone(bench);
      expect([bench.repeated(), bench.runs.length]).toEqual([[], tag]);
    } finally {
      await bench.close();
    }
  }, timeout);

  test.each(cuts)('of settle ($then) settles one job and takes the next', async ({ then, bytes, step }) => {
    const bench = new Bench(server);
    try {
      const proxy = await bench.proxy();
      const queue = bench.queue();
      bench.worker({ proxy });
      let tag = 0;
      for (let at = 0; at < bytes * 2; at += step) {
        const spec: RuleSpec = { when: { script: 'settle', nth: 1 }, then, at };
        const rule = proxy.rule(spec);
        await queue.add('n', { tag: tag++ });
        await bench.ran(tag);
        await rule.fired();
      }
      await expectAllGone(bench);
      expect([bench.repeated(), bench.runs.length]).toEqual([[], tag]);
    } finally {
      await bench.close();
    }
  }, timeout);
});
