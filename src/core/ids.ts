import { randomBytes } from 'node:crypto';

/** In ASCII order, so that ids of one maker sort in the order in which they were made. */
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const prefixLength = 8;
const counterLength = 4;
const counterEnd = alphabet.length ** counterLength;

/** `length` random characters of the 62 letters and digits, about 5.95 bits each. */
export function randomToken(length: number): string {
  let token = '';
  while (token.length < length) {
    for (const byte of randomBytes(length * 2)) {
      if (byte < 248 && token.length < length) token += alphabet.charAt(byte % 62);
    }
  }
  return token;
}

/**
 * Makes job ids of 12 characters: a random prefix and a counter that starts at random, 71 random bits together.
 * Ids are made by the client, so that sending a job twice can be recognised. Twelve is the most that fits Redis's
 * 16-byte strings; two ids are held per waiting job.
 */
export class IdMaker {
  #prefix = '';
  #high = '';
  #highAt = -1;
  #counter = counterEnd;

  next(): string {
    if (this.#counter >= counterEnd) this.#startAnew();
    const counter = this.#counter++;
    const high = (counter / 62) | 0;
    if (high !== this.#highAt) this.#renderHigh(high);
    return this.#high + alphabet.charAt(counter % 62);
  }

  /** The low half of the range, so that a maker has at least seven million ids before it needs a new prefix. */
  #startAnew(): void {
    this.#prefix = randomToken(prefixLength);
    this.#counter = randomBytes(4).readUInt32BE() % (counterEnd / 2);
    this.#highAt = -1;
  }

  #renderHigh(high: number): void {
    let digits = '';
    let rest = high;
    for (let i = 1; i < counterLength; i++) {
      digits = alphabet.charAt(rest % 62) + digits;
      rest = (rest / 62) | 0;
    }
    this.#high = this.#prefix + digits;
    this.#highAt = high;
  }
}
