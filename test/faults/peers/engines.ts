import Bull from 'bull';
import * as bullmq from 'bullmq';
import { createRequire } from 'node:module';
import * as drover from '../../../src/index.js';

/** The same for all engines: what decides how soon the jobs of a dead worker come back, and how often that may happen. */
export const terms = { concurrency: 10, lockDuration: 2_000, stalledInterval: 1_000 } as const;
/** How often a job may lose its worker: everyone's default, and where workers are killed again and again. */
export const stallsOf = { default: 1, kills: 100 } as const;

/** Plain data: it travels to other processes. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a handler is told of its job. */
export type Handle = (job: { id: string; tag: string; ms: number }) => Promise<void>;

export interface EngineQueue {
  /** Resolves once the engine says that the job is there. */
  add(tag: string, ms: number): Promise<void>;
  /** How many jobs are neither completed nor failed. */
  open(): Promise<number>;
  /** The tags of the jobs that have failed. */
  failed(): Promise<string[]>;
  close(): Promise<void>;
}

/** What the faults need of an engine, by its public API alone. */
export interface Engine {
  readonly name: EngineName;
  readonly version: string;
  queue(name: string, address: Address): EngineQueue;
  worker(name: string, address: Address, handle: Handle, maxStalledCount: number): { close(): Promise<void> };
}

export type EngineName = 'drover' | 'bullmq' | 'bull';

interface Data {
  tag: string;
  ms: number;
}

const kept = { removeOnComplete: true, removeOnFail: false };

/** Everyone reconnects as fast as everyone else. */
function connectionTo(address: Address): { host: string; port: number; retryStrategy: () => number } {
  return { host: address.host, port: address.port, retryStrategy: () => 50 };
}

const versionOf = (name: string): string => (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;

/** Drover and BullMQ: the same classes. */
function bullmqLike(name: 'drover' | 'bullmq', version: string, api: Pick<typeof bullmq, 'Queue' | 'Worker'>): Engine {
  return {
    name, version,
    queue: (queueName, address) => {
      const queue = new api.Queue(queueName, { connection: connectionTo(address) });
      queue.on('error', () => undefined);
      return {
        add: async (tag, ms) => void (await queue.add('job', { tag, ms }, kept)),
        open: async () => {
          const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
          return Object.values(counts).reduce((sum, count) => sum + count, 0);
        },
        failed: async () => (await queue.getFailed(0, -1)).map((job) => (job.data as Data).tag),
        close: () => queue.close(),
      };
    },
    worker: (queueName, address, handle, maxStalledCount) => {
      const worker = new api.Worker<Data>(queueName, (job) => handle({ id: job.id ?? '', ...job.data }), {
        connection: { ...connectionTo(address), maxRetriesPerRequest: null }, ...terms, maxStalledCount,
      });
      worker.on('error', () => undefined);
      return { close: () => worker.close(true) };
    },
  };
}

const bull: Engine = {
  name: 'bull', version: versionOf('bull'),
  queue: (name, address) => {
    const queue = new Bull<Data>(name, { redis: connectionTo(address) });
    queue.on('error', () => undefined);
    return {
      add: async (tag, ms) => void (await queue.add({ tag, ms }, kept)),
      open: async () => {
        const { waiting, active, delayed } = await queue.getJobCounts();
        return waiting + active + delayed;
      },
      failed: async () => (await queue.getFailed()).map((job) => job.data.tag),
      close: () => queue.close(true),
    };
  },
  worker: (name, address, handle, maxStalledCount) => {
    const { concurrency, ...settings } = terms;
    const queue = new Bull<Data>(name, { redis: { ...connectionTo(address), maxRetriesPerRequest: null }, settings: { ...settings, maxStalledCount } });
    queue.on('error', () => undefined);
    queue.process(concurrency, (job) => handle({ id: String(job.id), ...job.data })).catch(() => undefined);
    return { close: () => queue.close(true) };
  },
};

export const engines: readonly Engine[] = [
  // The classes have the same shape; their types differ in what only Drover has.
  bullmqLike('drover', versionOf('../../..'), drover as unknown as Pick<typeof bullmq, 'Queue' | 'Worker'>),
  bullmqLike('bullmq', versionOf('bullmq'), bullmq),
  bull,
];
