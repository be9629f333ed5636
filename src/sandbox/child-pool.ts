import { ClosedError } from '../core/errors.js';
import { ChildHandle, type ChildSettings } from './child-handle.js';
import { Deferred } from './deferred.js';

export interface PoolSettings extends ChildSettings {
  maxChildren: number;
  maxJobsPerChild: number;
  idleTimeoutMs: number;
}

/**
 * The children of one handler file. They are started when a job needs one, kept while they are healthy, and let go
 * when idle for long. The one used last is used next, so that the others can go.
 */
export class ChildPool {
  readonly #settings: PoolSettings;
  readonly #children = new Set<ChildHandle>();
  /** In the order in which they became idle, each with the timer that lets it go. */
  readonly #idle = new Map<ChildHandle, NodeJS.Timeout | undefined>();
  readonly #waiting: Deferred<ChildHandle>[] = [];
  #starting = 0;
  #closed = false;
  #maxChildren: number;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    this.#maxChildren = settings.maxChildren;
  }

  /** How many children exist: starting, idle, busy and ending. */
  get size(): number {
    return this.#children.size;
  }

  set maxChildren(limit: number) {
    this.#maxChildren = limit;
    this.#match();
  }

  /** An idle child for the caller alone, who gives it back. Rejects with the signal's reason, or why none started. */
  async take(signal: AbortSignal): Promise<ChildHandle> {
    if (this.#closed) throw new ClosedError('sandbox');
    signal.throwIfAborted();
    const turn = new Deferred<ChildHandle>();
    const giveUp = (): void => this.#giveUp(turn, signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    this.#waiting.push(turn);
    this.#match();
    try {
      return await turn.promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Keeps the child for the next job if it is fit for one. */
  giveBack(child: ChildHandle): void {
    if (!child.isIdle) return;
    const surplus = this.#children.size > this.#maxChildren;
    if (this.#closed || surplus || child.served >= this.#settings.maxJobsPerChild) return child.leave();
    this.#shelve(child);
    this.#match();
  }

  /** Takes no more jobs; resolves when every child has gone, the busy ones with or without having finished. */
  async close(deadlineMs: number, kill: boolean): Promise<void> {
    this.#closed = true;
    for (const turn of this.#waiting.splice(0)) turn.reject(new ClosedError('sandbox'));
    for (const timer of this.#idle.values()) clearTimeout(timer);
    this.#idle.clear();
    for (const child of this.#children) child.leave();
    if (kill) this.#killAll('was still working when the sandbox was closed by force');
    const timer = Number.isFinite(deadlineMs)
      ? setTimeout(() => this.#killAll(`was still working ${deadlineMs} ms after the sandbox was closed`), deadlineMs)
      : undefined;
    await Promise.all([...this.#children].map((child) => child.gone));
    clearTimeout(timer);
  }

  #killAll(why: string): void {
    for (const child of this.#children) child.kill(why);
  }

  /** Brings the waiting and the idle together, and starts children for those who find none. */
  #match(): void {
    while (this.#waiting.length > 0) {
      const child = this.#unshelve();
      if (!child) break;
      this.#waiting.shift()?.resolve(child);
    }
    while (this.#starting < this.#waiting.length && this.#children.size < this.#maxChildren) this.#start();
  }

  #start(): void {
    let child: ChildHandle;
    try {
      child = new ChildHandle(this.#settings);
    } catch (error) {
      this.#waiting.shift()?.reject(error);
      return;
    }
    this.#children.add(child);
    this.#starting++;
    void child.loaded.then(
      () => this.#started(child),
      (error: unknown) => this.#failedToStart(error),
    );
    void child.gone.then(() => this.#forget(child));
  }

  #started(child: ChildHandle): void {
    this.#starting--;
    this.giveBack(child);
  }

  #failedToStart(error: unknown): void {
    this.#starting--;
    this.#waiting.shift()?.reject(error);
    this.#match();
  }

  #forget(child: ChildHandle): void {
    this.#children.delete(child);
    clearTimeout(this.#idle.get(child));
    this.#idle.delete(child);
    this.#match();
  }

  #shelve(child: ChildHandle): void {
    const { idleTimeoutMs } = this.#settings;
    const letGo = (): void => {
      this.#idle.delete(child);
      child.leave();
    };
    this.#idle.set(child, Number.isFinite(idleTimeoutMs) ? setTimeout(letGo, idleTimeoutMs).unref() : undefined);
  }

  #unshelve(): ChildHandle | undefined {
    const child = [...this.#idle.keys()].at(-1);
    if (child) {
      clearTimeout(this.#idle.get(child));
      this.#idle.delete(child);
    }
    return child;
  }

  #giveUp(turn: Deferred<ChildHandle>, reason: unknown): void {
    const at = this.#waiting.indexOf(turn);
    if (at >= 0) this.#waiting.splice(at, 1);
    turn.reject(reason);
  }
}
