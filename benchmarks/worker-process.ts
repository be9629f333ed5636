import { monotonicMs, nodeCpuUs } from './measure.js';
import type { PeerQueue, PeerWorker, Target } from './peers/peer.js';
import { peerNamed } from './peers/index.js';

/** What the pool asks of a worker process, and what it hears from it. */
export type Request =
  /** `tellStarts`: each start of a handler is told at once. */
  | { readonly type: 'prepare'; readonly peer: string; readonly target: Target; readonly concurrency: number; readonly tellStarts?: boolean }
  | { readonly type: 'start' }
  | { readonly type: 'stop' };

export type Reply =
  | { readonly type: 'prepared' }
  /** By the clock that all processes of the machine share. */
  | { readonly type: 'started'; readonly atMs: number }
  | { readonly type: 'progress'; readonly completed: number; readonly lastAtMs: number }
  | { readonly type: 'stopped'; readonly nodeCpuUs: number }
  | { readonly type: 'error'; readonly message: string };

const reportEveryMs = 10;

/** One worker in a process of its own; jobs are only counted, and the counts reported now and then. */
class WorkerProcess {
  #queue: PeerQueue | undefined;
  #worker: PeerWorker | undefined;
  #reporter: NodeJS.Timeout | undefined;
  #completed = 0;
  #lastAtMs = 0;
  #reported = 0;
  #cpuAtStart = 0;

  async answer(request: Request): Promise<void> {
    if (request.type === 'prepare') await this.#prepare(request);
    if (request.type === 'start') this.#start();
    if (request.type === 'stop') await this.#stop();
  }

  async #prepare({ peer, target, concurrency, tellStarts }: Extract<Request, { type: 'prepare' }>): Promise<void> {
    this.#completed = this.#reported = 0;
    this.#queue = await peerNamed(peer).open(target);
    this.#worker = await this.#queue.worker({ concurrency, handler: tellStarts ? tellStart : () => undefined, onCompleted: this.#count });
    send({ type: 'prepared' });
  }

  #start(): void {
    this.#cpuAtStart = nodeCpuUs();
    this.#reporter = setInterval(() => this.#report(), reportEveryMs);
    this.#worker?.start();
  }

  async #stop(): Promise<void> {
    clearInterval(this.#reporter);
    const cpuUs = nodeCpuUs() - this.#cpuAtStart;
    await this.#worker?.close();
    await this.#queue?.close();
    send({ type: 'stopped', nodeCpuUs: cpuUs });
  }

  readonly #count = (): void => {
    this.#completed++;
    this.#lastAtMs = performance.timeOrigin + performance.now();
  };

  #report(): void {
    if (this.#completed === this.#reported) return;
    this.#reported = this.#completed;
    send({ type: 'progress', completed: this.#completed, lastAtMs: this.#lastAtMs });
  }
}

function tellStart(): void {
  send({ type: 'started', atMs: monotonicMs() });
}

function send(reply: Reply): void {
  process.send?.(reply);
}

const self = new WorkerProcess();
process.on('message', (request: Request) => {
  self.answer(request).catch((error: unknown) => send({ type: 'error', message: String(error) }));
});
process.on('disconnect', () => process.exit());
process.on('unhandledRejection', (error) => process.stderr.write(`worker process: ${String(error)}\n`));
