import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import {
  DroverError, Queue, Worker, type ConnectionOptions, type Job, type JobsOptions, type Processor, type QueueOptions, type WorkerOptions,
} from 'drover';
import { urlAs } from './roles.js';

/** What tests of behaviour through the public API share. Everything opened here is closed when its test ends. */

/** The server of this run, for a user who may do everything. */
export const redisUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** A queue name that no other test uses. */
export function uniqueName(label = 'q'): string {
  return `${label}-${randomBytes(6).toString('hex')}`;
}

/** A queue of its own name, removed from Redis and closed when the test ends. */
export function openQueue(opts: Partial<QueueOptions> = {}, name = uniqueName()): Queue {
  const queue = new Queue(name, { connection: urlAs('operator'), ...opts });
  onTestFinished(async () => {
    await queue.connection.command('unlink', allKeys(queue), 'clean up', 2_000).catch(() => undefined);
    await queue.close();
  });
  return queue;
}

function allKeys(queue: Queue): string[] {
  const names = [
    'meta', 'job', 'wait', 'delayed', 'active', 'parents', 'completed', 'failed', 'run', 'state', 'outcome', 'history',
    'progress', 'logs', 'expire', 'sessions', 'dedup', 'outbox', 'marker', 'rate', 'events', 'schedules', 'schedule', 'scheduleRuns',
    'pending', 'orphans',
  ];
  return names.map((name) => queue.toKey(name));
}

/** A worker on that queue, closed by force when the test ends. */
export function openWorker(queue: Queue | string, processor: Processor | null, opts: Partial<WorkerOptions> = {}): Worker {
  const name = typeof queue === 'string' ? queue : queue.name;
  const isOfThisRun = typeof queue === 'string' || queue.opts.connection === urlAs('operator');
  const connection: ConnectionOptions = isOfThisRun ? urlAs('worker') : queue.opts.connection;
  const prefix = typeof queue === 'string' ? undefined : queue.opts.prefix;
  const worker = new Worker(name, processor, { connection, ...(prefix === undefined ? {} : { prefix }), ...opts });
  onTestFinished(() => worker.close(true));
  return worker;
}

/** A plain client, to look at Redis or to damage it. */
export function openRedis(url: string = redisUrl): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

/** A promise with its two ends. */
export interface Gate<T = void> {
  promise: Promise<T>;
  open: (value: T) => void;
}

export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** The arguments of the next `event`, or of the first for which `wanted` holds. */
export function once<T extends unknown[] = unknown[]>(
  emitter: Pick<EventEmitter, 'on' | 'off'>, event: string, wanted: (...args: T) => boolean = () => true,
): Promise<T> {
  return new Promise((resolve) => {
    const listener = (...args: unknown[]): void => {
      if (!wanted(...(args as T))) return;
      emitter.off(event, listener);
      resolve(args as T);
    };
    emitter.on(event, listener);
  });
}

/** Counts events; `reached(n)` resolves at the n-th. */
export class Tally<T> {
  readonly seen: T[] = [];
  #waiting: { count: number; resolve: () => void }[] = [];

  add(item: T): void {
    this.seen.push(item);
    for (const one of this.#waiting.filter(({ count }) => this.seen.length >= count)) one.resolve();
    this.#waiting = this.#waiting.filter(({ count }) => this.seen.length < count);
  }

  reached(count: number): Promise<void> {
    if (this.seen.length >= count) return Promise.resolve();
    return new Promise((resolve) => void this.#waiting.push({ count, resolve }));
  }
}

/** A tally of the jobs that workers complete. */
export function tallyOf(event: 'completed' | 'failed' | 'active' | 'stalled', ...workers: Worker[]): Tally<Job> {
  const tally = new Tally<Job>();
  for (const worker of workers) worker.on(event, (job: Job) => tally.add(job));
  return tally;
}

/** Resolves when this worker completes the job, rejects when it fails for good. */
export function finished(worker: Worker, id: string): Promise<Job> {
  return new Promise((resolve, reject) => {
    worker.on('completed', (job: Job) => {
      if (job.id === id) resolve(job);
    });
    worker.on('failed', (job: Job | undefined, error: Error) => {
      if (job?.id === id && job.finishedOn !== undefined) reject(error);
    });
  });
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`It should have been refused, but answered ${typeof value}.`);
    },
    (error: unknown) => error,
  );
}

/** The typed error that a call is refused with. */
export async function refusal(call: () => unknown): Promise<DroverError> {
  const error = await rejection((async () => call())());
  if (error instanceof DroverError) return error;
  throw new Error(`not a typed error: ${String(error)}`, { cause: error });
}

/** How many workers of the queue are idle and blocked until there is work. */
export async function idleWorkers(queue: Queue): Promise<number> {
  return (await queue.getWorkers()).filter(({ cmd }) => cmd?.toLowerCase() === 'bzpopmin').length;
}

/** Adds jobs named `job` with the data 0, 1, 2, … */
export function addNumbered(queue: Queue, count: number, opts?: JobsOptions): Promise<Job[]> {
  return queue.addBulk(Array.from({ length: count }, (_, i) => ({ name: 'job', data: i, ...(opts && { opts }) })));
}

/** Far less than the 8 s after which a worker glances by itself. */
export const promptlyMs = 4_000;

/** The jobs that are added end long before any worker would find them by itself. */
export async function endsPromptly(add: () => Promise<unknown>, completed: Tally<Job>, count: number): Promise<void> {
  const askedAt = performance.now();
  await add();
  await completed.reached(count);
  expect(performance.now() - askedAt).toBeLessThan(promptlyMs);
}
