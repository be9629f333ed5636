import { promisify } from 'node:util';
import type { FileProcessors } from './file-processors.js';
import type { Job } from './job.js';
import type { Queue } from './queue.js';

export type Handler = (job: Job, signal: AbortSignal) => Promise<unknown>;

/** What processes the jobs of a queue, by their name. `*` is for the names that have nothing of their own. */
export class Handlers {
  readonly #byName = new Map<string, Handler>();
  readonly #queue: Queue;
  readonly #files: FileProcessors;

  constructor(queue: Queue, files: FileProcessors) {
    this.#queue = queue;
    this.#files = files;
  }

  /** Throws when there is one of this name, or it is none. */
  define(name: string, handler: unknown): void {
    if (!handler) throw new Error('Cannot set an undefined handler');
    if (this.#byName.has(name)) throw new Error(`Cannot define the same handler twice ${name}`);
    this.#byName.set(name, this.#prepare(handler));
  }

  for(name: string): Handler | undefined {
    return this.#byName.get(name) ?? this.#byName.get('*');
  }

  get names(): string[] {
    return [...this.#byName.keys()];
  }

  #prepare(handler: unknown): Handler {
    if (typeof handler === 'string' || handler instanceof URL) return this.#files.open(handler);
    if (typeof handler !== 'function') throw new TypeError('A handler is a function or the path of a file');
    const bound = handler.bind(this.#queue) as (job: Job, done?: unknown) => unknown;
    const called = handler.length > 1
      ? promisify<Job, unknown>(bound as (job: Job, done: (error: Error | null, value: unknown) => void) => void)
      : async (job: Job) => bound(job);
    return (job) => called(job);
  }
}
