const firstBytes = 4096;
const largeBytes = 1 << 16;

/**
 * Writes the MessagePack that Redis's `cmsgpack` reads: arrays, integers, nil, and bytes as strings (it knows no
 * `bin` type). Thousands of values travel as one argument, which costs Redis and Node less than as many arguments.
 */
export class ScriptPacker {
  #bytes = Buffer.allocUnsafe(firstBytes);
  #at = 0;

  array(length: number): this {
    this.#room(5);
    this.#bytes[this.#at] = 0xdd;
    this.#at = this.#bytes.writeUInt32BE(length, this.#at + 1);
    return this;
  }

  string(value: string): this {
    this.#room(5 + value.length * 3);
    const header = value.length < 80 ? 2 : 5;
    const start = this.#at + header;
    const end = start + this.#bytes.write(value, start);
    this.#lengthAt(this.#at, end - start, header);
    this.#at = end;
    return this;
  }

  bytes(value: Uint8Array): this {
    const header = value.length < 256 ? 2 : 5;
    this.#room(header + value.length);
    this.#lengthAt(this.#at, value.length, header);
    this.#bytes.set(value, this.#at + header);
    this.#at += header + value.length;
    return this;
  }

  /** Values that have been packed already. */
  written(values: Uint8Array): this {
    this.#room(values.length);
    this.#bytes.set(values, this.#at);
    this.#at += values.length;
    return this;
  }

  /** Any number; integers that fit 53 bits arrive exactly. */
  number(value: number): this {
    this.#room(9);
    if (Number.isInteger(value) && value >= 0 && value < 128) {
      this.#bytes[this.#at++] = value;
    } else {
      this.#bytes[this.#at] = 0xcb;
      this.#at = this.#bytes.writeDoubleBE(value, this.#at + 1);
    }
    return this;
  }

  nil(): this {
    this.#room(1);
    this.#bytes[this.#at++] = 0xc0;
    return this;
  }

  flag(value: boolean | undefined): this {
    return this.number(value ? 1 : 0);
  }

  /** What was written, as a buffer of its own; the packer is empty again. */
  take(): Buffer {
    const packed = this.#bytes.subarray(0, this.#at);
    const isLarge = this.#at >= largeBytes;
    this.#at = 0;
    if (!isLarge) return Buffer.from(packed);
    // Copying would cost more than starting with a new buffer.
    this.#bytes = Buffer.allocUnsafe(firstBytes);
    return packed;
  }

  #lengthAt(at: number, length: number, header: number): void {
    if (header === 2) {
      this.#bytes[at] = 0xd9;
      this.#bytes[at + 1] = length;
    } else {
      this.#bytes[at] = 0xdb;
      this.#bytes.writeUInt32BE(length, at + 1);
    }
  }

  #room(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + size));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Packs a flat list of strings, the most common argument. */
export function packStrings(values: readonly string[]): Buffer {
  const packer = new ScriptPacker().array(values.length);
  for (const value of values) packer.string(value);
  return packer.take();
}
