import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packRecord, unpackRecord } from '../../src/core/job-record.js';
import { packStrings, ScriptPacker } from '../../src/core/script-packer.js';
import { packJobs } from '../../src/queue/pack-jobs.js';
import { PlainJob, PlainJobs } from '../../src/queue/plain-jobs.js';
import type { EnqueueRequest, SpecialRequest } from '../../src/queue/enqueuer.js';
import { enqueue, type EnqueueCall } from '../../src/redis/scripts/enqueue.js';
import { nothing, packEnded } from '../../src/queue/pack-ended.js';
import { openRedis } from '../support/behaviour.js';

/** What the packers write, read by the `cmsgpack` of a real Redis: Lua finds what was packed, byte by byte. */

/**
 * Says what Lua made of the packed argument, without packing anything itself: per value its kind and its content, and
 * of a table each index, so that nil leaves a gap.
 */
const tell = `
local function told(value)
  local kind = type(value)
  if kind == 'string' then return { 's', value } end
  if kind == 'number' then return { 'n', string.format('%.17g', value) } end
  if kind ~= 'table' then return { kind } end
  local found, top = { 't' }, 0
  for index in pairs(value) do
    if type(index) ~= 'number' then return { 'a key that is no number' } end
    top = math.max(top, index)
  end
  for index = 1, top do
    if value[index] == nil then found[index + 1] = { 'z' } else found[index + 1] = told(value[index]) end
  end
  return found
end
return told(cmsgpack.unpack(ARGV[1]))`;

/** A value that is packed: text, bytes, a number, nil or a list of such. */
type Value = string | Buffer | number | null | Value[];

function packValue(value: Value, packer: ScriptPacker): ScriptPacker {
  if (value === null) return packer.nil();
  if (typeof value === 'string') return packer.string(value);
  if (typeof value === 'number') return packer.number(value);
  if (Buffer.isBuffer(value)) return packer.bytes(value);
  packer.array(value.length);
  for (const each of value) packValue(each, packer);
  return packer;
}

/** A sign per byte: texts are compared much faster than buffers. */
const signs = (part: Buffer): string => part.toString('latin1');

/** What `tell` answers for a value. Lua sees no nil at the end of a list. */
function expected(value: Value): unknown[] {
  if (value === null) return ['z'];
  if (typeof value === 'string') return ['s', signs(Buffer.from(value))];
  // Zero is packed as an integer, which has no sign.
  if (typeof value === 'number') return ['n', value + 0];
  if (Buffer.isBuffer(value)) return ['s', signs(value)];
  const whole = [...value];
  while (whole.length > 0 && whole.at(-1) === null) whole.pop();
  return ['t', ...whole.map(expected)];
}

/** The reply in the form of `expected`. */
function read(raw: unknown): unknown[] {
  const [kind, ...rest] = raw as [Buffer, ...unknown[]];
  if (String(kind) === 's') return ['s', signs(rest[0] as Buffer)];
  if (String(kind) === 'n') return ['n', numberOf(String(rest[0]))];
  return [String(kind), ...rest.map(read)];
}

const numberOf = (text: string): number => (text === 'inf' ? Infinity : text === '-inf' ? -Infinity : /nan/.test(text) ? NaN : Number(text));

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ unit: 'grapheme', maxLength: 300 }),
  // Around the lengths at which the header changes, of one to three bytes a character.
  fc.tuple(fc.constantFrom('a', 'é', '日'), fc.integer({ min: 75, max: 90 })).map(([sign, length]) => sign.repeat(length)),
  fc.tuple(fc.constantFrom('a', 'é', '日', '🐑'), fc.constantFrom(0, 1, 254, 255, 256, 257, 5_000)).map(([sign, length]) => sign.repeat(length)),
);
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }), fc.constantFrom(0, 1, 31, 32, 254, 255, 256, 257, 4_095, 4_096, 65_535, 65_536, 70_000).map((length) => new Uint8Array(length).fill(0xc1)),
).map((part) => Buffer.from(part));
const numbers = fc.oneof(
  fc.integer({ min: -200, max: 300 }), fc.maxSafeInteger(), fc.double(), fc.constantFrom(0, 127, 128, 2 ** 31, 2 ** 32, 2 ** 53, 0.1, -1, 1.7e12, Infinity, -Infinity, NaN),
);
const { value: packed } = fc.letrec<{ value: Value; list: Value[] }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, texts, bytes, numbers, fc.constant(null), tie('list')),
  list: fc.array(tie('value'), { maxLength: 8 }),
}));

const options = { numRuns: 100 };

