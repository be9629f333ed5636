import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { pack } from '../../src/core/codec.js';
import { packOutcome } from '../../src/core/job-record.js';
import { decodeEntry } from '../../src/events/decode.js';
import { compareEventIds } from '../../src/events/event-id.js';
import { readNotes } from '../../src/events/note-reader.js';

const packr = new Packr({ useRecords: false });

/** Packs as `cmsgpack` does: bytes are strings there. */
function notes(...moved: (string | number | Buffer)[][]): Buffer {
  const text = (value: Buffer): Buffer => {
    const header = Buffer.from([0xdb, 0, 0, 0, 0]);
    header.writeUInt32BE(value.length, 1);
    return Buffer.concat([header, value]);
  };
  const one = (value: string | number | Buffer): Buffer => (typeof value === 'number' ? packr.pack(value) : text(Buffer.from(value)));
  const lists = moved.map((note) => Buffer.concat([Buffer.from([0x90 | note.length]), ...note.map(one)]));
  return Buffer.concat([Buffer.from([0x90 | moved.length]), ...lists]);
}

function decode(...fields: (string | Buffer)[]): unknown[] {
  return decodeEntry({ id: '7-0', fields: fields.map((field) => Buffer.from(field)) }).map(({ event, args }) => [event, args]);
}

describe('an entry of the event stream', () => {
  it.each<[string, (string | Buffer)[], unknown[]]>([
    ['one name for all', ['added', 'a\nb', 'names', 'n', 'moved', ''], [
      ['added', { jobId: 'a', name: 'n' }], ['waiting', { jobId: 'a' }], ['added', { jobId: 'b', name: 'n' }], ['waiting', { jobId: 'b' }],
    ]],
    ['a delayed and a waiting special job', ['added', '', 'names', 'n\nm', 'moved', notes(['delayed', 'd', 2 ** 41], ['waiting', 'w'])], [
      ['added', { jobId: 'd', name: 'n' }], ['delayed', { jobId: 'd', delay: 2 ** 41 }], ['added', { jobId: 'w', name: 'm' }], ['waiting', { jobId: 'w' }],
    ]],
    ['a rescheduled job is not a new one',
      ['added', '', 'names', 'n\nm', 'moved', notes(['delayed', 'old', 5, 'delayed'], ['deduplicated', 'old', 'new', 'id'], ['waiting', 'w'])], [
        ['delayed', { jobId: 'old', delay: 5 }], ['deduplicated', { jobId: 'old', deduplicationId: 'id', deduplicatedJobId: 'new' }],
        ['added', { jobId: 'w', name: 'm' }], ['waiting', { jobId: 'w' }],
      ]],
    ['parents', ['added', '', 'names', 'n\nm', 'moved', notes(['waiting-children', 'p'], ['waiting-children', 'q'])], [
      ['added', { jobId: 'p', name: 'n' }], ['waiting-children', { jobId: 'p' }], ['added', { jobId: 'q', name: 'm' }], ['waiting-children', { jobId: 'q' }],
    ]],
    ['ends, moves and starts in one call', [
      'done', 'a\nb', 'results', Buffer.concat([Buffer.from([0xc0]), packOutcome(false, 1, 'w')]),
      'moved', notes(['failed', 'c', packOutcome('héé', 1, 'w')], ['waiting', 'd', 'active']), 'active', 'e',
    ], [
      ['completed', { jobId: 'a', returnvalue: undefined, prev: 'active' }],
      ['completed', { jobId: 'b', returnvalue: false, prev: 'active' }],
      ['failed', { jobId: 'c', failedReason: 'héé', prev: 'active' }],
      ['waiting', { jobId: 'd', prev: 'active' }],
      ['active', { jobId: 'e', prev: 'waiting' }],
    ]],
    ['attempts that are exhausted', ['moved', notes(['failed', 'c', packOutcome('no', 1, 'w'), 3])], [
      ['failed', { jobId: 'c', failedReason: 'no', prev: 'active' }], ['retries-exhausted', { jobId: 'c', attemptsMade: '3' }],
    ]],
    ['bytes that are not text', ['moved', notes(['progress', 'p', pack(Buffer.from([0xff, 0]), '')])], [
      ['progress', { jobId: 'p', data: Buffer.from([0xff, 0]) }],
    ]],
    ['cleaned jobs are counted', ['moved', notes(['cleaned', 'a'], ['cleaned', 'b'])], [['cleaned', { count: '2' }]]],
    ['the rest', ['moved', notes(['removed', 'a', 'delayed'], ['removed', 'b'], ['stalled', 'c'], ['waiting-children', 'd', 'active'], ['paused'], ['drained'])], [
      ['removed', { jobId: 'a', prev: 'delayed' }], ['removed', { jobId: 'b' }], ['stalled', { jobId: 'c' }],
      ['waiting-children', { jobId: 'd', prev: 'active' }], ['paused', {}], ['drained', {}],
    ]],
    ['a kind of a newer version', ['moved', notes(['teleported', 'a'])], [['teleported', { jobId: 'a' }]]],
    ['custom events', ['custom', Buffer.concat([pack(['one', { a: 1n }], ''), pack(['two', {}], '')])], [['one', { a: 1n }], ['two', {}]]],
  ])('%s', (_what, fields, expected) => {
    expect(decode(...fields)).toEqual(expected);
  });

  it.each<[string, (string | Buffer)[]]>([
    ['fields of someone else', ['event', 'completed', 'jobId', '1']],
    ['no fields', []],
    ['fewer results than jobs', ['done', 'a\nb', 'results', packOutcome(1, 1, 'w')]],
    ['results that are cut off', ['done', 'a', 'results', packOutcome('text', 1, 'w').subarray(0, 4)]],
    ['moves that are cut off', ['moved', notes(['stalled', 'a']).subarray(0, 8)]],
    ['moves with something behind', ['moved', Buffer.concat([notes(['paused']), Buffer.from([1])])]],
    ['moves that are no list', ['moved', packr.pack('text')]],
    ['a note that is no list', ['moved', packr.pack(['text'])]],
    ['a note without its id', ['moved', notes(['stalled'])]],
    ['fewer names than new jobs', ['added', 'a\nb\nc', 'names', 'n\nm']],
    ['a custom event without a name', ['custom', pack([1, {}], '')]],
  ])('with %s is refused as a whole, by its id', (_what, fields) => {
    expect(() => decode(...fields)).toThrow(expect.objectContaining({ code: 'CORRUPT_DATA', message: expect.stringContaining('7-0') }));
  });
});

