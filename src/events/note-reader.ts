/** What a script packs with `cmsgpack`. Its strings may hold any bytes, so they stay bytes. */
export type NoteValue = null | boolean | number | Buffer | NoteValue[];

const deepest = 8;

/** Reads one value that a script packed. Throws when the bytes are not that and no more. */
export function readNotes(bytes: Buffer): NoteValue {
  const reader = new NoteReader(bytes);
  const value = reader.value(0);
  if (!reader.isAtEnd) throw new RangeError('There is more than one value.');
  return value;
}

class NoteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): NoteValue {
    const tag = this.#bytes.readUInt8(this.#at++);
    if (tag < 0x80) return tag;
    if (tag >= 0xe0) return tag - 256;
    if (tag >= 0xa0 && tag < 0xc0) return this.#text(tag & 0x1f);
    if (tag >= 0x90 && tag < 0xa0) return this.#list(tag & 0x0f, depth);
    switch (tag) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xd9: return this.#text(this.#number(1, () => this.#bytes.readUInt8(this.#at)));
      case 0xda: return this.#text(this.#number(2, () => this.#bytes.readUInt16BE(this.#at)));
      case 0xdb: return this.#text(this.#number(4, () => this.#bytes.readUInt32BE(this.#at)));
      case 0xdc: return this.#list(this.#number(2, () => this.#bytes.readUInt16BE(this.#at)), depth);
      case 0xdd: return this.#list(this.#number(4, () => this.#bytes.readUInt32BE(this.#at)), depth);
      case 0xca: return this.#number(4, () => this.#bytes.readFloatBE(this.#at));
      case 0xcb: return this.#number(8, () => this.#bytes.readDoubleBE(this.#at));
      case 0xcc: return this.#number(1, () => this.#bytes.readUInt8(this.#at));
      case 0xcd: return this.#number(2, () => this.#bytes.readUInt16BE(this.#at));
      case 0xce: return this.#number(4, () => this.#bytes.readUInt32BE(this.#at));
      case 0xcf: return this.#number(8, () => Number(this.#bytes.readBigUInt64BE(this.#at)));
      case 0xd0: return this.#number(1, () => this.#bytes.readInt8(this.#at));
      case 0xd1: return this.#number(2, () => this.#bytes.readInt16BE(this.#at));
      case 0xd2: return this.#number(4, () => this.#bytes.readInt32BE(this.#at));
      case 0xd3: return this.#number(8, () => Number(this.#bytes.readBigInt64BE(this.#at)));
      default: throw new RangeError(`No script writes the tag 0x${tag.toString(16)}.`);
    }
  }

  #number(size: number, read: () => number): number {
    const value = read();
    this.#at += size;
    return value;
  }

  #text(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('A text is cut off.');
    const text = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return text;
  }

  #list(length: number, depth: number): NoteValue[] {
    if (depth >= deepest || length > this.#bytes.length - this.#at) throw new RangeError('A list is cut off.');
    return Array.from({ length }, () => this.value(depth + 1));
  }
}
