import { Packr } from 'msgpackr';
import { DroverError, InvalidInputError } from './errors.js';
import { shown } from './nearest.js';

/**
 * What users' values become: MessagePack. Beyond JSON it keeps Date, Buffer and typed arrays, BigInt, Set,
 * NaN and the infinities; a Map becomes an object with text keys. Objects with `toJSON` are asked, as `JSON.stringify` would. A key named `__proto__` is
 * renamed when read, so that no payload reaches a prototype.
 */
const values = new Packr({ useRecords: false, variableMapSize: true, moreTypes: true, useBigIntExtension: true });
refuseFunctions(values);

/** What scripts pack with `cmsgpack`: 64-bit integers are plain numbers here. */
const facts = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' });

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
  try {
    return values.pack(value);
  } catch (cause) {
    throw unserializable(given, field, cause);
  }
}

/** The value of packed bytes. Throws CORRUPT_DATA when they are not MessagePack. */
export function unpack(bytes: Uint8Array): unknown {
  try {
    return values.unpack(bytes);
  } catch (cause) {
    throw new DroverError('CORRUPT_DATA', { message: 'A stored value is not MessagePack.', cause });
  }
}

/** The values of several packed values in a row. */
export function unpackAll(bytes: Uint8Array): unknown[] {
  if (bytes.length === 0) return [];
  return (values.unpackMultiple(bytes) as unknown[] | undefined) ?? [];
}

/** A value that a script packed. */
export function unpackFacts(bytes: Uint8Array): unknown {
  return facts.unpack(bytes);
}

/** The first of several values in a row, packed by a script, and where it ends. Throws CORRUPT_DATA when it is not MessagePack. */
export function readFirst(bytes: Uint8Array): { value: unknown; end: number } {
  let first: { value: unknown; end: number } | undefined;
  try {
    facts.unpackMultiple(bytes, (value: unknown, _start?: number, end?: number) => {
      first = { value, end: end ?? bytes.length };
      return false;
    });
  } catch (cause) {
    throw new DroverError('CORRUPT_DATA', { message: 'A stored value is not MessagePack.', cause });
  }
  if (!first) throw new DroverError('CORRUPT_DATA', { message: 'A stored value is not MessagePack.' });
  return first;
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
