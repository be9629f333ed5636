/** Choices that follow from one number. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number below `n`. */
  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  from<T>(items: readonly T[]): T | undefined {
    return items[this.below(Math.max(1, items.length))];
  }

  of<T>(...items: [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  /** From `least` to `most` of the items, in a random order. */
  some<T>(items: readonly T[], least: number, most: number): T[] {
    const left = [...items];
    const chosen: T[] = [];
    for (let n = least + this.below(most - least + 1); n > 0 && left.length > 0; n--) chosen.push(...left.splice(this.below(left.length), 1));
    return chosen;
  }
}
