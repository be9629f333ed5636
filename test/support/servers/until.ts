import { setTimeout as pause } from 'node:timers/promises';

export interface UntilOptions {
  /** Give up after this long. Default 15,000 ms. */
  timeoutMs?: number;
  /** Time between two looks. Default 10 ms. */
  everyMs?: number;
}

/**
 * Looks at real state until it is as wanted, and returns what the last look saw.
 *
 * A look that throws counts as "not yet"; its error becomes the cause when time runs out.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T> | T,
  { timeoutMs = 15_000, everyMs = 10 }: UntilOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (isWanted(seen)) return seen;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause });
    await pause(everyMs);
  }
}

function isWanted<T>(seen: T): seen is NonNullable<Exclude<T, false>> {
  return seen !== false && seen !== undefined && seen !== null;
}
