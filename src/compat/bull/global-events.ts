import { QueueEvents, type QueueBaseOptions } from '../../index.js';

/** Whom global events are told to. */
export interface Audience {
  readonly name: string;
  readonly engineOptions: QueueBaseOptions;
  tell(event: string, ...args: unknown[]): void;
  fault(error: Error): void;
}

/** Reasons that Bull's events put otherwise than its jobs do. */
const told: Record<string, string> = { 'job stalled more than allowable limit': 'job stalled more than maxStalledCount' };

/** What happens to the queue's jobs on any worker, as Bull's `global:` events. Reads only once someone listens. */
export class GlobalEvents {
  readonly #audience: Audience;
  #source: QueueEvents | undefined;
  #isTold = false;

  constructor(audience: Audience) {
    this.#audience = audience;
  }

  /** Begins to listen. Resolves when nothing is missed any more. */
  async listen(): Promise<void> {
    const source = this.#open();
    if (!this.#isTold) this.#forward(source);
    await source.waitUntilReady();
  }

  /** The result of a job, or the rejection of one that failed. */
  ended(id: string): Promise<unknown> {
    return this.#open().waitFor(id);
  }

  async close(): Promise<void> {
    await this.#source?.close();
  }

  async disconnect(): Promise<void> {
    await this.#source?.disconnect();
  }

  #open(): QueueEvents {
    if (!this.#source) {
      const { name, engineOptions } = this.#audience;
      this.#source = new QueueEvents(name, engineOptions);
      this.#source.on('error', (error) => this.#audience.fault(error));
    }
    return this.#source;
  }

  #forward(source: QueueEvents): void {
    this.#isTold = true;
    const tell = (event: string, ...args: unknown[]): void => this.#audience.tell(`global:${event}`, ...args);
    source.on('waiting', ({ jobId }) => tell('waiting', jobId, null));
    source.on('active', ({ jobId }) => tell('active', jobId, 'waiting'));
    source.on('progress', ({ jobId, data }) => tell('progress', jobId, data));
    source.on('completed', ({ jobId, returnvalue }) => tell('completed', jobId, JSON.stringify((returnvalue as unknown) ?? null), 'active'));
    source.on('failed', ({ jobId, failedReason }) => tell('failed', jobId, told[failedReason] ?? failedReason, 'active'));
    source.on('stalled', ({ jobId }) => tell('stalled', jobId));
    source.on('removed', ({ jobId }) => tell('removed', jobId));
    source.on('duplicated', ({ jobId }) => tell('duplicated', jobId));
    source.on('deduplicated', ({ jobId }) => tell('debounced', jobId));
    source.on('cleaned', ({ count }) => tell('cleaned', count));
    source.on('paused', () => tell('paused'));
    source.on('resumed', () => tell('resumed'));
    source.on('drained', () => tell('drained'));
  }
}
