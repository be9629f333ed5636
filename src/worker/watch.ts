import { randomToken } from '../core/ids.js';
import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import { keepWatch } from '../redis/scripts/keep-watch.js';

/** How often the workers on watch look by themselves. */
export const watchEveryMs = 8_000;
/** How long a seat is kept without being asked for again. */
const seatMs = 12_000;
/** Two, so that one of them may disappear. */
const seats = 2;

const thisProcess = randomToken(8);

/**
 * The duty to look for jobs often. The marker that wakes a worker may be lost with the very worker that took it; then
 * somebody has to look without being woken, soon. Of all idle workers of a queue two are enough, in different processes.
 */
export class Watch {
  readonly #connection: Connection;
  readonly #keys: QueueKeys;
  readonly #worker = randomToken(8);

  constructor(connection: Connection, keys: QueueKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  /** Whether this worker is to look often. If Redis does not say, it is. */
  async isOurs(): Promise<boolean> {
    const call = { worker: this.#worker, process: thisProcess, forMs: seatMs, seats };
    return this.#connection.run(keepWatch, this.#keys, call, watchEveryMs / 4).catch(() => true);
  }
}
