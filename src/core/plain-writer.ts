import { charCodeAt } from './char-code-at.js';

const pageBytes = 1 << 16;
/** The most bytes of one piece. */
const mostBytes = 1 << 14;
/** Texts up to this length are written here; for longer ones a call into the runtime is faster. */
const shortLength = 64;
/** Texts from this length on are left to msgpackr, which is as fast with them. */
const longLength = 1 << 11;
/** The most bytes of a number or a date, and of a header with what may have to be added to it. */
const mostOfPart = 10;

const loneSurrogate = /\p{Surrogate}/u;

/**
 * Writes plain data as MessagePack, byte for byte what msgpackr makes of it, in half the time: texts, numbers, flags,
 * null, undefined, dates, lists and plain objects. It leaves all else to msgpackr, and what is long.
 *
 * What it writes stands in pages, one piece behind the other, so that a piece needs no buffer of its own.
 */
export class PlainWriter {
  #page = Buffer.allocUnsafeSlow(0);
  #view = viewOf(this.#page);
  #kept = 0;
  #at = 0;
  #end = 0;
  /** Reading data may run code of the user, and that may pack something as well. */
  #busy = false;

  /** The bytes of a value, or undefined when it is none of what is written here. */
  pack(value: unknown): Buffer | undefined {
    if (!this.begin()) return undefined;
    const from = this.#at;
    if (!this.value(value)) return undefined;
    this.keep();
    return this.#page.subarray(from, this.#at);
  }

  /** Begins a piece, in place of what was written and not kept. False while another one is being written. */
  begin(): boolean {
    if (this.#busy) return false;
    if (this.#kept + mostBytes > this.#page.length) this.#turn();
    this.#at = this.#kept;
    this.#end = this.#at + mostBytes;
    return true;
  }

  /** The page in which the piece stands. */
  get page(): Buffer {
    return this.#page;
  }

  /** Where the next byte goes. */
  get at(): number {
    return this.#at;
  }

  /** The piece is wanted: the next one begins behind it. */
  keep(): void {
    this.#kept = this.#at;
  }

  /** Leaves out so many bytes, for the caller to fill in. */
  skip(bytes: number): this {
    this.#at += bytes;
    return this;
  }

  /** The head of a list of at most 15 values, which follow. */
  list(length: number): this {
    this.#page[this.#at++] = 0x90 | length;
    return this;
  }

  /** False when it is none of what is written here; then nothing of the piece is worth keeping. */
  value(value: unknown): boolean {
    this.#busy = true;
    try {
      return this.#value(value);
    } catch {
      // A getter threw, or a proxy: whoever packs it with more care finds out which.
      return false;
    } finally {
      this.#busy = false;
    }
  }

  #value(value: unknown): boolean {
    if (typeof value === 'string') return this.#text(value);
    if (this.#at + mostOfPart > this.#end) return false;
    if (typeof value === 'number') return this.#number(value);
    if (typeof value === 'boolean') return this.#byte(value ? 0xc3 : 0xc2);
    if (value === null) return this.#byte(0xc0);
    if (value === undefined) return this.#nothing();
    if (typeof value !== 'object') return false;
    if (value.constructor === Object) return this.#object(value as Record<string, unknown>);
    if (value.constructor === Array) return this.#array(value as unknown[]);
    return value.constructor === Date && this.#date(value);
  }

  #byte(byte: number): true {
    this.#page[this.#at++] = byte;
    return true;
  }

  /** MessagePack has no `undefined`: it is an extension of msgpackr's. */
  #nothing(): true {
    this.#page[this.#at] = 0xd4;
    this.#page[this.#at + 1] = this.#page[this.#at + 2] = 0;
    this.#at += 3;
    return true;
  }

