import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pack, readFirst, unpack, unpackAll, unpackFacts } from '../../src/core/codec.js';
import { DroverError } from '../../src/core/errors.js';
import { asOutcome, packAttempt, packNewFacts, packOutcome, packRecord, reasonOf, unpackFactsOf, unpackHistory, unpackRecord } from '../../src/core/job-record.js';
import { decodeEntry } from '../../src/events/decode.js';
import { readJob } from '../../src/queue/read-job.js';
import type { JobOwner } from '../../src/queue/job.js';
import { readLetter } from '../../src/redis/letters.js';
import type { RawReply, Script } from '../../src/redis/script.js';
import type { SettleReply } from '../../src/redis/scripts/settle.js';
import { readRow } from '../../src/worker/taken-records.js';
import { scripts } from '../model/wire/scripts.js';
import { packedList } from '../model/wire/message-pack.js';
import { isPolluted } from './damages.js';
import { anyReply, damaged, extentOf } from './fuzz.js';

const data = { to: 'a@b.c', when: new Date(5), list: [1, 2.5, -3, null, true], bytes: Buffer.from('abc'), big: 2n ** 70n, set: new Set([1]), floats: Float64Array.of(1, 2), text: 'ü\u2028'.repeat(40) };
const record = packRecord('send', data, 1_700_000_000_000, { attempts: 3, backoff: { type: 'fixed', delay: 5 }, removeOnComplete: { age: 5 } });
const facts = packNewFacts({ priority: 3, deduplicationId: 'd', parent: { prefix: 'p', queue: 'q', id: 'i' }, policy: 'fail' }) ?? Buffer.alloc(0);
const allFacts = pack({ am: 1, as: 2, sc: 1, su: 1, df: 'child failed', rj: 's', pd: 5, mv: 5, rd: 5, dl: ['p', 'q', 5, 1, 'why'] }, '');
const outcome = packOutcome({ ok: true }, 1_700_000_000_000, 'w');
const reason = packOutcome('broken', 1_700_000_000_000, 'w');
const history = Buffer.concat([pack(5, ''), packAttempt({ worker: 'w', message: 'm', name: 'Error', stack: 'at x' }), pack(1_700_000_000_000n, ''), packAttempt({ worker: 'w', message: 'n' })]);
const letter = Buffer.concat([Buffer.from(packedList(['p', 'q', 'parent', 'completed', 'fail', 1_700_000_000_000_000]), 'latin1'), outcome]);
/** As scripts pack: texts for all bytes. */
const asNotes = (...notes: (string | number)[][]): Buffer => Buffer.from(String.fromCharCode(0x90 | notes.length) + notes.map(packedList).join(''), 'latin1');
const notes = asNotes(['waiting', 'a'], ['delayed', 'b', 1_700_000_000_000], ['failed', 'c', reason.toString('latin1'), 2], ['progress', 'd', pack(50, '').toString('latin1')],
  ['removed', 'e', 'waiting'], ['stalled', 'f'], ['deduplicated', 'g', 'h', 'i'], ['duplicated', 'j', 'j', ''], ['cleaned', 'k'], ['drained'], ['waiting-children', 'l', 'active']);

