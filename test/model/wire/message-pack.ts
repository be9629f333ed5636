/** Bytes as text, one character each: compared and joined without any decoding. */
export type Bytes = string;

/** What scripts pack: nil, numbers, bytes, lists and maps with text keys. */
export type Packed = null | boolean | number | Bytes | Packed[] | { [field: string]: Packed };

/** The first value of some MessagePack and where it ends. Throws when it is none. */
export function readPacked(bytes: Bytes, from = 0): { value: Packed; end: number } {
  const reader = new Reader(bytes, from);
  const value = reader.value();
  return { value, end: reader.at };
}

/** The one value that these bytes are; undefined when they are not exactly one. */
export function unpacked(bytes: Bytes): Packed | undefined {
  try {
    const { value, end } = readPacked(bytes);
    return end === bytes.length ? value : undefined;
  } catch {
    return undefined;
  }
}

/** As `cmsgpack` packs a whole number. */
export function packedInteger(value: number): Bytes {
  if (value >= 0 && value < 128) return String.fromCharCode(value);
  const bytes = Buffer.alloc(9);
  const size = value > 0xffffffff ? 8 : value > 0xffff ? 4 : value > 0xff ? 2 : 1;
  bytes[0] = 0xcc + Math.log2(size);
  if (size === 8) bytes.writeBigUInt64BE(BigInt(value), 1);
  else bytes.writeUIntBE(value, 1, size);
  return bytes.toString('latin1', 0, 1 + size);
}

/** As `cmsgpack` packs a string. */
export function packedText(text: Bytes): Bytes {
  if (text.length < 32) return String.fromCharCode(0xa0 | text.length) + text;
  const header = Buffer.alloc(5);
  const size = text.length <= 0xff ? 1 : text.length <= 0xffff ? 2 : 4;
  header[0] = 0xd9 + Math.log2(size);
  header.writeUIntBE(text.length, 1, size);
  return header.toString('latin1', 0, 1 + size) + text;
}

/** As `cmsgpack` packs a short list of strings and whole numbers. */
export function packedList(items: readonly (string | number)[]): Bytes {
  return String.fromCharCode(0x90 | items.length) + items.map((item) => (typeof item === 'number' ? packedInteger(item) : packedText(item))).join('');
}

class Reader {
  constructor(readonly bytes: Bytes, public at: number) {}

  value(): Packed {
    const head = this.#byte();
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 15);
    if (head < 0xa0) return this.#list(head & 15);
    if (head < 0xc0) return this.#take(head & 31);
    if (head >= 0xe0) return head - 256;
    switch (head) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: case 0xd9: return this.#take(this.#number(1));
      case 0xc5: case 0xda: return this.#take(this.#number(2));
      case 0xc6: case 0xdb: return this.#take(this.#number(4));
      case 0xca: return this.#raw(4).readFloatBE();
      case 0xcb: return this.#raw(8).readDoubleBE();
      case 0xcc: return this.#number(1);
      case 0xcd: return this.#number(2);
      case 0xce: return this.#number(4);
      case 0xcf: return Number(this.#raw(8).readBigUInt64BE());
      case 0xd0: return this.#raw(1).readInt8();
      case 0xd1: return this.#raw(2).readInt16BE();
      case 0xd2: return this.#raw(4).readInt32BE();
      case 0xd3: return Number(this.#raw(8).readBigInt64BE());
      case 0xdc: return this.#list(this.#number(2));
      case 0xdd: return this.#list(this.#number(4));
      case 0xde: return this.#map(this.#number(2));
      case 0xdf: return this.#map(this.#number(4));
      default: throw new Error(`not MessagePack: ${head}`);
    }
  }

  #list(length: number): Packed[] {
    const items: Packed[] = [];
    for (let i = 0; i < length; i++) items.push(this.value());
    return items;
  }

  #map(length: number): { [field: string]: Packed } {
    const fields: { [field: string]: Packed } = {};
    for (let i = 0; i < length; i++) {
      const name = this.value();
      const field = typeof name === 'string' ? name : JSON.stringify(name);
      fields[field] = this.value();
    }
    return fields;
  }

  #take(length: number): Bytes {
    if (this.at + length > this.bytes.length) throw new Error('not MessagePack: it ends early');
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }

  #raw(length: number): Buffer {
    return Buffer.from(this.#take(length), 'latin1');
  }

  #byte(): number {
    return this.#take(1).charCodeAt(0);
  }

  #number(size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.#byte();
    return value;
  }
}
