import { setTimeout as sleep } from 'node:timers/promises';

const stepTimeoutMs = 5_000;

/** What has to be undone, last things first, whatever happened in between. */
export class Cleanup {
  readonly #steps: { what: string; undo: () => unknown }[] = [];

  add(what: string, undo: () => unknown): void {
    this.#steps.push({ what, undo });
  }

  /** Takes every step, also when one before it failed or hangs; resolves with what went wrong. */
  async run(): Promise<string[]> {
    const problems: string[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      const { what, undo } = step;
      try {
        await within(stepTimeoutMs, what, async () => undo());
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error));
      }
    }
    return problems;
  }
}

/** The outcome of `action`, or an error that says `what` could not be done when there is none after `ms` milliseconds. */
export async function within<T>(ms: number, what: string, action: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const timeout = async (): Promise<never> => {
    await sleep(ms, undefined, { signal: stop.signal });
    throw new Error(`${what} was not done after ${ms / 1_000} s`);
  };
  try {
    return await Promise.race([action(), timeout()]);
  } finally {
    stop.abort();
  }
}
