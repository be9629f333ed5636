/** How many jobs may be fetched beyond those that can start at once. */
const most = 128;

/**
 * Decides how many jobs to fetch ahead. Only while handlers take less time than a round trip: then a worker would
 * mostly wait for the network, and pay for many small calls. What is fetched ahead and not started soon is handed back.
 *
 * Formula: jobs that `concurrency` handlers finish during one round trip, at most 128. Averages are exponential with weight 1/8.
 */
export class Prefetch {
  #runMs = Infinity;
  #tripMs = 0;

  ran(ms: number): void {
    this.#runMs = this.#runMs === Infinity ? ms : this.#runMs + (ms - this.#runMs) / 8;
  }

  travelled(ms: number): void {
    this.#tripMs = this.#tripMs === 0 ? ms : this.#tripMs + (ms - this.#tripMs) / 8;
  }

  /** A handler turned out slow while jobs waited behind it: start learning anew. */
  disappoint(): void {
    this.#runMs = Infinity;
  }

  amount(concurrency: number): number {
    if (this.#runMs >= this.#tripMs) return 0;
    return Math.min(most, Math.ceil((concurrency * this.#tripMs) / Math.max(this.#runMs, this.#tripMs / most)));
  }
}
