import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisServer } from '../../support/servers/redis-server.js';
import { startProxy, type Proxy } from '../infra/proxy/start-proxy.js';
import { stallsOf, type Address, type Engine, type EngineQueue } from './engines.js';

/** What became of the jobs of one trial. */
export interface Count {
  readonly added: number;
  readonly faults: number;
  /** Acknowledged and never run. */
  readonly lost: number;
  /** Run more than once under different ids: one `add` became several jobs. */
  readonly duplicated: number;
  /** Run again under the same id. */
  readonly runAgain: number;
  readonly failed: number;
  readonly failedUnrun: number;
  /** Calls of `add` that rejected or did not settle. */
  readonly unsettled: number;
  /** Neither completed nor failed at the end. */
  readonly stuck: number;
  /** The longest time without any job, from the fault on. */
  readonly longestPauseMs: number;
}

/** One engine on one queue: what was asked for, what ran, and the proxies in between. */
export class Trial {
  readonly engine: Engine;
  readonly name: string;
  readonly address: Address;
  readonly straight: EngineQueue;
  readonly #seed: number;
  readonly #runs = new Map<string, string[]>();
  readonly #acknowledged = new Set<string>();
  readonly #closables: { close(): Promise<unknown> }[] = [];
  readonly #proxies: Proxy[] = [];
  #unsettled = 0;
  #lastRun = 0;
  #longestPauseMs = 0;
  faults = 0;

  constructor(engine: Engine, server: RedisServer, seed: number, kind: string) {
    this.engine = engine;
    this.#seed = seed;
    this.address = { host: server.host, port: server.port };
    this.name = `${engine.name}-${kind}`;
    this.straight = this.#keep(engine.queue(this.name, this.address));
  }

  async proxy(): Promise<Proxy> {
    const proxy = await startProxy({ target: this.address, seed: this.#seed });
    this.#proxies.push(proxy);
    return proxy;
  }

  queue(through: Address): EngineQueue {
    return this.#keep(this.engine.queue(this.name, through));
  }

  worker(through: Address = this.address): void {
    this.#keep(this.engine.worker(this.name, through, async ({ id, tag, ms }) => {
      this.ran(tag, id);
      if (ms > 0) await pause(ms);
    }, stallsOf.default));
  }

  /** From now on the longest time without a job counts. */
  watch(): void {
    this.#lastRun = performance.now();
  }

  ran(tag: string, id: string): void {
    if (this.#lastRun > 0) {
      const now = performance.now();
      this.#longestPauseMs = Math.max(this.#longestPauseMs, now - this.#lastRun);
      this.#lastRun = now;
    }
    const ids = this.#runs.get(tag);
    if (ids) ids.push(id);
    else this.#runs.set(tag, [id]);
  }

  /** Adds one job; a call that has not settled after 15 s counts as unsettled. */
  async add(queue: EngineQueue, tag: string, ms = 0): Promise<void> {
    const adding = queue.add(tag, ms).then(() => this.#acknowledged.add(tag));
    const late = new AbortController();
    try {
      await Promise.race([adding, pause(15_000, undefined, { signal: late.signal }).then(() => Promise.reject(new Error('not settled')))]);
    } catch {
      this.#unsettled += 1;
    } finally {
      late.abort();
    }
  }

  /** Waits until no job is left, or none has run for `patienceMs`. */
  async drained(patienceMs: number): Promise<void> {
    let [seen, since] = [-1, performance.now()];
    for (;;) {
      if ((await this.straight.open()) === 0) return;
      const runs = [...this.#runs.values()].reduce((sum, ids) => sum + ids.length, 0);
      if (runs !== seen) [seen, since] = [runs, performance.now()];
      if (performance.now() - since > patienceMs) {
        if (this.#lastRun > 0) this.#longestPauseMs = Math.max(this.#longestPauseMs, performance.now() - this.#lastRun);
        return;
      }
      await pause(100);
    }
  }

  async count(): Promise<Count> {
    const failed = await this.straight.failed();
    const runs = [...this.#runs.values()];
    return {
      added: this.#acknowledged.size, faults: this.faults,
      lost: [...this.#acknowledged].filter((tag) => !this.#runs.has(tag) && !failed.includes(tag)).length,
      duplicated: runs.filter((ids) => new Set(ids).size > 1).length,
      runAgain: runs.reduce((sum, ids) => sum + ids.length - new Set(ids).size, 0),
      failed: failed.length, failedUnrun: failed.filter((tag) => !this.#runs.has(tag)).length,
      unsettled: this.#unsettled, stuck: await this.straight.open(), longestPauseMs: Math.round(this.#longestPauseMs),
    };
  }

  /** Some engines do not come to an end after a fault: nobody waits for that longer than 5 s. */
  async close(): Promise<void> {
    for (const proxy of this.#proxies) await proxy.heal({ silent: 'cut' });
    const closing = Promise.allSettled(this.#closables.map((one) => one.close()));
    await Promise.race([closing, pause(5_000)]);
    await Promise.race([Promise.all(this.#proxies.map((proxy) => proxy.stop())), pause(5_000)]);
  }

  #keep<T extends { close(): Promise<unknown> }>(one: T): T {
    this.#closables.push(one);
    return one;
  }
}
