import { charCodeAt } from '../core/char-code-at.js';
import type { ScriptArg } from './script.js';

const firstBytes = 1 << 16;
/** Texts up to this length are written here; for longer ones a call into the runtime is faster. */
const shortLength = 48;
const [carriageReturn, newline, dollar, asterisk, zero] = [0x0d, 0x0a, 0x24, 0x2a, 0x30];

/** Writes requests as Redis reads them: `*<count>`, then each argument as `$<bytes>` and its bytes, all ended by CR LF. */
export class RequestWriter {
  readonly #scratch = Buffer.allocUnsafeSlow(firstBytes);
  #bytes = this.#scratch;
  #at = 0;

  /** Makes room for about so many bytes at once, where they are many. */
  expect(size: number): this {
    if (this.#at + size > this.#bytes.length) this.#grow(this.#at + size);
    return this;
  }

  /** How many arguments follow. */
  count(arguments_: number): this {
    this.#room(24);
    this.#header(asterisk, arguments_);
    return this;
  }

  argument(value: ScriptArg): this {
    if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'number') this.#text(String(value));
    else this.#block(value);
    return this;
  }

  /** Arguments that have been written before. */
  written(bytes: Buffer): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** What was written, as a buffer of its own; the writer is empty again. */
  take(): Buffer {
    const written = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    if (this.#bytes === this.#scratch) return Buffer.from(written);
    // What is large has had a buffer of its own.
    this.#bytes = this.#scratch;
    return written;
  }

  #block(value: Buffer): void {
    this.#room(value.length + 24);
    this.#header(dollar, value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    this.#endLine();
  }

  #text(value: string): void {
    if (value.length > shortLength || !this.#shortAscii(value)) {
      const length = Buffer.byteLength(value);
      this.#room(length + 24);
      this.#header(dollar, length);
      this.#at += this.#bytes.write(value, this.#at);
      this.#endLine();
    }
  }

  /** False, and nothing written, when there is more than ASCII in it. */
  #shortAscii(value: string): boolean {
    const start = this.#at;
    this.#room(value.length + 24);
    this.#header(dollar, value.length);
    for (let i = 0; i < value.length; i++) {
      const code = charCodeAt(value, i);
      if (code > 0x7f) {
        this.#at = start;
        return false;
      }
      this.#bytes[this.#at++] = code;
    }
    this.#endLine();
    return true;
  }

  #header(kind: number, count: number): void {
    this.#bytes[this.#at++] = kind;
    if (count < 10) this.#bytes[this.#at++] = zero + count;
    else this.#at += this.#bytes.write(String(count), this.#at, 'latin1');
    this.#endLine();
  }

  #endLine(): void {
    this.#bytes[this.#at++] = carriageReturn;
    this.#bytes[this.#at++] = newline;
  }

  #room(size: number): void {
    if (this.#at + size > this.#bytes.length) this.#grow(Math.max(this.#bytes.length * 2, this.#at + size));
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
