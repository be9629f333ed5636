import { describe, expect, onTestFinished, test } from 'vitest';
import { DroverError, FlowProducer, QueueEvents } from 'drover';
import { busyScript } from '../faults/infra/kinds/busy-script.js';
import { squeezeMemory } from '../faults/infra/kinds/squeeze-memory.js';
import type { Proxy } from '../faults/infra/proxy/start-proxy.js';
import { Random } from '../faults/infra/random.js';
import { at, proxyTo } from '../durability/replicas.js';
import { openQueue, openWorker, uniqueName } from '../support/behaviour.js';
import type { RedisServer } from '../support/servers/redis-server.js';
import { startRedis } from '../support/servers/start-redis.js';

/** How long anything may take: to be answered, with a result or a typed error, and to go on after a fault. */
const atMostMs = 10_000;

/** Everything of one queue, behind one proxy. */
class Scene {
  readonly server: RedisServer;
  readonly proxy: Proxy;
  readonly #queue;
  readonly #events;
  readonly #flows;
  #ids = 0;

  private constructor(server: RedisServer, proxy: Proxy) {
    this.server = server;
    this.proxy = proxy;
    const connection = at(proxy);
    this.#queue = openQueue({ connection });
    openWorker(this.#queue, () => 'ran', { runRetryDelay: 50 }).on('error', () => undefined);
    this.#events = new QueueEvents(this.#queue.name, { connection });
    this.#flows = new FlowProducer({ connection });
    this.#queue.on('error', () => undefined);
    this.#flows.on('error', () => undefined);
    this.#events.on('error', () => undefined);
    onTestFinished(async () => void (await Promise.all([this.#events.close(), this.#flows.close()])));
  }

  static async open(): Promise<Scene> {
    const server = await startRedis({ appendonly: 'everysec' });
    onTestFinished(() => server.stop());
    const scene = new Scene(server, await proxyTo(server));
    await scene.#events.waitUntilReady();
    await scene.works();
    return scene;
  }

  /** A job and a flow are added and run, and their ends are told. */
  async works(): Promise<void> {
    const [job, parent] = [`job-${++this.#ids}`, `parent-${this.#ids}`];
    const told = this.#told(job, parent);
    const adding = [
      this.#queue.add('a', 1, { jobId: job }),
      this.#flows.add({ name: 'p', queueName: this.#queue.name, opts: { jobId: parent }, children: [{ name: 'c', queueName: this.#queue.name }] }),
    ];
    await inTime(Promise.all([told, ...adding]), 'added, run and told');
  }

  /** Calls are answered in time while the fault lasts; what they are refused with is typed. */
  async answers(): Promise<void> {
    const calls = [
      this.#queue.add('a', 1), this.#queue.getJobCounts(), this.#flows.add({ name: 'p', queueName: this.#queue.name, children: [{ name: 'c', queueName: this.#queue.name }] }),
    ];
    const settled = await inTime(Promise.allSettled(calls), 'answered');
    for (const one of settled) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(DroverError);
  }

  #told(...wanted: string[]): Promise<void> {
    const missing = new Set(wanted);
    return new Promise((resolve) => {
      const listener = ({ jobId }: { jobId: string }): void => {
        missing.delete(jobId);
        if (missing.size > 0) return;
        this.#events.off('completed', listener);
        resolve();
      };
      this.#events.on('completed', listener);
    });
  }
}

/** What a server says, through the proxy, to every script and blocking call until it is healed. */
const saying = (error: string) => async ({ proxy }: Scene): Promise<() => Promise<void>> => {
  proxy.rule({ when: { command: ['evalsha', 'bzpopmin', 'xread', 'info'] }, then: 'error', error });
  return () => proxy.heal();
};

type Injection = (scene: Scene) => Promise<() => Promise<void>>;

const faults: [name: string, inject: Injection][] = [
  ['connections that were cut', async ({ proxy }) => (proxy.cutAll(), () => Promise.resolve())],
  ['half-open sockets', async ({ proxy }) => (proxy.blackhole(), () => Promise.resolve())],
  ['sockets that swallow replies', async ({ proxy }) => (proxy.blackhole({ direction: 'replies' }), () => Promise.resolve())],
  ['a network that swallows everything', async ({ proxy }) => {
    proxy.blackhole({ future: true });
    return async () => proxy.endBlackhole();
  }],
  ['a server that is refused', async ({ proxy }) => {
    proxy.refuse();
    proxy.cutAll();
    return () => proxy.accept();
  }],
  ['a server that is frozen', async ({ server }) => {
    await server.freeze();
    return () => server.thaw();
  }],
  ['a restart that loads for a while', async ({ server }) => {
    await server.fillAof(500_000);
    await server.restart({ until: 'listening', config: { 'key-load-delay': 200 } });
    return () => server.ready();
  }],
  ['a server that has forgotten its scripts', async ({ server }) => {
    await (await server.control()).script('FLUSH');
    return () => Promise.resolve();
  }],
  ['a script that holds the server', async ({ server }) => {
    const { heal } = await busyScript(() => server).inject(new Random(1));
    return async () => heal();
  }],
  ['a server that is out of memory', async ({ server }) => {
    const { heal } = await squeezeMemory(() => server).inject(new Random(1));
    return async () => heal();
  }],
  ['a primary that became a replica', async ({ server }) => {
    const control = await server.control();
    await control.replicaof('127.0.0.1', 1);
    return async () => void (await control.replicaof('NO', 'ONE'));
  }],
  ['MISCONF', saying('MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.')],
  ['TRYAGAIN', saying('TRYAGAIN Multiple keys request during rehashing of slot')],
  ['CLUSTERDOWN', saying('CLUSTERDOWN The cluster is down')],
  ['MASTERDOWN', saying('MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to \'no\'.')],
];

describe('Queue, Worker, QueueEvents and FlowProducer get over', { timeout: 60_000 }, () => {
  test.for(faults)('%s', async ([, inject]) => {
    const scene = await Scene.open();
    const heal = await inject(scene);
    const answered = scene.answers();
    await heal();
    await answered;
    await scene.works();
  });
});

async function inTime<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not ${what} in ${atMostMs} ms`)), atMostMs + 1_000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

describe('close, while Redis does not answer', { timeout: 40_000 }, () => {
  test.each(['gone', 'frozen'] as const)('ends soon when it is %s, and what was not answered is refused', async (how) => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const connection = at(server);
    const [queue, flows] = [openQueue({ connection }), new FlowProducer({ connection: { ...connection, connectionName: 'flows' } })];
    let end = (): void => undefined;
    const running = new Promise<void>((resolve) => (end = resolve));
    const worker = openWorker(queue, () => running, { closeTimeout: 600_000, connection: { ...connection, connectionName: 'worker' } });
    queue.on('error', () => undefined);
    flows.on('error', () => undefined);
    worker.on('error', () => undefined);
    const active = new Promise((resolve) => worker.on('active', resolve));
    await queue.add('a', 1);
    await active;
    await (how === 'gone' ? server.kill9() : server.freeze());
    const adding = [queue.add('b', 2), flows.add({ name: 'p', queueName: uniqueName() })].map((add) => add.then(() => 'added', (error: { code: string }) => error.code));
    end();
    await inTime(Promise.all([queue.close(), flows.close(), worker.close()]), 'closed');
    expect(await Promise.all(adding)).toEqual(Array(2).fill(expect.stringMatching(/CLOSED|REDIS_UNAVAILABLE|OUTCOME_UNKNOWN/)));
  });
});
