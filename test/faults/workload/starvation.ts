import type { Cluster, Redis } from 'ioredis';
import { setTimeout as pause } from 'node:timers/promises';
import type { FaultRecord } from '../infra/nemesis.js';

/**
 * Notices when the machine itself keeps Redis from answering, as other programs and a slow disk do: that breaks leases
 * like a fault that was meant, and the oracle has to know of it.
 */
export class Starvation {
  readonly records: FaultRecord[] = [];
  readonly #client: Redis | Cluster;
  readonly #key: string;
  readonly #longMs: number;
  #over = false;
  #running: Promise<void> | undefined;

  constructor(options: { client: Redis | Cluster; key: string; longMs: number }) {
    this.#client = options.client;
    this.#key = options.key;
    this.#longMs = options.longMs;
  }

  start(): void {
    this.#running = this.#watch();
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  /** A write that waits for the disk like every script. */
  async #watch(): Promise<void> {
    while (!this.#over) {
      const at = process.hrtime.bigint();
      await this.#client.hdel(this.#key, 'starvation').catch(() => undefined);
      const until = process.hrtime.bigint();
      if (Number(until - at) / 1e6 > this.#longMs) this.records.push({ kind: 'starved', at, until });
      await pause(100);
    }
  }
}
