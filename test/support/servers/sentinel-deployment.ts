import type { RedisOptions } from 'ioredis';
import { serverAt, stopAll } from './deployment.js';
import type { RedisServer } from './redis-server.js';
import { until } from './until.js';

export interface SentinelParts {
  readonly name: string;
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
}

/** A primary with replicas, watched by sentinels. */
export class SentinelDeployment {
  readonly name: string;
  /** Primary and replicas, in the order of their start. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];

  constructor({ name, servers, sentinels }: SentinelParts) {
    this.name = name;
    this.servers = [...servers];
    this.sentinels = [...sentinels];
  }

  /** How an ioredis client finds the primary through the sentinels. */
  address(): RedisOptions & { name: string } {
    const { password } = this.#first().address();
    return {
      name: this.name,
      sentinels: this.sentinels.map(({ host, port }) => ({ host, port })),
      ...(password === undefined ? {} : { password }),
    };
  }

  /** The server that most sentinels name as the primary. */
  async primary(): Promise<RedisServer> {
    const port = await this.#agreedPort();
    if (port === undefined) throw new Error('the sentinels do not agree on a primary');
    return serverAt(this.servers, port);
  }

  async replicas(): Promise<RedisServer[]> {
    const primary = await this.primary();
    return this.servers.filter((server) => server !== primary);
  }

  /** Waits until every sentinel sees the primary, all replicas and all other sentinels as healthy. */
  async ready(): Promise<void> {
    await until('the sentinels know everyone', async () => {
      const views = await Promise.all(this.sentinels.map((sentinel) => this.#masterAsSeenBy(sentinel)));
      return views.every(
        (view) =>
          view.get('flags') === 'master' &&
          view.get('num-slaves') === String(this.servers.length - 1) &&
          view.get('num-other-sentinels') === String(this.sentinels.length - 1),
      );
    }, { timeoutMs: 30_000, everyMs: 50 });
    await until('every replica follows the primary', () => this.#everyoneFollows(), { timeoutMs: 30_000, everyMs: 50 });
  }

  /** kill -9 of the primary; returns the dead server. */
  async killPrimary(): Promise<RedisServer> {
    const primary = await this.primary();
    await primary.kill9();
    return primary;
  }

  /** SIGSTOP of the primary; returns the frozen server. */
  async freezePrimary(): Promise<RedisServer> {
    const primary = await this.primary();
    await primary.freeze();
    return primary;
  }

  /** Waits until most sentinels name another primary than `old`, and that server holds itself for one. */
  async waitForNewPrimary(old: RedisServer, timeoutMs = 30_000): Promise<RedisServer> {
    return until(`a primary other than ${old.name}`, async () => {
      const port = await this.#agreedPort();
      if (port === undefined || port === old.port) return undefined;
      const candidate = serverAt(this.servers, port);
      const replication = await candidate.info('replication');
      return replication.get('role') === 'master' ? candidate : undefined;
    }, { timeoutMs, everyMs: 20 });
  }

  /** Makes `replica` the primary, however far it lags, by a failover in which nobody else may be elected. */
  async promote(replica: RedisServer): Promise<void> {
    const old = await this.primary();
    const others = this.servers.filter((server) => server !== replica && server.running);
    await Promise.all(others.map((server) => setPriority(server, 0)));
    await setPriority(replica, 100);
    await until('the sentinels know the priorities', () => this.#onlyElectable(replica, old), { timeoutMs: 30_000 });
    const [sentinel] = this.sentinels;
    if (!sentinel) throw new Error('a deployment without sentinels cannot fail over');
    const control = await sentinel.control();
    await until('the failover is accepted', () => control.call('SENTINEL', 'FAILOVER', this.name), { everyMs: 100 });
    await this.waitForNewPrimary(old);
    // The sentinels cut all connections to a server that they make a replica.
    await Promise.all(others.map((server) => until(`${server.name} takes its priority back`, async () => {
      await setPriority(server, 100);
      return true;
    })));
  }

  async stop(): Promise<void> {
    await stopAll([...this.sentinels, ...this.servers]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #everyoneFollows(): Promise<boolean> {
    const primary = await this.primary();
    const followers = this.servers.filter((server) => server !== primary);
    const states = await Promise.all(followers.map((server) => server.info('replication')));
    const views = (await Promise.all(this.sentinels.map((sentinel) => this.#replicasAsSeenBy(sentinel)))).flat();
    return (
      states.every((state) => state.get('master_port') === String(primary.port) && state.get('master_link_status') === 'up') &&
      views.every((view) => view.get('flags') === 'slave' && view.get('master-link-status') === 'ok')
    );
  }

  async #agreedPort(): Promise<number | undefined> {
    const votes = new Map<number, number>();
    const running = this.sentinels.filter((sentinel) => sentinel.running);
    for (const port of await Promise.all(running.map((sentinel) => this.#portAsSeenBy(sentinel)))) {
      if (port !== undefined) votes.set(port, (votes.get(port) ?? 0) + 1);
    }
    return [...votes].find(([, count]) => count > this.sentinels.length / 2)?.[0];
  }

  async #portAsSeenBy(sentinel: RedisServer): Promise<number | undefined> {
    const control = await sentinel.control();
    const address = await control.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name);
    return Array.isArray(address) ? Number(address[1]) : undefined;
  }

  async #masterAsSeenBy(sentinel: RedisServer): Promise<Map<string, string>> {
    const control = await sentinel.control();
    return pairs(await control.call('SENTINEL', 'MASTER', this.name));
  }

  async #replicasAsSeenBy(sentinel: RedisServer): Promise<Map<string, string>[]> {
    const control = await sentinel.control();
    const replicas = await control.call('SENTINEL', 'REPLICAS', this.name);
    return Array.isArray(replicas) ? replicas.map(pairs) : [];
  }

  async #onlyElectable(replica: RedisServer, primary: RedisServer): Promise<boolean> {
    const views = (await Promise.all(this.sentinels.map((sentinel) => this.#replicasAsSeenBy(sentinel)))).flat();
    return views
      .filter((view) => view.get('port') !== String(primary.port))
      .every((view) => (view.get('slave-priority') !== '0') === (view.get('port') === String(replica.port)));
  }

  #first(): RedisServer {
    const [first] = this.servers;
    if (!first) throw new Error('a deployment without servers');
    return first;
  }
}

async function setPriority(server: RedisServer, priority: number): Promise<void> {
  const control = await server.control();
  await control.config('SET', 'replica-priority', priority);
}

/** A flat list of names and values, or a map of RESP3 flattened by the client, as a map. */
function pairs(flat: unknown): Map<string, string> {
  if (!Array.isArray(flat)) throw new Error('the sentinel did not answer with a list');
  const texts = flat.map(String);
  return new Map(texts.flatMap((name, index) => (index % 2 === 0 ? [[name, texts[index + 1] ?? ''] as const] : [])));
}
