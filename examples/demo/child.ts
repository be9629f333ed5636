import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of our own, talked to in messages; it ends by itself when this one is gone. */
export class Child {
  readonly #process: ChildProcess;

  constructor(module: string, args: readonly string[]) {
    this.#process = fork(fileURLToPath(new URL(module, import.meta.url)), args);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get ended(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  send(message: string): void {
    this.#process.send(message);
  }

  listen<T>(listener: (message: T) => void): void {
    this.#process.on('message', listener);
  }

  /** The next message; refused when the process ends before it. */
  async message<T>(): Promise<T> {
    const stop = new AbortController();
    try {
      return await Promise.race([this.#next<T>(stop.signal), this.#refuseAtExit(stop.signal)]);
    } finally {
      stop.abort();
    }
  }

  /** Resolves when the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.ended) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill(signal);
    await exited;
  }

  async #next<T>(signal: AbortSignal): Promise<T> {
    const [message] = (await once(this.#process, 'message', { signal })) as [T];
    return message;
  }

  async #refuseAtExit(signal: AbortSignal): Promise<never> {
    if (!this.ended) await once(this.#process, 'exit', { signal });
    throw new Error(`the process ${this.#process.spawnargs.slice(-2).join(' ')} ended on its own`);
  }
}

/** In such a process: Ctrl-C in the terminal is the parent's to handle, and the parent's end is the end. */
export function followParent(): void {
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());
}
