import fc from 'fast-check';

/** Real bytes with a few random damages: bits flipped, parts cut out, inserted, repeated or swapped for those of another kind. */
export function damaged(real: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const edit = fc.record({ kind: fc.constantFrom('flip', 'set', 'cut', 'insert', 'repeat', 'head', 'end'), at: fc.nat(4000), size: fc.nat(40), bytes: fc.oneof(fc.uint8Array({ maxLength: 12 }), tags) });
  const broken = fc.tuple(fc.constantFrom(...real), fc.array(edit, { minLength: 1, maxLength: 4 })).map(([bytes, edits]) => edits.reduce(edited, bytes));
  return fc.oneof({ weight: 6, arbitrary: broken }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) }, { weight: 1, arbitrary: bombs });
}

/** Heads of MessagePack that promise more than there is, and of its extensions. */
const tags = fc.constantFrom(
  [0xdd, 0xff, 0xff, 0xff, 0xff], [0xdd, 0, 0xff, 0xff, 0xff], [0xdf, 0xff, 0xff, 0xff, 0xff], [0xdc, 0xff, 0xff], [0xde, 0xff, 0xff], [0xdb, 0x7f, 0xff, 0xff, 0xff],
  [0xc6, 0xff, 0xff, 0xff, 0xff], [0xc9, 0, 0, 0, 1, 0x72], [0xd4, 0x72, 0x40], [0xd4, 0x72, 0x41, 0x92], [0xd6, 0x69, 0, 0, 0, 1], [0xd6, 0x70, 0, 0, 0, 1], [0xd6, 0x62, 0xff, 0xff, 0xff, 0xfc],
  [0xd4, 0x65, 0x93], [0xd4, 0x78, 0x92], [0xd4, 0x73, 0x90], [0xc7, 9, 0x74, 7], [0xd7, 0xff], [0xc7, 200, 0x42], [0xd4, 0, 0], [0xc1], [0xcb, 0x7f, 0xf8], [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xa9, ...Buffer.from('__proto__')], [0xab, ...Buffer.from('constructor')], [0xa9, ...Buffer.from('prototype')], [0xa8, ...Buffer.from('polluted')],
).map((bytes) => Uint8Array.from(bytes));

/** The same head over and over. */
const bombs = fc.tuple(fc.oneof(tags, fc.constantFrom(Uint8Array.of(0x91), Uint8Array.of(0x81), Uint8Array.of(0x81, 0xa1, 0x61), Uint8Array.of(0xdc, 0x10, 0))), fc.integer({ min: 1, max: 20_000 }), fc.uint8Array({ maxLength: 4 }))
  .map(([head, times, end]) => Buffer.concat([...Array.from({ length: times }, () => head), end]));

interface Edit {
  kind: string;
  at: number;
  size: number;
  bytes: Uint8Array;
}

function edited(bytes: Buffer, { kind, at, size, bytes: other }: Edit): Buffer {
  const from = bytes.length === 0 ? 0 : at % bytes.length;
  const [before, part, after] = [bytes.subarray(0, from), bytes.subarray(from, from + size), bytes.subarray(from + size)];
  switch (kind) {
    case 'flip': return Buffer.concat([before, Buffer.from([(bytes[from] ?? 0) ^ (1 << (size % 8))]), bytes.subarray(from + 1)]);
    case 'set': return Buffer.concat([before, other, bytes.subarray(from + other.length)]);
    case 'cut': return Buffer.concat([before, after]);
    case 'insert': return Buffer.concat([before, other, bytes.subarray(from)]);
    case 'repeat': return Buffer.concat([before, ...Array.from({ length: 1 + (at % 50) }, () => part), after]);
    case 'head': return before;
    default: return after;
  }
}

/** How much a value holds: one for each part, and the lengths of its texts and bytes. What is there twice counts once. */
export function extentOf(value: unknown): number {
  const seen = new Set<unknown>();
  const left: unknown[] = [value];
  let extent = 0;
  while (left.length > 0) {
    const part = left.pop();
    if (seen.has(part)) continue;
    extent += 1;
    if (typeof part === 'string') extent += part.length;
    if (typeof part === 'bigint') extent += part.toString(16).length / 2;
    if ((typeof part !== 'object' || part === null) && typeof part !== 'string') continue;
    seen.add(part);
    if (ArrayBuffer.isView(part)) extent += part.byteLength;
    else if (part instanceof Map) left.push(...part.keys(), ...part.values());
    else if (part instanceof Set) left.push(...(part as Set<unknown>));
    else if (typeof part === 'object') for (const key of Object.keys(part)) left.push(key, (part as Record<string, unknown>)[key]);
  }
  return extent;
}

/** What Redis might answer in the place of a reply. */
export const anyReply = fc.letrec<{ reply: unknown }>((tie) => ({
  reply: fc.oneof({ maxDepth: 4 }, fc.constant(null), fc.constantFrom(0, 1, -1, 2 ** 53, -(2 ** 63), NaN), fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom('', '1', 'x', '-1', '1.5', 'inf', '1\n2', '0-0').map((text) => Buffer.from(text)), fc.array(tie('reply'), { maxLength: 12 })),
})).reply;
