import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../../support/servers/free-port.js';
import { Random } from '../random.js';
import { FaultLog } from './fault-log.js';
import { ProxiedConnection, type Target } from './proxied-connection.js';
import { Rules, type Direction, type Rule, type RuleSpec } from './rules.js';

export interface StartProxyOptions {
  readonly target: Target;
  /** Everything that the proxy draws comes from here. */
  readonly seed: number | bigint;
  /** Names of scripts by their SHA-1; more can be told later. */
  readonly scripts?: Readonly<Record<string, string>>;
  /** Forward bytes without looking at them, as TLS needs: rules then match nothing. Default false. */
  readonly blind?: boolean;
}

export interface BlackholeOptions {
  /** What is swallowed. Default both. */
  readonly direction?: Direction;
  /** The connections of now. Default true. */
  readonly existing?: boolean;
  /** The connections to come; they are accepted. Default false. */
  readonly future?: boolean;
}

export interface HealOptions {
  /** What becomes of silent connections: what was held goes on, as after a partition, or they are cut. Default `release`. */
  readonly silent?: 'release' | 'cut';
}

/** Starts a proxy before a Redis server on a free loopback port. */
export async function startProxy(options: StartProxyOptions): Promise<Proxy> {
  for (let tries = 1; ; tries += 1) {
    const proxy = new Proxy(options, await freePort());
    try {
      await proxy.listen();
      return proxy;
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

/** A TCP proxy that knows requests and replies, and does to them what its rules say. */
export class Proxy {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly log = new FaultLog();
  readonly #options: StartProxyOptions;
  readonly #names: Map<string, string>;
  readonly #rules: Rules;
  readonly #connections = new Set<ProxiedConnection>();
  #listener: Server | undefined;
  #futureSilence: Direction | undefined;

  constructor(options: StartProxyOptions, port: number) {
    this.port = port;
    this.#options = options;
    this.#names = new Map(Object.entries(options.scripts ?? {}));
    this.#rules = new Rules(new Random(options.seed).fork('proxy'), this.log);
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Tells the name of a script by its SHA-1. */
  nameScript(sha: string, name: string): void {
    this.#names.set(sha, name);
  }

  /** Makes a rule; of several that are due for a request, the first made decides. */
  rule(spec: RuleSpec): Rule {
    return this.#rules.add(spec);
  }

  clearRules(): void {
    this.#rules.clear();
  }

  /** Resets every connection, on both sides. Returns how many. */
  cutAll(): number {
    for (const connection of this.#connections) {
      connection.cut();
      this.log.fault('cutConnection', 'all');
    }
    return this.#connections.size;
  }

  /** Lets connections fall silent while their sockets stay open. Returns how many of now are concerned. */
  blackhole({ direction = 'both', existing = true, future = false }: BlackholeOptions = {}): number {
    if (future) this.#futureSilence = direction;
    const concerned = existing ? [...this.#connections] : [];
    for (const connection of concerned) connection.silence(direction);
    this.log.fault('blackhole', future ? (existing ? 'all' : 'future') : 'existing');
    return concerned.length;
  }

  /** Closes the port: whoever connects now gets ECONNREFUSED. Existing connections stay. */
  refuse(): void {
    this.#listener?.close();
    this.#listener = undefined;
    this.log.fault('refuse', 'all');
  }

  /** Ends every fault: rules, black holes, refusal. */
  async heal(options: HealOptions = {}): Promise<void> {
    this.clearRules();
    this.endBlackhole(options);
    await this.accept();
  }

  /** Ends all black holes. */
  endBlackhole({ silent = 'release' }: HealOptions = {}): void {
    this.#futureSilence = undefined;
    for (const connection of this.#connections) {
      if (!connection.silent) continue;
      if (silent === 'cut') connection.cut();
      else connection.release();
    }
  }

  /** Ends a refusal. */
  async accept(): Promise<void> {
    if (!this.#listener) await this.listen();
  }

  /** Opens the port. */
  listen(): Promise<void> {
    const listener = createServer({ noDelay: true }, (client) => this.#accept(client));
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(this.port, this.host, () => {
        this.#listener = listener;
        resolve();
      });
    });
  }

  /** Closes the port and every connection. */
  async stop(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    const closed = [...this.#connections].map((connection) => connection.closed);
    for (const connection of this.#connections) connection.cut();
    await Promise.all(closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(client: Socket): void {
    const { target, blind = false } = this.#options;
    const connection = new ProxiedConnection({ client, target, rules: this.#rules, names: this.#names, blind });
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    if (this.#futureSilence) connection.silence(this.#futureSilence);
  }
}
