/** The longest delay that timers take. */
const longestMs = 2 ** 31 - 1;

/**
 * Does one kind of work when it is due, never twice at a time, and again later when it failed.
 *
 * `in(ms)` only ever brings the next time forward; the work itself sets the one after.
 */
export class Alarm {
  readonly #work: () => Promise<void>;
  readonly #failed: (error: Error) => void;
  readonly #retryDelayMs: number;
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;
  #underWay: Promise<void> | undefined;
  #stopped = false;

  constructor(work: () => Promise<void>, failed: (error: Error) => void, retryDelayMs: number) {
    this.#work = work;
    this.#failed = failed;
    this.#retryDelayMs = retryDelayMs;
  }

  in(ms: number): void {
    const at = performance.now() + ms;
    if (this.#stopped || at >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(() => this.#ring(), Math.min(Math.ceil(ms), longestMs));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#underWay;
  }

  #ring(): void {
    this.#at = Infinity;
    if (this.#underWay) return this.in(1);
    this.#underWay = this.#work()
      .catch((error: unknown) => {
        if (this.#stopped) return;
        this.#failed(error as Error);
        this.in(this.#retryDelayMs);
      })
      .finally(() => {
        this.#underWay = undefined;
      });
  }
}
