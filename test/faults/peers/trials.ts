import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryDirectory } from '../../support/servers/guardian.js';
import type { RedisServer } from '../../support/servers/redis-server.js';
import { until } from '../../support/servers/until.js';
import { readHistory } from '../infra/history.js';
import { spawnNode, type NodeProcess } from '../infra/processes.js';
import type { Engine } from './engines.js';
import { Trial, type Count } from './trial.js';

export interface TrialOptions {
  readonly engine: Engine;
  readonly server: RedisServer;
  readonly seed: number;
  /** How many jobs, and how many faults at most. */
  readonly jobs: number;
}

/** How long nothing may happen before a trial is taken as over. */
const patienceMs = 30_000;
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The same faults for every engine; what they do is done by the proxy and by the kernel, and knows no engine. */
export const trials: Readonly<Record<string, (options: TrialOptions) => Promise<Count>>> = {
  'the reply to each add is lost': (options) => within(options, 'adds', async (trial) => {
    const proxy = await trial.proxy();
    const queue = trial.queue(proxy);
    await queue.open();
    for (const i of range(options.jobs)) {
      const rule = proxy.rule({ when: { command: 'evalsha', nth: 1 }, then: 'dropReply' });
      await trial.add(queue, `${i}`);
      trial.faults += rule.hits;
      rule.remove();
    }
    trial.worker();
    await trial.drained(patienceMs);
  }),

  'a worker loses every third reply': (options) => within(options, 'replies', async (trial) => {
    const proxy = await trial.proxy();
    for (const i of range(options.jobs)) await trial.add(trial.straight, `${i}`, 5);
    const rule = proxy.rule({ when: { command: 'evalsha', probability: 0.33 }, then: 'dropReply' });
    trial.worker(proxy);
    await trial.drained(patienceMs);
    trial.faults = rule.hits;
  }),

  'the sockets of a worker fall silent': (options) => within(options, 'half-open', async (trial) => {
    const proxy = await trial.proxy();
    trial.worker(proxy);
    for (const i of range(10)) await trial.add(trial.straight, `before ${i}`);
    await trial.drained(patienceMs);
    for (const i of range(3)) {
      trial.watch();
      trial.faults += proxy.blackhole({ existing: true }) > 0 ? 1 : 0;
      for (const k of range(10)) await trial.add(trial.straight, `silent ${i}.${k}`);
      await trial.drained(patienceMs);
    }
  }),

  'kill -9 of a worker': (options) => within(options, 'kill', kills(options.jobs)),
};

/** Ten times the only worker is killed while it runs ten jobs at a time; another takes its place at once. */
function kills(jobs: number): (trial: Trial) => Promise<void> {
  return async (trial) => {
    const folder = temporaryDirectory('peers');
    const start = (): Promise<NodeProcess> => spawnNode(new URL('./worker.ts', import.meta.url), {
      name: 'worker', args: [JSON.stringify({ engine: trial.engine.name, queue: trial.name, address: trial.address, folder })],
    });
    let worker = await start();
    try {
      for (const i of range(jobs)) await trial.add(trial.straight, `${i}`, 100);
      for (let left = await trial.straight.open(), kill = 0; kill < 10 && left > 0; kill += 1) {
        const before = left;
        await until('some jobs are done', async () => (left = await trial.straight.open()) < before, { timeoutMs: patienceMs }).catch(() => undefined);
        await worker.kill9();
        trial.faults += 1;
        worker = await start();
      }
      await until('all jobs are done', async () => (await trial.straight.open()) === 0, { timeoutMs: 3 * patienceMs, everyMs: 100 }).catch(() => undefined);
      for await (const event of readHistory(folder)) if (event.type === 'start') trial.ran(event.value as string, event.job);
    } finally {
      await worker.kill9();
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

async function within({ engine, server, seed }: TrialOptions, kind: string, work: (trial: Trial) => Promise<void>): Promise<Count> {
  const trial = new Trial(engine, server, seed, kind);
  try {
    await work(trial);
    await pause(100);
    return await trial.count();
  } finally {
    await trial.close();
  }
}