describe('what the packer writes', () => {
  test('is what Lua reads: texts, bytes, numbers, nil and lists', async () => {
    const redis = openRedis();
    const packer = new ScriptPacker();
    await fc.assert(fc.asyncProperty(packed, async (value) => {
      const list = [value];
      expect(read(await redis.callBuffer('eval', tell, 0, packValue(list, packer).take()))).toEqual(expected(list));
    }), options);
  });

  test('is a list of texts, also of a thousand', async () => {
    const redis = openRedis();
    await fc.assert(fc.asyncProperty(fc.oneof(fc.array(texts, { maxLength: 20 }), fc.constant(Array.from({ length: 1_000 }, (_, i) => `id ${i}`))), async (list) => {
      expect(read(await redis.callBuffer('eval', tell, 0, packStrings(list)))).toEqual(expected(list));
    }), options);
  });
});

const ids = fc.uniqueArray(fc.stringMatching(/^[a-zA-Z0-9:日é ]{1,40}$/), { minLength: 1, maxLength: 12 });
/** Around the size from which a record is an argument of its own. */
const records = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.constantFrom(255, 256, 2_046, 2_047, 2_048, 2_049, 40_000).map((length) => new Uint8Array(length).fill(7)))
  .map((part) => Buffer.from(part));
const ruled = fc.record({ id: texts, ttlMs: fc.nat(), extend: fc.boolean(), replace: fc.boolean(), keepLast: fc.boolean(), reschedule: fc.boolean() });
const specials = (fresh: boolean): fc.Arbitrary<SpecialRequest> => fc.record({
  fresh: fc.constant(fresh), delayMs: fc.integer({ min: 0, max: 2 ** 42 }), priority: fc.integer({ min: 0, max: 2_097_151 }), lifo: fc.boolean(),
  facts: fc.option(bytes, { nil: undefined }), deduplication: fresh ? fc.constant(undefined) : fc.option(ruled, { nil: undefined }),
});

function requestsOf(special: fc.Arbitrary<SpecialRequest | undefined>): fc.Arbitrary<EnqueueRequest[]> {
  return ids.chain((some) => fc.tuple(...some.sort().map((id) => fc.record({ id: fc.constant(id), name: fc.constantFrom('a', 'b'), record: records, special }))));
}

/** What Lua is to find for a job in one of the forms `fresh` and `special`. */
function placed({ id, record, special }: EnqueueRequest): Value[] {
  return [id, record, special?.delayMs ?? 0, special?.priority ?? 0, special?.lifo ? 1 : 0, special?.facts ?? ''];
}

function ruleOf({ special }: EnqueueRequest): Value {
  const rule = special?.deduplication;
  return rule ? [rule.id, rule.ttlMs, ...[rule.extend, rule.replace, rule.keepLast, rule.reschedule].map(Number)] : '';
}

const forms: [form: 'plain' | 'fresh' | 'special', requests: fc.Arbitrary<EnqueueRequest[]>, content: (requests: EnqueueRequest[]) => Value[]][] = [
  ['plain', requestsOf(fc.constant(undefined)), (all) => all.flatMap(({ id, record }) => [id, record])],
  ['fresh', requestsOf(fc.option(specials(true), { nil: undefined })), (all) => all.flatMap(placed)],
  ['special', requestsOf(fc.option(fc.oneof(specials(true), specials(false)), { nil: undefined })), (all) => all.map((one) => [...placed(one), ruleOf(one)])],
];

/** Sets the records that travel as arguments of their own into the places that name them. */
function followed(told: unknown[], args: readonly unknown[], record: (path: number[]) => boolean, path: number[] = []): unknown[] {
  if (told[0] === 'n' && record(path)) return ['s', signs(args[(told[1] as number) - 1] as Buffer)];
  return told[0] === 't' ? ['t', ...told.slice(1).map((each, i) => followed(each as unknown[], args, record, [...path, i]))] : told;
}

const isRecord = { plain: ([i = 0]: number[]) => i % 2 === 1, fresh: ([i = 0]: number[]) => i % 6 === 1, special: (path: number[]) => path.length === 2 && path[1] === 1 };

describe('new jobs', () => {
  test.each(forms)('in the form %s are read as they were packed, small records and large ones', async (form, requests, content) => {
    const redis = openRedis();
    const packer = new ScriptPacker();
    await fc.assert(fc.asyncProperty(requests, async (all) => {
      const call: EnqueueCall = { session: 's', seq: 1, ...packJobs(all, packer) };
      fc.pre(call[form] !== undefined);
      const told = read(await redis.callBuffer('eval', tell, 0, call[form]));
      expect(followed(told, enqueue.args(call), isRecord[form])).toEqual(expected(content(all)));
      expect(call.large?.map(signs)).toEqual(all.map(({ record }) => signs(record)).filter(({ length }) => length >= 2_048));
    }), options);
  });
});

