import { describe, expect, it } from 'vitest';
import { TimeoutError } from '../../src/core/errors.js';
import { encode, ProtocolError } from '../../src/sandbox/messages.js';
import { decodeThrown, encodeThrown } from '../../src/sandbox/thrown.js';

const carried = (thrown: unknown): unknown => decodeThrown(encodeThrown(thrown));

describe('an error on its way', () => {
  it("keeps Drover's own class and fields", () => {
    const error = new TimeoutError('Too long.', { field: 'close' });
    expect(carried(error)).toBeInstanceOf(TimeoutError);
    expect(carried(error)).toMatchObject({ code: 'TIMEOUT', field: 'close', hint: error.hint, message: error.message });
  });

  it('keeps the reason of an abort recognizable', () => {
    expect(carried(AbortSignal.abort().reason)).toMatchObject({ name: 'AbortError', message: 'This operation was aborted' });
  });

  it('takes along a bounded part of what hangs on it', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`p${at}`, at]));
    const error = Object.assign(new Error('loaded'), { big: 'x'.repeat(1_000_000) }, many);
    expect(Object.keys(carried(error) as object)).toHaveLength(64);
    expect(carried(error)).not.toHaveProperty('big');
    let chain = new Error('0');
    for (let depth = 1; depth <= 100; depth++) chain = new Error(String(depth), { cause: chain });
    let length = 0;
    for (let at: unknown = carried(chain); at instanceof Error; at = at.cause) length++;
    expect(length).toBe(9);
    const wide = (depth: number): Error => new AggregateError(depth ? Array.from({ length: 100 }, () => wide(0)) : [], 'wide');
    expect((carried(wide(1)) as AggregateError).errors).toHaveLength(16);
    const circular = new AggregateError([], 'circular');
    circular.errors = Array.from({ length: 100 }, () => circular);
    expect(carried(circular)).toBeInstanceOf(AggregateError);
  });

  it('may be its own cause, and hang on itself', () => {
    const error = Object.assign(new Error('round'), { code: 'E_ROUND' });
    Object.assign(error, { cause: error, self: error });
    expect(carried(error)).toMatchObject({ message: 'round', code: 'E_ROUND', cause: { message: 'round' } });
    expect(carried({ error })).toMatch(/round/);
  });

  it('keeps the plain records that validators call errors', () => {
    expect(carried(Object.assign(new Error('invalid'), { errors: [{ path: 'to' }] }))).toMatchObject({ errors: [{ path: 'to' }] });
  });

  it('is described when it cannot travel', () => {
    expect(carried(() => 1)).toMatch(/Function/);
    expect(carried(Symbol('stop'))).toBe('Symbol(stop)');
  });

  it.each([
    [null],
    [{}],
    [{ isError: false }],
    [{ isError: true, name: 'Error', message: 1, lineage: [], properties: [] }],
    [{ isError: true, name: 'Error', message: '', lineage: 'Error', properties: [] }],
    [{ isError: true, name: 'Error', message: '', lineage: [], properties: [['a', 1]] }],
    [{ isError: true, name: 'Error', message: '', lineage: [], properties: [], cause: { isError: 1 } }],
  ])('is a breach of the protocol when malformed: %j', (record) => {
    expect(() => decodeThrown(encode(record))).toThrow(ProtocolError);
  });

  it('cannot replace what makes it an error', () => {
    const value = encode({ polluted: true });
    const properties = ['__proto__', 'constructor', 'prototype', 'stack'].map((name) => [name, value]);
    const error = decodeThrown(encode({ isError: true, name: 'Error', message: 'm', lineage: [], properties }));
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect(Object.keys(error as object)).toEqual([]);
    expect(error).toMatchObject({ stack: 'Error: m' });
  });
});
