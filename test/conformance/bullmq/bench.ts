import * as bullmq from 'bullmq';
import * as drover from 'drover';
import { once, plain } from '../observe.js';

/** BullMQ's or Drover's classes, under Drover's types: the same code runs on both. */
export type Library = typeof drover;

export const libraries: Record<'bullmq' | 'drover', Library> = { bullmq: bullmq as unknown as Library, drover };

type Options = Record<string, unknown>;
type Handler = drover.Processor | string | URL | null;

/** One queue of its own, and what a scenario opens on it. */
export class Bench {
  readonly name: string;
  readonly lib: Library;
  readonly #connection: drover.ConnectionOptions;
  readonly #open: { close(force?: boolean): Promise<unknown> }[] = [];
  readonly #queues: drover.Queue[] = [];

  constructor(lib: Library, name: string, url: string) {
    this.lib = lib;
    this.name = name;
    const { hostname, port } = new URL(url);
    this.#connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null };
  }

  get base(): { connection: drover.ConnectionOptions; prefix: string } {
    return { connection: this.#connection, prefix: 'conf' };
  }

  queue(opts: Options = {}, name = this.name): drover.Queue {
    const queue = this.#keep(new this.lib.Queue(name, { ...this.base, ...opts }));
    this.#queues.push(queue);
    return queue;
  }

  /** Workers start when the scenario says so, with `run`. */
  worker(handler: Handler, opts: Options = {}, name = this.name): drover.Worker {
    return this.#keep(new this.lib.Worker(name, handler, { ...this.base, autorun: false, ...opts }));
  }

  async events(opts: Options = {}): Promise<drover.QueueEvents> {
    const events = this.#keep(new this.lib.QueueEvents(this.name, { ...this.base, ...opts }));
    await events.waitUntilReady();
    await this.#heard(events);
    return events;
  }

  silentEvents(opts: Options): drover.QueueEvents {
    return this.#keep(new this.lib.QueueEvents(this.name, { ...this.base, autorun: false, ...opts }));
  }

  /** An event that is sent before the reader has begun would be lost. */
  async #heard(events: drover.QueueEvents): Promise<void> {
    const producer = this.#keep(new this.lib.QueueEventsProducer(this.name, this.base));
    const heard = once(events, 'hello');
    const timer = setInterval(() => void producer.publishEvent({ eventName: 'hello' }).catch(() => undefined), 20);
    await heard;
    clearInterval(timer);
  }

  flow(opts: Options = {}): drover.FlowProducer {
    return this.#keep(new this.lib.FlowProducer({ ...this.base, ...opts }));
  }

  /** What was seen, without what differs from run to run. */
  plain(observed: unknown): unknown {
    return plain(observed, new Map([[this.name, '<queue>']]));
  }

  async close(): Promise<void> {
    for (const queue of this.#queues) await queue.obliterate({ force: true }).catch(() => undefined);
    await Promise.all(this.#open.map((each) => each.close(true).catch(() => undefined)));
  }

  #keep<T extends { close(force?: boolean): Promise<unknown>; on(event: 'error', listener: (error: Error) => void): unknown }>(opened: T): T {
    opened.on('error', () => undefined);
    this.#open.push(opened);
    return opened;
  }
}

/** What a program does with either library, and what it sees. */
export type Scenarios = Record<string, (bench: Bench) => Promise<unknown>>;
