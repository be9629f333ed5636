import OldBull from 'bull';
import Bull from 'drover/bull';
import { plain } from '../observe.js';

/** Bull's or Drover's, under Drover's types: the same code runs on both. */
export const libraries: Record<'bull' | 'drover', typeof Bull> = { bull: OldBull as unknown as typeof Bull, drover: Bull };

/** One queue name of its own, and what a scenario opens on it. */
export class Bench {
  readonly name: string;
  readonly Bull: typeof Bull;
  readonly url: string;
  readonly #open: Bull.Queue[] = [];

  constructor(lib: typeof Bull, name: string, url: string) {
    this.Bull = lib;
    this.name = name;
    this.url = url;
  }

  queue(opts: Bull.QueueOptions = {}): Bull.Queue {
    const queue = new this.Bull(this.name, this.url, { prefix: 'conf', ...opts });
    queue.on('error', () => undefined);
    this.#open.push(queue);
    return queue;
  }

  /** Bull's promise rejects when its queue is closed while it waits for a job. */
  process(queue: Bull.Queue, ...args: unknown[]): void {
    (queue.process as (...all: unknown[]) => Promise<void>)(...args).catch(() => undefined);
  }

  plain(observed: unknown): unknown {
    return plain(observed, new Map([[this.name, '<queue>']]));
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map((queue) => queue.close().catch(() => undefined)));
    const cleaner = new this.Bull(this.name, this.url, { prefix: 'conf' });
    await cleaner.obliterate({ force: true }).catch(() => undefined);
    await cleaner.close();
  }
}

export type Scenarios = Record<string, (bench: Bench) => Promise<unknown>>;
