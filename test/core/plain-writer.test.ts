import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, test } from 'vitest';
import { pack, unpack } from '../../src/core/codec.js';
import { PlainWriter } from '../../src/core/plain-writer.js';

/** As the codec makes it for all that is not plain. */
const packr = new Packr({ useRecords: false, variableMapSize: true, moreTypes: true, useBigIntExtension: true });

const texts = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 40 }),
  // Around the lengths at which the header changes, and from which on a text is written by the runtime; of one to four bytes a sign.
  fc.tuple(fc.constantFrom('a', 'é', '日', '🐑'), fc.constantFrom(1, 10, 15, 16, 31, 32, 63, 64, 65, 127, 128, 255, 256, 5_000)).map(([sign, length]) => sign.repeat(length)),
);
const numbers = fc.oneof(
  fc.integer({ min: -300, max: 300 }), fc.maxSafeInteger(), fc.double(),
  fc.constantFrom(0, -0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1, NaN, Infinity),
);
const dates = fc.oneof(
  fc.date(), fc.date({ min: new Date(0), max: new Date('2107-01-01') }), fc.constantFrom(0, 1, 999, 1_000, 1_700_000_000_000, (2 ** 32) * 1_000 - 1).map((time) => new Date(time)),
);
const { value: plainValues } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true }, texts, numbers, fc.boolean(), fc.constantFrom(null, undefined), dates,
    fc.array(tie('value'), { maxLength: 20 }), fc.dictionary(texts, tie('value'), { maxKeys: 20 }),
    fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'toString', 'then', 'toJSON', '1', '0'), tie('value'), { maxKeys: 4 }),
  ),
}));

const manyFields = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, i) => [`field ${i}`, i]));

describe('what the plain writer writes', () => {
  test('is byte for byte what msgpackr writes', () => {
    const writer = new PlainWriter();
    let written = 0;
    fc.assert(fc.property(plainValues, (value) => {
      const packed = writer.pack(value);
      if (packed === undefined) return;
      written++;
      expect(packed.equals(packr.pack(value))).toBe(true);
    }), { numRuns: 2_000 });
    expect(written).toBeGreaterThan(1_000);
  });

  test.each([0, 15, 16, 200, 300])('is the same for an object of %i fields and a list of as many', (count) => {
    const value = { object: manyFields(count), list: Object.keys(manyFields(count)) };
    expect(new PlainWriter().pack(value)).toEqual(packr.pack(value));
  });

  test('stays as it is while more is written, over many pages', () => {
    const writer = new PlainWriter();
    const values = Array.from({ length: 300 }, (_, i) => ({ i, text: 'é'.repeat(i) }));
    const packed = values.map((value) => writer.pack(value));
    for (const [i, value] of values.entries()) expect(packed[i]).toEqual(packr.pack(value));
  });
});

class Instance {
  readonly field = 1;
}

const left: [what: string, value: unknown][] = [
  ['a function', { fn: () => 1 }], ['a symbol', [Symbol('s')]], ['a big integer', 1n], ['a date before 1970', new Date(-1)], ['a date after 2106', new Date(2 ** 32 * 1_000)], ['no date', new Date(NaN)], ['what says it is a date', { constructor: Date }], ['bytes', Buffer.from('a')], ['a map', new Map()], ['a set', new Set()],
  ['a promise', { promise: Promise.resolve() }], ['an instance', new Instance()], ['an object without prototype', Object.create(null)], ['an error', new Error('e')],
  ['an object that says what is stored', { toJSON: () => 1 }], ['a list of another class', new (class extends Array<unknown> {})()],
  ['a long text', 'x'.repeat(20_000)], ['many fields', manyFields(2_000)], ['a text with half a sign', 'a\ud83d'], ['a long list', Array.from({ length: 20_000 })],
];

describe('what the plain writer leaves to msgpackr', () => {
  test.each(left)('%s', (_what, value) => {
    expect(new PlainWriter().pack(value)).toBeUndefined();
    expect(new PlainWriter().pack({ deep: [{ value }] })).toBeUndefined();
  });

  test('what refers back to itself', () => {
    const value: Record<string, unknown> = {};
    value['self'] = value;
    expect(new PlainWriter().pack(value)).toBeUndefined();
  });

  test('what cannot be read', () => {
    const value = { get field(): never { throw new Error('unreadable'); } };
    expect(new PlainWriter().pack(value)).toBeUndefined();
    expect(() => pack(value, 'data')).toThrow('unreadable');
  });

  test('and leaves no trace of it in what is written next', () => {
    const writer = new PlainWriter();
    const [before, refused, after] = [writer.pack('before'), writer.pack({ text: 'refused', at: 1n }), writer.pack('after')];
    expect([before, refused, after]).toEqual([packr.pack('before'), undefined, packr.pack('after')]);
  });
});

test('data whose getter packs something else is packed whole', () => {
  let inner: Buffer | undefined;
  const value = { first: 1, get second(): string { inner = pack({ inside: true }, 'data'); return 'two'; }, third: 3 };
  expect(unpack(pack(value, 'data'))).toEqual({ first: 1, second: 'two', third: 3 });
  expect(unpack(inner ?? Buffer.alloc(0))).toEqual({ inside: true });
});

test('what an object inherits is not stored', () => {
  expect(unpack(pack(Object.assign(Object.create({ inherited: 1 }) as object, { own: 2 }), 'data'))).toEqual({ own: 2 });
});