describe('what scripts pack', () => {
  it.each([0, 127, 128, 255, 256, 65_535, 65_536, 2 ** 32, 2 ** 41, 2 ** 53 - 1, -1, -32, -33, -129, -40_000, -(2 ** 40), 0.5])('the number %d is read', (value) => {
    expect(readNotes(packr.pack(value))).toBe(value);
  });

  it.each([0, 1, 31, 32, 255, 256, 65_536])('a text of %d bytes is read', (length) => {
    expect(readNotes(packr.pack('x'.repeat(length)))).toEqual(Buffer.from('x'.repeat(length)));
  });

  it('lists of any length and nothing are read', () => {
    const list = Array.from({ length: 70_000 }, () => null);
    expect(readNotes(packr.pack(list))).toEqual(list);
    expect(readNotes(packr.pack([true, false, [], [1]]))).toEqual([true, false, [], [1]]);
  });

  it('lists nested without end are refused', () => {
    expect(() => readNotes(Buffer.alloc(10_000, 0x91))).toThrow(RangeError);
  });
});

describe('event ids', () => {
  it.each([['1-2', '1-10', -1], ['2-0', '1-9', 1], ['5-5', '5-5', 0], ['7', '7-0', 0], ['9-1', '10-0', -1]])('%s and %s', (a, b, order) => {
    expect(compareEventIds(a, b)).toBe(order);
  });
});
