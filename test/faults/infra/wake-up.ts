/** Lets many wait for the next of something that happens again and again. */
export class WakeUp {
  readonly #waiting = new Set<() => void>();

  /** Wakes everyone who waits now. */
  wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /**
   * Waits until `look` returns something, and looks again at each wake-up.
   *
   * @throws Error with `complaint()` after `timeoutMs`.
   */
  async until<T>(look: () => T | undefined, timeoutMs: number, complaint: () => string): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const seen = look();
      if (seen !== undefined) return seen;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(complaint());
      await this.#next(leftMs);
    }
  }

  #next(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waiting.add(wake);
    });
  }
}
