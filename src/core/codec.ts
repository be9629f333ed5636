import { Packr } from 'msgpackr';
import { DroverError, InvalidInputError } from './errors.js';

/**
 * What users' values become: MessagePack. Beyond JSON it keeps Date, Buffer and typed arrays, BigInt, Map, Set,
 * NaN and the infinities. Objects with `toJSON` are asked, as `JSON.stringify` would. A key named `__proto__` is
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

/** The packed bytes of a user's value. Throws INVALID_DATA with the path of what cannot be stored. */
export function pack(value: unknown, field: string): Buffer {
  try {
    return values.pack(value);
  } catch (cause) {
    throw unserializable(value, field, cause);
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

/** Finds what made packing fail, so that the error can name its path. */
function unserializable(value: unknown, field: string, cause: unknown): InvalidInputError {
  const found = findCulprit(value, field, new Set(), 0);
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
  const entries: [string, () => unknown][] = Array.isArray(value)
    ? value.map((item: unknown, i) => [`${path}[${i}]`, () => item])
    : Object.keys(value).map((key) => [`${path}.${key}`, () => (value as Record<string, unknown>)[key]]);
  for (const [inner, read] of entries) {
    try {
      const found = findCulprit(read(), inner, above, depth + 1);
      if (found) return found;
    } catch (error) {
      return { path: inner, why: `reading it threw ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  return undefined;
}
