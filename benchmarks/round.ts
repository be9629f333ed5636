import type { Probe } from './measure.js';
import type { Peer, PeerQueue, PeerWorker, WorkerSettings } from './peers/peer.js';

export class TimeLimitError extends Error {
  constructor(limitMs: number) {
    super(`no end within ${limitMs / 1_000} s`);
    this.name = 'TimeLimitError';
  }
}

const closeLimitMs = 10_000;
let rounds = 0;

/** One measurement of one peer: its own queue name, and everything it opened closed at the end. */
export class Round {
  readonly queueName = `bench-${process.pid}-${++rounds}`;
  readonly #closers: (() => Promise<unknown>)[] = [];

  constructor(
    readonly peer: Peer,
    readonly probe: Probe,
    readonly url: string,
  ) {}

  async queue(name = this.queueName): Promise<PeerQueue> {
    const queue = await this.peer.open({ url: this.url, queue: name });
    this.atEnd(() => queue.close());
    return queue;
  }

  async worker(queue: PeerQueue, settings: WorkerSettings): Promise<PeerWorker> {
    const worker = await queue.worker(settings);
    this.atEnd(() => worker.close());
    return worker;
  }

  /** Registers what has to be closed; nothing here shares a connection, so the order is free. */
  atEnd(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  /** Runs `work` on an empty database, within the limit, and closes everything whatever happened. */
  async run<Result>(limitMs: number, work: (round: Round) => Promise<Result>): Promise<Result> {
    try {
      await this.probe.flush();
      return await within(limitMs, work(this));
    } finally {
      await Promise.all(this.#closers.map((close) => within(closeLimitMs, close()).catch(() => undefined)));
    }
  }
}

export async function within<Result>(limitMs: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeLimitError(limitMs)), limitMs);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
