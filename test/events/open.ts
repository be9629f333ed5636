import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterEach, expect } from 'vitest';
import { Queue, QueueEvents, QueueEventsProducer, Worker, type Processor, type QueueEventsOptions, type QueueOptions, type WorkerOptions } from 'drover';
import { urlAs } from '../support/roles.js';

export const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';

const opened: { close(): Promise<unknown> }[] = [];
const redises: Redis[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((part) => part.close()));
  for (const redis of redises.splice(0)) redis.disconnect();
});

function keep<T extends { close(): Promise<unknown> }>(part: T): T {
  opened.push(part);
  return part;
}

/** A queue of its own for one test; everything opened here is closed after the test. */
export class Bench {
  readonly name = `events-${randomUUID()}`;
  readonly errors: Error[] = [];
  #probe: Redis | undefined;

  readonly #onError = (error: Error): void => void this.errors.push(error);

  queue(opts: Partial<QueueOptions> = {}): Queue {
    return keep(new Queue(this.name, { connection: urlAs('operator'), ...opts })).on('error', this.#onError);
  }

  worker(processor: Processor | null, opts: Partial<WorkerOptions> = {}): Worker {
    return keep(new Worker(this.name, processor, { connection: urlAs('worker'), ...opts })).on('error', this.#onError);
  }

  /** Without a listener for its errors. */
  bareEvents(opts: Partial<QueueEventsOptions> = {}): QueueEvents {
    return keep(new QueueEvents(this.name, { connection: urlAs('observer'), ...opts }));
  }

  events(opts: Partial<QueueEventsOptions> = {}): QueueEvents {
    return this.bareEvents(opts).on('error', this.#onError);
  }

  async readyEvents(opts: Partial<QueueEventsOptions> = {}): Promise<QueueEvents> {
    const events = this.events(opts);
    await events.waitUntilReady();
    return events;
  }

  producer(): QueueEventsProducer {
    return keep(new QueueEventsProducer(this.name, { connection: urlAs('producer') })).on('error', this.#onError);
  }

  redis(): Redis {
    const redis = new Redis(url);
    redises.push(redis);
    return redis;
  }

  key(name: string): string {
    return `{drover:${this.name}}:${name}`;
  }

  /** The connections on which events are read at this moment, as `CLIENT LIST` shows them. */
  async readers(): Promise<string[]> {
    this.#probe ??= this.redis();
    const clients = String(await this.#probe.client('LIST')).split('\n');
    return clients.filter((line) => line.includes(` name=drover:${Buffer.from(this.name).toString('base64')}:qe `) && line.includes(' cmd=xread '));
  }

  async untilReading(): Promise<void> {
    await expect.poll(async () => (await this.readers()).length, { interval: 5 }).toBe(1);
  }

  /** Cuts the connection on which events are being read. */
  async cutReader(): Promise<void> {
    await this.untilReading();
    for (const line of await this.readers()) await this.#probe?.client('KILL', 'ID', Number(/\bid=(\d+)/.exec(line)?.[1]));
  }
}

export interface Heard {
  event: string;
  args: Record<string, unknown>;
  id: string;
}

export const allEvents = [
  'added', 'waiting', 'delayed', 'active', 'completed', 'failed', 'retries-exhausted', 'progress', 'stalled', 'waiting-children',
  'removed', 'duplicated', 'deduplicated', 'cleaned', 'paused', 'resumed', 'drained',
] as const;

/** Listens to every event and lets a test wait until something has been heard. */
export class Ear {
  readonly heard: Heard[] = [];
  #waiting: { wanted: (heard: Heard[]) => boolean; resolve: () => void }[] = [];

  constructor(events: QueueEvents, extra: string[] = []) {
    for (const event of [...allEvents, ...extra]) {
      events.on(event as 'added', (...given: unknown[]) => {
        const [args, id] = event === 'drained' ? [{}, given[0]] : given;
        this.heard.push({ event, args: args as Record<string, unknown>, id: id as string });
        for (const waiting of this.#waiting) if (waiting.wanted(this.heard)) waiting.resolve();
      });
    }
  }

  /** What is heard in order, as `[event, args]`. */
  get story(): [string, Record<string, unknown>][] {
    return this.heard.map(({ event, args }) => [event, args]);
  }

  until(wanted: (heard: Heard[]) => boolean): Promise<void> {
    if (wanted(this.heard)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ wanted, resolve }));
  }

  untilHeard(event: string, count = 1): Promise<void> {
    return this.until((heard) => heard.filter((one) => one.event === event).length >= count);
  }

  about(event: string): Record<string, unknown>[] {
    return this.heard.filter((one) => one.event === event).map(({ args }) => args);
  }
}