const datas = fc.oneof(fc.jsonValue(), texts, fc.constantFrom(1n, new Set([1])), fc.constantFrom('x'.repeat(2_000), 'x'.repeat(2_100), 'x'.repeat(9_000)));

/** Jobs of which some are packed in place, a few of them in another place, with others in between. */
const mixed = ids.chain((some) => fc.tuple(...some.map((_, i) => fc.record({
  id: fc.constant(`id-${String(i).padStart(9, '0')}`), data: datas, opts: fc.constantFrom(undefined, { attempts: 3 }), where: fc.constantFrom(0, 0, 0, 1, 2),
})))).map((jobs) => {
  const places = [new PlainJobs(), new PlainJobs()];
  return jobs.map(({ id, data, opts, where }): EnqueueRequest => (
    places[where]?.pack(id, { name: 'a', data, timestamp: 1_700_000_000_000, opts }) ?? { id, record: packRecord('a', data, 1_700_000_000_000, opts), name: 'a', special: undefined }
  ));
});

test('new jobs that are packed in place are read as those that are packed by themselves', async () => {
  const redis = openRedis();
  const packer = new ScriptPacker();
  let inPlace = 0;
  await fc.assert(fc.asyncProperty(mixed, async (all) => {
    const call: EnqueueCall = { session: 's', seq: 1, ...packJobs(all, packer) };
    const told = read(await redis.callBuffer('eval', tell, 0, call.plain ?? ''));
    expect(followed(told, enqueue.args(call), isRecord.plain)).toEqual(expected(all.flatMap(({ id, record }) => [id, record])));
    for (const one of all) {
      if (!(one instanceof PlainJob)) continue;
      inPlace++;
      expect(one.size).toBe(one.record.length);
      expect(unpackRecord(one.record)).toMatchObject({ name: 'a', timestamp: 1_700_000_000_000 });
    }
  }), options);
  expect(inPlace).toBeGreaterThan(100);
});

type Payload = { given: string | Buffer | ((packer: ScriptPacker) => void); read: Value };
const payloads: fc.Arbitrary<Payload> = fc.oneof(
  fc.constant({ given: nothing, read: nothing }), bytes.map((part) => ({ given: part, read: part })), texts.map((part) => ({ given: part, read: part })),
  fc.array(fc.oneof(bytes, numbers, fc.constant(null)), { minLength: 1, maxLength: 5 }).map((list) => ({ given: (packer: ScriptPacker): void => void packValue(list, packer), read: list })),
);
const ends = fc.array(fc.record({ id: texts, lease: fc.constantFrom('w|1', 'w|2', 'é|3'), ending: fc.integer({ min: 0, max: 6 }), payload: payloads }), { maxLength: 15 });
const quiet = fc.array(fc.record({ id: texts, lease: fc.constantFrom('w|1', 'w|2'), ending: fc.constant(0), payload: fc.constant<Payload>({ given: nothing, read: nothing }) }), { maxLength: 15 });

test('ends are read as they were packed, group by group', async () => {
  const redis = openRedis();
  const packer = new ScriptPacker();
  await fc.assert(fc.asyncProperty(fc.oneof(ends, quiet), async (all) => {
    const told = read(await redis.callBuffer('eval', tell, 0, packEnded(all.map((end) => ({ ...end, payload: end.payload.given })), packer)));
    // Written out again: an end each, so that nothing is said of how they are grouped.
    const [kind, ...parts] = told as ['t', ...unknown[][]];
    const found: unknown[][] = [];
    for (let i = 0; i < parts.length; i += 4) {
      const [lease, idsOf, endings, payloadsOf] = parts.slice(i, i + 4) as [unknown[], unknown[][], unknown[], unknown[][]];
      const kinds = String(endings[1]);
      for (const [j, id] of idsOf.slice(1).entries()) {
        found.push([lease, id, kinds === '' ? 0 : Number(kinds[j]), (payloadsOf[0] as unknown) === 's' ? expected(nothing) : payloadsOf[j + 1]]);
      }
    }
    expect(kind).toBe('t');
    expect(found).toEqual(all.map(({ id, lease, ending, payload }) => [expected(lease), expected(id), ending, expected(payload.read)]));
  }), options);
});
