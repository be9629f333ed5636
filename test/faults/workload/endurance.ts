import { readFileSync, rmSync } from 'node:fs';
import { setInterval as every } from 'node:timers/promises';
import { QueueKeys } from '../../../src/redis/keys.js';
import { temporaryDirectory } from '../../support/servers/guardian.js';
import { startRedis } from '../../support/servers/start-redis.js';
import { until } from '../../support/servers/until.js';
import { cutReplies, cutRequests, dropReplies, dropRequests } from '../infra/kinds/by-rule.js';
import { cutConnections } from '../infra/kinds/cut-connections.js';
import { runNemesis } from '../infra/nemesis.js';
import { startProxy } from '../infra/proxy/start-proxy.js';
import { Fleet, Producers } from './fleet.js';
import { scriptNames } from './script-names.js';

/** The resident memory of one process over time. */
export interface MemoryCurve {
  readonly process: string;
  /** [minutes since the start, MiB]. */
  readonly samples: readonly (readonly [number, number])[];
  /** After warm-up: the slope of a line through the medians of each minute, in percent of the mean an hour. */
  readonly growthPercentPerHour: number | undefined;
  readonly meanMb: number;
}

export interface EnduranceReport {
  readonly minutes: number;
  readonly jobs: number;
  readonly faults: number;
  readonly warmUpMinutes: number;
  readonly curves: readonly MemoryCurve[];
  /** What did not come to an end, or ended by itself. */
  readonly broken: readonly string[];
}

const sampleMs = 5_000;
const jobsPerS = 200;
const queue = 'endurance';

/** A worker and a producer that live through everything, on a Redis of their own, losing replies and connections all the while. */
export class Endurance {
  readonly #stop = new AbortController();
  readonly #running: Promise<EnduranceReport>;
  #curves: [string, [number, number][]][] = [];

  private constructor(seed: number) {
    this.#running = this.#run(seed);
    // Whoever asks for the report hears of it.
    this.#running.catch(() => undefined);
  }

  static start(seed: number): Endurance {
    return new Endurance(seed);
  }

  /** What the processes take now, in words. */
  get now(): string {
    return this.#curves.map(([name, samples]) => `${name} ${samples.at(-1)?.[1].toFixed(0) ?? '?'} MB`).join(', ');
  }

  /** Ends it and answers what was seen. */
  async finish(): Promise<EnduranceReport> {
    this.#stop.abort();
    return this.#running;
  }

  async #run(seed: number): Promise<EnduranceReport> {
    const startedAt = performance.now();
    const server = await startRedis({ name: queue });
    const proxies = await Promise.all([0, 1].map((i) => startProxy({ target: { host: server.host, port: server.port }, seed: seed * 10 + i, scripts: scriptNames })));
    const ways = proxies.map(({ host, port }) => ({ host, port }));
    const folder = temporaryDirectory(queue);
    const [fleet, producers] = [new Fleet(), new Producers()];
    const base = { folder, queue, leaseMs: 5_000 };
    try {
      await fleet.start([{ ...base, name: 'worker', connection: ways[0] ?? {}, concurrency: 10 }]);
      await producers.start([{ ...base, name: 'producer', connection: ways[1] ?? {}, seed: String(seed), flows: true, jobsPerS, most: Number.MAX_SAFE_INTEGER }]);
      const processes = [...fleet.workers(), ...producers.all()];
      this.#curves = processes.map(({ name }) => [name, []]);
      const faults = proxies.flatMap((proxy, i) => {
        const rule = { proxy: () => proxy, scripts: i === 1 ? ['enqueue'] : ['settle', 'renew'] };
        return [{ fault: dropReplies(rule) }, { fault: dropRequests(rule) }, { fault: cutReplies(rule) }, { fault: cutRequests(rule) }, { fault: cutConnections(() => proxy) }];
      });
      const { signal } = this.#stop;
      const nemesis = runNemesis({ seed: BigInt(seed), faults, durationMs: 2 ** 40, holdMs: [50, 500], gapMs: [500, 1_500], signal });
      const keys = new QueueKeys('drover', queue);
      for await (const _ of ticks(signal)) {
        const minute = (performance.now() - startedAt) / 60_000;
        for (const [i, { pid }] of processes.entries()) this.#curves[i]?.[1].push([minute, residentMb(pid)]);
        // Nobody reads the events here.
        for (const name of [queue, `${queue}-children`, `${queue}-limited`]) await (await server.control()).xtrim(new QueueKeys('drover', name).key('events'), 'MAXLEN', 1_000);
      }
      const { records } = await nemesis;
      await Promise.all(proxies.map((proxy) => proxy.heal({ silent: 'cut' })));
      const { asked, hung } = await producers.stop(60_000);
      const broken = [...hung, ...fleet.fallen().map(({ name, output }) => `${name} ended by itself: ${output.slice(-500)}`)];
      const control = await server.control();
      await until('all jobs have ended', async () => (await Promise.all((['wait', 'delayed', 'active', 'parents'] as const).map((set) => control.zcard(keys.key(set))))).every((count) => count === 0), { timeoutMs: 60_000, everyMs: 200 })
        .catch((error: unknown) => broken.push(String(error)));
      broken.push(...(await fleet.stop(30_000)));
      const minutes = (performance.now() - startedAt) / 60_000;
      const warmUpMinutes = Math.min(10, minutes / 4);
      return { minutes, jobs: asked, faults: records.length, warmUpMinutes, broken, curves: this.#curves.map(([process, samples]) => curve(process, samples, warmUpMinutes)) };
    } finally {
      await Promise.all([fleet.kill(), producers.kill()]);
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** One tick each `sampleMs` until the signal. */
async function* ticks(signal: AbortSignal): AsyncGenerator<void> {
  try {
    for await (const _ of every(sampleMs, undefined, { signal })) yield;
  } catch {
    // The signal ends it.
  }
}

function residentMb(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) / 1024;
  } catch {
    return NaN;
  }
}

/** Fits a line through the medians of each minute after warm-up (least squares). */
export function curve(process: string, samples: readonly (readonly [number, number])[], warmUpMinutes: number): MemoryCurve {
  const minutes = new Map<number, number[]>();
  for (const [at, mb] of samples) {
    if (at < warmUpMinutes || Number.isNaN(mb)) continue;
    minutes.set(Math.floor(at), [...(minutes.get(Math.floor(at)) ?? []), mb]);
  }
  const points = [...minutes].map(([minute, values]) => [minute, values.sort((a, b) => a - b)[values.length >> 1] ?? 0] as const);
  const mean = (pick: (point: readonly [number, number]) => number): number => points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const [meanX, meanMb] = [mean(([x]) => x), mean(([, y]) => y)];
  const spread = mean(([x]) => (x - meanX) ** 2);
  const slope = mean(([x, y]) => (x - meanX) * (y - meanMb)) / spread;
  const growth = points.length < 3 ? undefined : (slope * 60 * 100) / meanMb;
  return { process, samples, growthPercentPerHour: growth, meanMb };
}