  #number(value: number): true {
    if (value >>> 0 === value) {
      if (value < 0x80) return this.#byte(value);
      this.#head(value, 0xcc);
    } else if (value >> 0 === value) {
      this.#negative(value);
    } else {
      this.#page[this.#at] = 0xcb;
      this.#view.setFloat64(this.#at + 1, value);
      this.#at += 9;
    }
    return true;
  }

  #negative(value: number): void {
    const at = this.#at;
    if (value >= -0x20) {
      this.#byte(value & 0xff);
    } else if (value >= -0x80) {
      this.#page[at] = 0xd0;
      this.#view.setInt8(at + 1, value);
      this.#at = at + 2;
    } else if (value >= -0x8000) {
      this.#page[at] = 0xd1;
      this.#view.setInt16(at + 1, value);
      this.#at = at + 3;
    } else {
      this.#page[at] = 0xd2;
      this.#view.setInt32(at + 1, value);
      this.#at = at + 5;
    }
  }

  /** `kind` and a whole number in one byte, or the next kind and the number in two, or the one after that, and four. */
  #head(value: number, kind: number): void {
    const at = this.#at;
    if (value < 0x100) {
      this.#page[at] = kind;
      this.#page[at + 1] = value;
      this.#at = at + 2;
    } else if (value < 0x10000) {
      this.#page[at] = kind + 1;
      this.#view.setUint16(at + 1, value);
      this.#at = at + 3;
    } else {
      this.#page[at] = kind + 2;
      this.#view.setUint32(at + 1, value);
      this.#at = at + 5;
    }
  }

  /** One from 1970 to 2106, as nearly all are: seconds alone, or nanoseconds in 30 bits and seconds in 34. */
  #date(date: Date): boolean {
    const time = date.getTime();
    const seconds = Math.floor(time / 1_000);
    if (!(seconds >= 0 && seconds < 2 ** 32)) return false;
    const at = this.#at;
    const ms = time - seconds * 1_000;
    this.#page[at] = ms === 0 ? 0xd6 : 0xd7;
    this.#page[at + 1] = 0xff;
    if (ms > 0) this.#view.setUint32(at + 2, ms * 4_000_000);
    this.#view.setUint32(ms === 0 ? at + 2 : at + 6, seconds);
    this.#at = ms === 0 ? at + 6 : at + 10;
    return true;
  }

  #text(text: string): boolean {
    const length = text.length;
    if (length > shortLength) return this.#longText(text);
    if (this.#at + mostOfPart + length > this.#end) return false;
    const start = this.#at;
    if (length < 0x20) this.#byte(0xa0 | length);
    else this.#head(length, 0xd9);
    const page = this.#page;
    let at = this.#at;
    for (let i = 0; i < length; i++) {
      const code = charCodeAt(text, i);
      if (code > 0x7f) {
        this.#at = start;
        return this.#longText(text);
      }
      page[at++] = code;
    }
    this.#at = at;
    return true;
  }

  /** Also one that is not ASCII. */
  #longText(text: string): boolean {
    if (text.length >= longLength) return false;
    const length = Buffer.byteLength(text);
    if (this.#at + mostOfPart + length > this.#end) return false;
    // Of halves of signs msgpackr makes this or that.
    if (length !== text.length && loneSurrogate.test(text)) return false;
    if (length < 0x20) this.#byte(0xa0 | length);
    else this.#head(length, 0xd9);
    this.#at += this.#page.write(text, this.#at);
    return true;
  }

  #object(object: Record<string, unknown>): boolean {
    const start = this.#at++;
    let count = 0;
    for (const name in object) {
      if (!Object.hasOwn(object, name)) continue;
      if (!this.#text(name) || !this.#value(object[name])) return false;
      count++;
    }
    if (count < 0x10) this.#page[start] = 0x80 | count;
    else return this.#widen(start, count);
    return true;
  }

  /** The head of an object of many fields takes three bytes, where one was left for it. */
  #widen(start: number, count: number): boolean {
    if (this.#at + 2 > this.#end) return false;
    this.#page.copyWithin(start + 3, start + 1, this.#at);
    this.#page[start] = 0xde;
    this.#view.setUint16(start + 1, count);
    this.#at += 2;
    return true;
  }

  #array(array: readonly unknown[]): boolean {
    const length = array.length;
    if (length < 0x10) {
      this.list(length);
    } else {
      if (length > mostBytes) return false;
      this.#page[this.#at] = 0xdc;
      this.#view.setUint16(this.#at + 1, length);
      this.#at += 3;
    }
    for (let i = 0; i < length; i++) if (!this.#value(array[i])) return false;
    return true;
  }

  #turn(): void {
    this.#page = Buffer.allocUnsafeSlow(pageBytes);
    this.#view = viewOf(this.#page);
    this.#kept = 0;
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Buffer): DataView => new DataView(buffer, byteOffset, byteLength);
