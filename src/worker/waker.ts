import type { Connection } from '../redis/connection.js';
import type { RedisClient } from '../redis/options.js';

/** How much longer than it should a blocking call may take before its socket is given up as half-open. */
const graceMs = 2_000;
/** How long an interrupted call may take to come back before its socket is given up. */
const interruptMs = 500;

/**
 * Waits for a sign of work on a connection of its own, which blocks on the queue's marker.
 *
 * The marker is a hint. Whatever ends the wait, also an error or a reconnect, the worker looks for itself. But a
 * marker that was popped is never dropped silently: an orderly end asks Redis to unblock the call, so that its answer
 * still arrives and can be passed on to another worker.
 */
export class Waker {
  readonly #connection: Connection;
  readonly #markerKey: string;
  readonly #name: string;
  #client: RedisClient | undefined;
  #clientId: number | undefined;
  #wait: Promise<boolean> | undefined;
  #giveUp: (() => void) | undefined;
  #closed = false;

  constructor(connection: Connection, markerKey: string, name: string) {
    this.#connection = connection;
    this.#markerKey = markerKey;
    this.#name = name;
    connection.on('close', this.#onConnectionClose);
  }

  get isWaiting(): boolean {
    return this.#wait !== undefined;
  }

  /** Connects ahead of the first wait, so that the worker can be seen by its connection also while it never idles. */
  connect(): void {
    if (!this.#closed) this.#client ??= this.#open();
  }

  /**
   * Resolves true when the marker was there, false after `ms` or when the wait was interrupted.
   *
   * @param follow sends what Redis is to run right when the wait ends. Not called when this waits alongside another.
   */
  async wait(ms: number, follow?: (client: RedisClient) => void): Promise<boolean> {
    if (this.#closed) return false;
    if (this.#wait) return alongside(this.#wait, ms);
    this.#wait = this.#block(ms, follow);
    try {
      return await this.#wait;
    } finally {
      this.#wait = undefined;
    }
  }

  /** Ends the wait. Its answer still arrives: true if the marker was there after all. */
  async interrupt(): Promise<void> {
    const wait = this.#wait;
    if (!wait) return;
    const late = setTimeout(() => this.#giveUp?.(), interruptMs);
    if (this.#clientId === undefined) this.#giveUp?.();
    else this.#connection.command('client', ['UNBLOCK', this.#clientId], 'end a wait', interruptMs).catch(() => this.#giveUp?.());
    await wait;
    clearTimeout(late);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#connection.off('close', this.#onConnectionClose);
    await this.interrupt();
    this.#drop();
  }

  async #block(ms: number, follow?: (client: RedisClient) => void): Promise<boolean> {
    const client = (this.#client ??= this.#open());
    return new Promise<boolean>((resolve) => {
      const finish = (marked: boolean): void => {
        clearTimeout(late);
        this.#giveUp = undefined;
        resolve(marked);
      };
      this.#giveUp = () => {
        this.#drop();
        finish(false);
      };
      const late = setTimeout(this.#giveUp, ms + graceMs);
      client.bzpopmin(this.#markerKey, Math.max(0.001, ms / 1000)).then(
        (popped) => finish(popped !== null),
        () => this.#giveUp?.(),
      );
      follow?.(client);
    });
  }

  #open(): RedisClient {
    const client = this.#connection.openBlocking(this.#name);
    client.on('ready', () => {
      this.#clientId = undefined;
      client.client('ID').then((id) => {
        if (client === this.#client) this.#clientId = id;
      }, () => undefined);
    });
    return client;
  }

  /** A client whose socket cannot be trusted is dropped; the next wait opens another. */
  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#clientId = undefined;
    if (!client) return;
    client.removeAllListeners('error');
    client.on('error', () => undefined);
    client.disconnect();
  }

  /** When the shared connection turned out to be dead, the blocking one probably is too. */
  readonly #onConnectionClose = (): void => this.#giveUp?.();
}

/** One blocking call serves all who wait at a time. Only who made it has the marker; the others just look. */
async function alongside(wait: Promise<boolean>, ms: number): Promise<false> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1));
  });
  await Promise.race([wait, late]);
  clearTimeout(timer);
  return false;
}
