/**
 * Seeded random numbers: xoshiro128** 1.1 by Blackman and Vigna, seeded by SplitMix64 as they advise
 * (https://prng.di.unimi.it/). Not for secrets.
 *
 * Each component forks its own stream under a name, so that one component drawing more or less
 * does not change what the others draw, and a run replays from its seed.
 */
export class Random {
  readonly seed: bigint;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any integer; only its low 64 bits count. */
  constructor(seed: number | bigint) {
    this.seed = BigInt.asUintN(64, BigInt(seed));
    const first = splitMix64(this.seed);
    const second = splitMix64(first.state);
    [this.#a, this.#b] = halves(first.value);
    [this.#c, this.#d] = halves(second.value);
  }

  /** The generator in exactly this state, for comparison with the published one. */
  static fromState([a, b, c, d]: readonly [number, number, number, number]): Random {
    const random = new Random(0);
    [random.#a, random.#b, random.#c, random.#d] = [a, b, c, d];
    return random;
  }

  /** An independent stream that depends on this stream's seed and the name alone. */
  fork(name: string): Random {
    return new Random(splitMix64(this.seed ^ fnv1a64(name)).value);
  }

  /** An integer of 32 random bits. */
  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  /** A number in [0, 1) with 53 random bits. */
  fraction(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** An integer from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of the items, each as likely as the others. */
  pick<T>(items: readonly T[]): T {
    return this.pickWeighted(items, () => 1);
  }

  /** One of the items, as likely as its weight says. */
  pickWeighted<T>(items: readonly T[], weight: (item: T) => number): T {
    let left = this.fraction() * items.reduce((sum, item) => sum + weight(item), 0);
    for (const item of items) {
      left -= weight(item);
      if (left < 0) return item;
    }
    const last = items.at(-1);
    if (last === undefined) throw new RangeError('nothing to pick from');
    return last;
  }
}

function splitMix64(state: bigint): { state: bigint; value: bigint } {
  const next = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
  let z = next;
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return { state: next, value: z ^ (z >> 31n) };
}

function fnv1a64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}

function halves(value: bigint): [number, number] {
  return [Number(value & 0xffffffffn) | 0, Number(value >> 32n) | 0];
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
