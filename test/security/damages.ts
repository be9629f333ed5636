import { pack } from '../../src/core/codec.js';

/** What may be found in place of bytes that Drover wrote. */
export interface Damage {
  name: string;
  /** What becomes of the bytes. */
  of: (written: Buffer) => Buffer;
}

const nested = (tag: number[], depth: number, core: number[]): Buffer => Buffer.concat([...Array.from({ length: depth }, () => Buffer.from(tag)), Buffer.from(core)]);

/** Bytes without order that are the same in each run. */
function noise(length: number): Buffer {
  let state = 0x2545f491;
  return Buffer.from(Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  }));
}

export const damages: Damage[] = [
  { name: 'nothing', of: () => Buffer.alloc(0) },
  { name: 'its first half', of: (written) => written.subarray(0, written.length >> 1) },
  { name: 'all but its last byte', of: (written) => written.subarray(0, -1) },
  { name: 'itself twice', of: (written) => Buffer.concat([written, written]) },
  { name: 'text', of: () => Buffer.from('not packed at all') },
  { name: 'JSON', of: () => Buffer.from('{"name":"a","data":{}}') },
  { name: 'noise', of: () => noise(64) },
  { name: 'a tag that does not exist', of: () => Buffer.from([0xc1, 0xc1]) },
  { name: 'a number', of: () => Buffer.from([5]) },
  { name: 'a negative number', of: () => pack(-1, '') },
  { name: 'nil', of: () => Buffer.from([0xc0]) },
  { name: 'a packed text', of: () => pack('text', '') },
  { name: 'an empty list', of: () => Buffer.from([0x90]) },
  { name: 'an empty map', of: () => Buffer.from([0x80]) },
  { name: 'a list of maps', of: () => pack([{}, {}, {}, {}, {}], '') },
  { name: 'a map of lists', of: () => pack(Object.fromEntries(['am', 'as', 'sc', 'su', 'pr', 'de', 'pk', 'po', 'df', 'rj', 'dl', 'pd', 'id', 'till', 'last', 'count', 'repeat', 'name', 'opts', 'worker', 'message'].map((key) => [key, []])), '') },
  { name: 'a map of texts', of: () => pack({ am: 'x', as: 'x', sc: 'x', pr: 'x', pk: 'x', dl: 'x', pd: 'x', id: 'x', till: 'x', last: 'x', count: 'x', repeat: 'x', name: 'x', opts: 'x' }, '') },
  { name: 'negative counters', of: () => pack({ am: -1, as: -1, sc: -1, pr: -1, pd: -1, till: -1, count: -1 }, '') },
  { name: 'a map with a prototype', of: () => Buffer.concat([Buffer.from([0x82, 0xa9]), Buffer.from('__proto__'), Buffer.from([0x81, 0xa8]), Buffer.from('polluted'), Buffer.from([1, 0xab]), Buffer.from('constructor'), Buffer.from([0x81, 0xa9]), Buffer.from('prototype'), Buffer.from([0x81, 0xa8]), Buffer.from('polluted'), Buffer.from([1])]) },
  { name: 'a record with wrong options', of: () => pack(['job', 1, 1, { attempts: 'many', backoff: 'x', removeOnComplete: [], timeout: {} }], '') },
  { name: 'lists nested 10,000 deep', of: () => nested([0x91], 10_000, [0xc0]) },
  { name: 'maps nested 10,000 deep', of: () => nested([0x81, 0xa1, 0x61], 10_000, [0xc0]) },
  { name: 'a list longer than memory', of: () => Buffer.from([0xdd, 0xff, 0xff, 0xff, 0xff, 1]) },
  { name: 'a text longer than memory', of: () => Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff, 1]) },
  { name: 'a map larger than memory', of: () => Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff, 1]) },
  { name: 'bytes that lead a reader backwards', of: () => Buffer.from([0xa0, 0xa0, 0xd6, 0x62, 0xff, 0xff, 0xff, 0xfc, 0x05]) },
  { name: 'a definition of how others are read', of: () => Buffer.from([0xd4, 0x72, 0x41, 0x90]) },
  { name: 'references between objects', of: () => Buffer.from([0xd6, 0x69, 0, 0, 0, 1, 0x91, 0xd6, 0x70, 0, 0, 0, 1]) },
  { name: 'four megabytes', of: () => pack('x'.repeat(4 << 20), '') },
];

/** Whether anything reached the prototype of all objects. */
export function isPolluted(): boolean {
  return 'polluted' in {} || Object.keys(Object.prototype).length > 0;
}
