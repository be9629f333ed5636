import { Redis } from 'ioredis';
import { address } from './peers/peer.js';

/** Counters that only grow; the difference of two snapshots is what happened in between. */
export interface Snapshot {
  readonly at: number;
  readonly nodeCpuUs: number;
  /** CPU time of the Redis main thread, the one that runs commands. */
  readonly redisCpuUs: number;
  /** Commands run by Redis, those inside scripts included. */
  readonly commands: number;
  readonly scriptCalls: number;
  readonly bytes: number;
}

/** What a window of time gave and cost, per job. */
export interface Costs extends Record<string, number> {
  jobsPerSecond: number;
  redisCpuUs: number;
  nodeCpuUs: number;
  commands: number;
  scriptCalls: number;
  bytes: number;
}

/** The measuring side's own connection to the Redis under test. */
export class Probe {
  readonly #redis: Redis;

  private constructor(redis: Redis) {
    this.#redis = redis;
  }

  static async open(url: string): Promise<Probe> {
    const redis = new Redis({ ...address(url), lazyConnect: true });
    redis.on('error', () => undefined);
    await redis.connect();
    return new Probe(redis);
  }

  get redis(): Redis {
    return this.#redis;
  }

  async snapshot(): Promise<Snapshot> {
    const info = await this.info('cpu', 'stats', 'commandstats');
    return {
      at: performance.now(),
      nodeCpuUs: nodeCpuUs(),
      redisCpuUs: 1e6 * (mainThread(info, 'user') + mainThread(info, 'sys')),
      commands: Number(info['total_commands_processed']),
      scriptCalls: ['eval', 'evalsha', 'fcall'].reduce((sum, name) => sum + calls(info, name), 0),
      bytes: Number(info['total_net_input_bytes']) + Number(info['total_net_output_bytes']),
    };
  }

  /** Runs `work` for `jobs` jobs and returns what it cost. `work` may return another time span, in ms, than its own. */
  async measure(jobs: number, work: () => Promise<number | void>): Promise<Costs> {
    const before = await this.snapshot();
    const startedAt = performance.now();
    const elapsedMs = (await work()) ?? performance.now() - startedAt;
    const after = await this.snapshot();
    return perJob(jobs, elapsedMs, before, after);
  }

  async usedMemory(): Promise<number> {
    return Number((await this.info('memory'))['used_memory']);
  }

  async info(...sections: string[]): Promise<Record<string, string>> {
    const text = await this.#redis.info(...sections);
    const lines = text.split('\r\n').filter((line) => line.includes(':'));
    return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
  }

  async flush(): Promise<void> {
    await this.#redis.flushdb('SYNC');
  }

  async close(): Promise<void> {
    await this.#redis.quit();
  }
}

/** The clock that all processes of the machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** CPU time of this process, all of its threads. */
export function nodeCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

export function perJob(jobs: number, elapsedMs: number, before: Snapshot, after: Snapshot): Costs {
  return {
    jobsPerSecond: (1_000 * jobs) / elapsedMs,
    redisCpuUs: (after.redisCpuUs - before.redisCpuUs) / jobs,
    nodeCpuUs: (after.nodeCpuUs - before.nodeCpuUs) / jobs,
    commands: (after.commands - before.commands) / jobs,
    scriptCalls: (after.scriptCalls - before.scriptCalls) / jobs,
    bytes: (after.bytes - before.bytes) / jobs,
  };
}

function mainThread(info: Record<string, string>, kind: 'user' | 'sys'): number {
  return Number(info[`used_cpu_${kind}_main_thread`] ?? info[`used_cpu_${kind}`]);
}

function calls(info: Record<string, string>, command: string): number {
  return Number(/calls=(\d+)/.exec(info[`cmdstat_${command}`] ?? '')?.[1] ?? 0);
}
