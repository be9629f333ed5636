import type { Connection } from './connection.js';

/** How long Redis has to be out of reach before an orderly end no longer waits for it. */
export const lostSightMs = 2_000;

const lookEveryMs = 50;

/**
 * Resolves when there has been no connection for 2 s on end, and `holds` says that nothing else is worth waiting for.
 * For those who end: what they still have to say cannot be said.
 */
export class LostSight {
  readonly promise: Promise<void>;
  #isLost = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: Connection, holds: () => boolean = () => true) {
    let since: number | undefined;
    this.promise = new Promise((resolve) => {
      this.#timer = setInterval(() => {
        since = connection.isReady ? undefined : since ?? performance.now();
        if (since === undefined || performance.now() - since < lostSightMs || !holds()) return;
        this.stop();
        this.#isLost = true;
        resolve();
      }, lookEveryMs);
    });
  }

  /** Whether the promise has resolved. */
  get isLost(): boolean {
    return this.#isLost;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Waits for `work` as long as Redis can be reached, give or take 2 s. */
export async function whileInSight(connection: Connection, work: Promise<unknown>): Promise<void> {
  const lost = new LostSight(connection);
  try {
    await Promise.race([work, lost.promise]);
  } finally {
    lost.stop();
  }
}
