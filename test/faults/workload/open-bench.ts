import type { RedisOptions } from 'ioredis';
import { Queue, Worker, type Processor, type WorkerOptions } from '../../../src/index.js';
import { startProxy, type Proxy } from '../infra/proxy/start-proxy.js';
import type { RedisServer } from '../../support/servers/redis-server.js';
import { scriptNames } from './script-names.js';

let benches = 0;

/** One queue on a server, clients of it straight and through proxies of their own, and a log of what ran. */
export class Bench {
  readonly server: RedisServer;
  readonly name: string;
  /** Tags of jobs in the order in which their handlers began. */
  readonly runs: string[] = [];
  /** What workers reported. */
  readonly errors: Error[] = [];
  readonly #closables: { close(force?: boolean): Promise<unknown> }[] = [];
  readonly #proxies: Proxy[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(server: RedisServer, name = `q${++benches}`) {
    this.server = server;
    this.name = name;
  }

  async proxy(seed = 1): Promise<Proxy> {
    const { host, port } = this.server;
    const proxy = await startProxy({ target: { host, port }, seed, scripts: scriptNames });
    this.#proxies.push(proxy);
    return proxy;
  }

  queue(proxy?: Proxy): Queue {
    return this.#keep(new Queue(this.name, { connection: this.#connection(proxy) }));
  }

  /** A worker that logs what it runs; `handle` may do more. */
  worker(options: Partial<WorkerOptions> & { proxy?: Proxy; handle?: Processor } = {}): Worker {
    const { proxy, handle, ...rest } = options;
    const processor: Processor = async (job, token, signal) => {
      this.runs.push(String((job.data as { tag: unknown }).tag));
      for (const look of this.#watchers) look();
      return typeof handle === 'function' ? (handle(job, token, signal) as unknown) : undefined;
    };
    const worker = new Worker(this.name, processor, {
      connection: this.#connection(proxy), lockDuration: 60_000, maxStalledCount: 0, runRetryDelay: 20, removeOnComplete: { count: 0 }, ...rest,
    });
    worker.on('error', (error) => void this.errors.push(error));
    return this.#keep(worker);
  }

  /** A queue and a worker on one connection: jobs are handed over with the calls that add them. */
  neighbours({ host, port }: Proxy, options: Partial<WorkerOptions>): Queue {
    const connection = { host, port };
    this.worker({ ...options, connection });
    return this.#keep(new Queue(this.name, { connection }));
  }

  /** A worker from which jobs are taken by hand. */
  handWorker(options: Partial<WorkerOptions> = {}): Worker {
    const { host, port } = this.server;
    return this.#keep(new Worker(this.name, null, { connection: { host, port }, ...options }));
  }

  /** Resolves when this many runs have begun. */
  ran(count: number, timeoutMs = 60_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (error?: Error): void => {
        clearTimeout(late);
        this.#watchers.delete(look);
        if (error) reject(error);
        else resolve();
      };
      const look = (): void => void (this.runs.length >= count && finish());
      const late = setTimeout(() => finish(new Error(`${this.runs.length} runs of ${count} in ${timeoutMs} ms`)), timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }

  /** Tags that ran more than once. */
  repeated(): string[] {
    const seen = new Set<string>();
    return this.runs.filter((tag) => seen.size === seen.add(tag).size);
  }

  async close(): Promise<void> {
    for (const proxy of this.#proxies) await proxy.heal({ silent: 'cut' });
    await Promise.all(this.#closables.map((one) => one.close(true)));
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
  }

  /** A connection of its own each: clients must not share the faults of others. */
  #connection(proxy?: Proxy): RedisOptions {
    const { host, port } = proxy ?? this.server;
    return { host, port, retryStrategy: (times) => Math.min(2 * times, 50) };
  }

  #keep<T extends { close(force?: boolean): Promise<unknown> }>(one: T): T {
    this.#closables.push(one);
    return one;
  }
}
