import type { Connection } from '../redis/connection.js';
import type { RedisClient } from '../redis/options.js';

/** How much longer than it should a blocking call may take before its socket is given up as half-open. */
const graceMs = 2_000;

/**
 * Waits for a sign of work on a connection of its own, which blocks on the queue's marker.
 *
 * The marker is a hint. Whatever ends the wait, also an error or a reconnect, the worker looks for itself.
 */
export class Waker {
  readonly #connection: Connection;
  readonly #markerKey: string;
  readonly #name: string;
  #client: RedisClient | undefined;
  #waiting = false;
  #closed = false;
  #interrupt: (() => void) | undefined;

  constructor(connection: Connection, markerKey: string, name: string) {
    this.#connection = connection;
    this.#markerKey = markerKey;
    this.#name = name;
    connection.on('close', this.#onConnectionClose);
  }

  get isWaiting(): boolean {
    return this.#waiting;
  }

  /** Resolves true when the marker was there, false after `ms` or when the wait was interrupted. */
  async wait(ms: number): Promise<boolean> {
    if (this.#closed || this.#waiting) return false;
    this.#waiting = true;
    const seconds = Math.max(0.001, Math.ceil(ms) / 1000);
    try {
      this.#client ??= this.#connection.openBlocking(this.#name);
      return await this.#block(this.#client, seconds, ms + graceMs);
    } catch {
      return false;
    } finally {
      this.#waiting = false;
      this.#interrupt = undefined;
    }
  }

  /** Ends the wait, as if its time had passed. */
  interrupt(): void {
    this.#interrupt?.();
  }

  close(): void {
    this.#closed = true;
    this.#connection.off('close', this.#onConnectionClose);
    this.interrupt();
    this.#drop();
  }

  #block(client: RedisClient, seconds: number, patienceMs: number): Promise<boolean> {
    return new Promise<boolean>((resolve, reject) => {
      const late = setTimeout(() => {
        this.#drop();
        resolve(false);
      }, patienceMs);
      this.#interrupt = () => {
        clearTimeout(late);
        this.#drop();
        resolve(false);
      };
      client.bzpopmin(this.#markerKey, seconds).then(
        (popped) => {
          clearTimeout(late);
          resolve(popped !== null);
        },
        (error: Error) => {
          clearTimeout(late);
          this.#drop();
          reject(error);
        },
      );
    });
  }

  /** A blocked client cannot be called back, so it is dropped; the next wait opens another. */
  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    client.removeAllListeners('error');
    client.on('error', () => undefined);
    client.disconnect();
  }

  /** When the shared connection turned out to be dead, the blocking one probably is too. */
  readonly #onConnectionClose = (): void => this.interrupt();
}
