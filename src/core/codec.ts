import { types } from 'node:util';
import { Packr, Unpackr, type Options } from 'msgpackr';
import { DroverError, InvalidInputError } from './errors.js';
import { shown } from './nearest.js';

/** How many records msgpackr can define by one byte; those of two bytes have names that a sealed list does not take. */
const recordIds = 64;

/**
 * What users' values become: MessagePack. Beyond JSON it keeps Date, Buffer and typed arrays, BigInt, Set,
 * NaN and the infinities; a Map becomes an object with text keys. Objects with `toJSON` are asked, as `JSON.stringify` would. A key named `__proto__` is
 * renamed when read, so that no payload reaches a prototype.
 */
const packr = new Packr({ useRecords: false, variableMapSize: true, moreTypes: true, useBigIntExtension: true });
refuseFunctions(packr);

const values = sealed({ moreTypes: true });

/** What scripts pack with `cmsgpack`: 64-bit integers are plain numbers here. */
const facts = sealed({ int64AsType: 'number' });

/**
 * A reader of bytes that anyone with access to Redis may have written. It takes no part in msgpackr's records: their
 * definitions outlive the value that holds them, so one damaged job could change how its neighbours are read, and msgpackr
 * makes code of them. Nor in its references between objects.
 */
function sealed(options: Options): Unpackr {
  const reader = new Unpackr({ ...options, useRecords: false, mapsAsObjects: true, structuredClone: false });
  const records = Object.assign([] as unknown[], { sharedLength: recordIds, restoreStructures: null });
  for (let id = 0; id < recordIds; id++) Object.defineProperty(records, id, { value: undefined, writable: false });
  return Object.assign(reader, { structures: Object.preventExtensions(records) });
}

function refuseFunctions(packr: Packr): void {
  Object.assign(packr, {
    writeFunction: () => {
      throw new TypeError('a function');
    },
  });
}

/**
 * The packed bytes of a user's value. Throws INVALID_DATA with the path of what cannot be stored.
 *
 * @param given the part of `value` that `field` names; the rest is Drover's own.
 */
export function pack(value: unknown, field: string, given: unknown = value): Buffer {
  if (types.isPromise(given)) throw new InvalidInputError('INVALID_DATA', { field, message: `${field} is a promise: an \`await\` is missing.` });
  try {
    return packr.pack(value);
  } catch (cause) {
    throw unserializable(given, field, cause);
  }
}

/** The value of packed bytes. Throws CORRUPT_DATA when they are not MessagePack. */
export function unpack(bytes: Uint8Array): unknown {
  return reading(() => values.unpack(bytes) as unknown);
}

/** The values of several packed values in a row. Throws CORRUPT_DATA when they are not MessagePack. */
export function unpackAll(bytes: Uint8Array): unknown[] {
  const found: unknown[] = [];
  if (bytes.length === 0) return found;
  return reading(() => {
    values.unpackMultiple(bytes, (value: unknown, start = 0, end = 0) => {
      // An extension of msgpackr can lead it backwards, and then it would read for ever.
      if (end <= start) throw new RangeError('The values do not follow one another.');
      found.push(value);
    });
    return found;
  });
}

/** A value that a script packed. Throws CORRUPT_DATA when it is not MessagePack. */
export function unpackFacts(bytes: Uint8Array): unknown {
  return reading(() => facts.unpack(bytes) as unknown);
}

/** The first of several values in a row, packed by a script, and where it ends. Throws CORRUPT_DATA when it is not MessagePack. */
export function readFirst(bytes: Uint8Array): { value: unknown; end: number } {
  return reading(() => {
    let first: { value: unknown; end: number } | undefined;
    facts.unpackMultiple(bytes, (value: unknown, _start?: number, end?: number) => {
      first = { value, end: end ?? bytes.length };
      return false;
    });
    if (!first || first.end <= 0 || first.end > bytes.length) throw new RangeError('There is no value.');
    return first;
  });
}

/** What msgpackr says of bytes may quote them, and they are somebody's data: so its errors are not passed on. */
function reading<T>(read: () => T): T {
  try {
    return read();
  } catch {
    throw new DroverError('CORRUPT_DATA', { message: 'A stored value is not MessagePack.' });
  }
}

/** Finds what made packing fail, so that the error can name its path. */
function unserializable(value: unknown, field: string, cause: unknown): InvalidInputError {
  const found = findSafely(field, () => findCulprit(value, field, new Set(), 0));
  return new InvalidInputError('INVALID_DATA', {
    field: found?.path ?? field,
    message: `${found?.path ?? field} cannot be stored: ${found?.why ?? (cause instanceof Error ? cause.message : String(cause))}.`,
    cause,
  });
}

interface Culprit {
  path: string;
  why: string;
}

const deepest = 1000;

function findCulprit(value: unknown, path: string, above: Set<object>, depth: number): Culprit | undefined {
  if (typeof value === 'function') return { path, why: 'it is a function' };
  if (typeof value === 'symbol') return { path, why: 'it is a symbol' };
  if (typeof value !== 'object' || value === null) return undefined;
  if (above.has(value)) return { path, why: 'it refers back to an object that contains it' };
  if (depth > deepest) return { path: path.slice(0, 200), why: `it is nested more than ${deepest} levels deep` };
  above.add(value);
  const found = findInside(value, path, above, depth);
  above.delete(value);
  return found;
}

function findInside(value: object, path: string, above: Set<object>, depth: number): Culprit | undefined {
  for (const [inner, read] of entriesOf(value, path)) {
    const found = findSafely(inner, () => findCulprit(read(), inner, above, depth + 1));
    if (found) return found;
  }
  return undefined;
}

/** What a value holds, by path. Objects with `toJSON` hold what it answers. */
function entriesOf(value: object, path: string): [path: string, read: () => unknown][] {
  if ('toJSON' in value && typeof value.toJSON === 'function') return [[path, () => (value as { toJSON(): unknown }).toJSON()]];
  if (Array.isArray(value)) return value.map((item: unknown, i) => [`${path}[${i}]`, () => item]);
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)].flatMap(([key, item]) => [[`${path}.keys()`, () => key], [`${path}.get(${shown(key)})`, () => item]]);
  if (value instanceof Set) return [...(value as Set<unknown>)].map((item, i) => [`${path}.values()[${i}]`, () => item]);
  return Object.keys(value).map((key) => [`${path}.${key}`, () => (value as Record<string, unknown>)[key]]);
}

/** Getters and proxies may throw anything; then they are the culprit. */
function findSafely(path: string, find: () => Culprit | undefined): Culprit | undefined {
  try {
    return find();
  } catch (error) {
    return { path, why: `reading it threw ${error instanceof Error ? error.message : String(error)}` };
  }
}
