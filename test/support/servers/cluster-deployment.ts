import { Cluster, type ClusterOptions } from 'ioredis';
import { migrateSlot, type MigrateSlotOptions } from './migrate-slot.js';
import { serverAt, stopAll } from './deployment.js';
import { fields, type RedisServer, type ServerAddress } from './redis-server.js';
import { until } from './until.js';

export interface Shard {
  readonly primary: RedisServer;
  readonly replicas: readonly RedisServer[];
}

/** One line of CLUSTER NODES. */
interface NodeLine {
  readonly id: string;
  readonly port: number;
  readonly flags: readonly string[];
  readonly primaryId: string;
  readonly linked: boolean;
  readonly ranges: readonly (readonly [number, number])[];
}

/** Cluster nodes that hold all slots between them. */
export class ClusterDeployment {
  readonly nodes: readonly RedisServer[];
  readonly #clients = new Set<Cluster>();

  constructor(nodes: readonly RedisServer[]) {
    this.nodes = [...nodes];
  }

  /** The nodes at which a client may begin. */
  addresses(): ServerAddress[] {
    return this.nodes.map((node) => node.address());
  }

  /** A new cluster client, closed with the cluster at the latest. */
  connect(options: ClusterOptions = {}): Cluster {
    const password = this.#first().address().password;
    const redisOptions = { ...(password === undefined ? {} : { password }), ...options.redisOptions };
    const nodes = this.nodes.map(({ host, port }) => ({ host, port }));
    const client = new Cluster(nodes, { ...options, redisOptions });
    client.on('error', () => undefined);
    this.#clients.add(client);
    return client;
  }

  /** Waits until every running node calls the cluster healthy and all of them draw the same map. */
  async waitReady(): Promise<void> {
    await until('the cluster is healthy and of one mind', async () => {
      const running = this.nodes.filter((node) => node.running);
      const healthy = await Promise.all(running.map(isHealthy));
      const maps = await Promise.all(running.map((node) => this.#mapSeenBy(node)));
      return healthy.every(Boolean) && new Set(maps).size === 1;
    }, { timeoutMs: 30_000, everyMs: 20 });
  }

  /** Each primary with its replicas, in the order of the slots. */
  async shards(): Promise<Shard[]> {
    const lines = await nodeLines(this.#anyRunning());
    const primaries = lines.filter((line) => line.ranges.length > 0).sort((a, b) => firstSlot(a) - firstSlot(b));
    return primaries.map(({ id, port }) => ({
      primary: serverAt(this.nodes, port),
      replicas: lines.filter((line) => line.primaryId === id).map((line) => serverAt(this.nodes, line.port)),
    }));
  }

  /** The slot of a key. */
  async slotOf(key: string): Promise<number> {
    const control = await this.#anyRunning().control();
    return Number(await control.call('CLUSTER', 'KEYSLOT', key));
  }

  /** The primary that holds a slot. */
  async ownerOf(slot: number): Promise<RedisServer> {
    const lines = await nodeLines(this.#anyRunning());
    const owner = lines.find((line) => line.ranges.some(([first, last]) => slot >= first && slot <= last));
    if (!owner) throw new Error(`nobody owns slot ${slot}`);
    return serverAt(this.nodes, owner.port);
  }

  /** Moves a slot one key at a time, so that for a while its keys lie on both nodes. */
  async migrateSlot(slot: number, from: RedisServer, to: RedisServer, options: MigrateSlotOptions = {}): Promise<void> {
    await migrateSlot({ slot, from, to, all: this.nodes }, options);
    await this.waitReady();
  }

  /** Makes a replica the primary of its shard: in agreement, without it (`FORCE`), or without any vote (`TAKEOVER`). */
  async failover(replica: RedisServer, how?: 'FORCE' | 'TAKEOVER'): Promise<void> {
    const control = await replica.control();
    await control.call('CLUSTER', 'FAILOVER', ...(how ? [how] : []));
    await until(`${replica.name} is a primary`, async () => {
      return (await replica.info('replication')).get('role') === 'master';
    });
    await this.waitReady();
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await stopAll(this.nodes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Which running node owns which slots, as one node sees it. */
  async #mapSeenBy(node: RedisServer): Promise<string> {
    const lines = await nodeLines(node);
    const running = new Set(this.nodes.filter((one) => one.running).map((one) => one.port));
    const living = lines.filter((line) => running.has(line.port));
    if (living.length !== running.size) throw new Error(`${node.name} does not know every node`);
    if (living.some((line) => !line.linked || line.flags.some(isTrouble))) throw new Error(`${node.name} sees trouble`);
    return living.map(({ id, primaryId, ranges }) => `${id} ${primaryId} ${ranges.join(' ')}`).sort().join('\n');
  }

  #anyRunning(): RedisServer {
    const node = this.nodes.find((one) => one.running);
    if (!node) throw new Error('no node of the cluster is running');
    return node;
  }

  #first(): RedisServer {
    const [first] = this.nodes;
    if (!first) throw new Error('a cluster without nodes');
    return first;
  }
}

async function isHealthy(node: RedisServer): Promise<boolean> {
  const control = await node.control();
  const info = fields(String(await control.call('CLUSTER', 'INFO')));
  const replication = await node.info('replication');
  const following = replication.get('role') === 'master' || replication.get('master_link_status') === 'up';
  return info.get('cluster_state') === 'ok' && info.get('cluster_slots_ok') === '16384' && following;
}

function isTrouble(flag: string): boolean {
  return flag.startsWith('fail') || flag === 'handshake' || flag === 'noaddr';
}

async function nodeLines(node: RedisServer): Promise<NodeLine[]> {
  const control = await node.control();
  const text = String(await control.call('CLUSTER', 'NODES'));
  return text.split('\n').filter((line) => line !== '').map(parseLine);
}

/** `id ip:port@bus flags primary ping-sent pong-received epoch link slot-or-range…` */
function parseLine(line: string): NodeLine {
  const [id = '', address = '', flags = '', primaryId = '', , , , link = '', ...slots] = line.split(' ');
  const port = Number(/:(\d+)/.exec(address)?.[1]);
  const settled = slots.filter((slot) => !slot.startsWith('['));
  return { id, port, flags: flags.split(','), primaryId, linked: link === 'connected', ranges: settled.map(parseRange) };
}

function parseRange(text: string): readonly [number, number] {
  const [first, last] = text.split('-');
  return [Number(first), Number(last ?? first)];
}

function firstSlot(line: NodeLine): number {
  return line.ranges[0]?.[0] ?? 0;
}