const readers: Record<string, { real: Buffer[]; read: (bytes: Buffer) => unknown }> = {
  'a value': { real: [record, outcome, pack(data, '')], read: unpack },
  'values in a row': { real: [history, Buffer.concat([record, record, record]), outcome], read: unpackAll },
  'a value that a script packed': { real: [facts, allFacts, notes], read: unpackFacts },
  'the first of several': { real: [letter, history], read: readFirst },
  'a record': { real: [record, packRecord('', null, 0, undefined)], read: unpackRecord },
  'the facts of a job': { real: [facts, allFacts], read: unpackFactsOf },
  'an outcome': { real: [outcome, reason], read: (bytes) => asOutcome(unpack(bytes)) },
  'the reason of a failure': { real: [reason], read: (bytes) => reasonOf(unpack(bytes)) },
  'a history': { real: [history], read: unpackHistory },
  'a letter': { real: [letter], read: (bytes) => readLetter('a', bytes) },
  'the records of a take': { real: [Buffer.concat([record, record])], read: (bytes) => readRow({ ids: ['a', 'b'], records: bytes } as unknown as SettleReply) },
  'a record of a take': { real: [record], read: (bytes) => readRow({ ids: ['a'], records: [bytes] } as unknown as SettleReply) },
};
const entries: Record<string, { real: Buffer[]; fields: (bytes: Buffer) => (string | Buffer)[] }> = {
  added: { real: [Buffer.from('a\nb\nc')], fields: (bytes) => ['added', bytes, 'names', 'x\ny\nz'] }, names: { real: [Buffer.from('x\ny')], fields: (bytes) => ['added', 'a\nb', 'names', bytes] },
  done: { real: [Buffer.from('a\nb')], fields: (bytes) => ['done', bytes, 'results', Buffer.concat([outcome, outcome])] },
  results: { real: [Buffer.concat([outcome, outcome])], fields: (bytes) => ['done', 'a\nb', 'results', bytes] },
  moved: { real: [notes], fields: (bytes) => ['moved', bytes] }, 'moved with names': { real: [notes], fields: (bytes) => ['added', '', 'names', 'x', 'moved', bytes] },
  active: { real: [Buffer.from('a\nb')], fields: (bytes) => ['active', bytes] }, custom: { real: [pack(['mine', { x: 1 }], '')], fields: (bytes) => ['custom', bytes] },
};
for (const [name, { real, fields }] of Object.entries(entries)) {
  readers[`an event: ${name}`] = { real, read: (bytes) => decodeEntry({ id: '1-1', fields: fields(bytes).map((part) => Buffer.from(part as string)) }) };
}
const columns = { record, state: facts, outcome, history, progress: pack(50, '') };
for (const column of Object.keys(columns) as (keyof typeof columns)[]) {
  readers[`a job by its ${column}`] = {
    real: [columns[column]],
    read: (bytes) => {
      const { name, data: given, opts, attemptHistory, progress, returnvalue, parent } = readJob({} as JobOwner, { id: 'a', place: 'completed', score: 5, lease: undefined, ...columns, [column]: bytes });
      return { name, given, opts, attemptHistory, progress, returnvalue, parent };
    },
  };
}

/** What is read, or the error; anything but a typed error is thrown on. */
function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof DroverError && ['CORRUPT_DATA', 'INTERNAL'].includes(error.code)) return error;
    throw error;
  }
}

describe('bytes that something else wrote are a value or a typed error, and never more than they are', () => {
  for (const [name, { real, read }] of Object.entries(readers)) {
    test(name, () => {
      const undamaged = real.map((bytes) => attempt(() => read(bytes)));
      for (const value of undamaged) expect(value).not.toBeInstanceOf(Error);
      fc.assert(fc.property(damaged(real), (bytes) => {
        const value = attempt(() => read(bytes));
        expect(isPolluted()).toBe(false);
        expect(extentOf(value instanceof Error ? value.message : value)).toBeLessThan(6 * bytes.length + 4000);
      }), { numRuns: 400 });
      // No damage stays behind in the reader.
      expect(real.map((bytes) => attempt(() => read(bytes)))).toEqual(undamaged);
    });
  }
});

test('whatever Redis answers to a script is read, or is a typed error', () => {
  const ids = ['a', 'b'];
  const calls: Record<string, object> = { redrive: { ids }, fetch: { ids }, remove: { ids }, inquire: { children: ids }, adopt: { ids }, renew: { ids }, transfer: { items: ids }, promote: {} };
  for (const [verb, script] of Object.entries(scripts)) {
    const { reply } = script as unknown as Script<object, unknown>;
    fc.assert(fc.property(anyReply, (raw) => {
      const value = attempt(() => reply(raw as RawReply, calls[verb] ?? {}));
      expect(isPolluted()).toBe(false);
      if (value instanceof Error) expect(value).toHaveProperty('code', expect.stringMatching(/^(CORRUPT_DATA|INTERNAL)$/));
    }), { numRuns: 300 });
  }
});
