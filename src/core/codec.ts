import { Packr, Unpackr, type Options } from 'msgpackr';
import { DroverError, InvalidInputError } from './errors.js';
import { PlainWriter } from './plain-writer.js';
import { Unstorable, isOrdinary, plain } from './plain.js';

/** How many records msgpackr can define by one byte; those of two bytes have names that a sealed list does not take. */
const recordIds = 64;

/**
 * What users' values become: MessagePack. Beyond JSON it keeps Date, Buffer and typed arrays, BigInt, Set,
 * NaN and the infinities; a Map becomes an object with text keys. Objects with `toJSON` are asked, as `JSON.stringify` would. A key named `__proto__` is
 * renamed when read, so that no payload reaches a prototype. docs/options.md lists what data may be.
 */
const packr = new Packr({ useRecords: false, variableMapSize: true, moreTypes: true, useBigIntExtension: true });
refuseFunctions(packr);
noticeInstances(packr);

/** What most data is. */
const plainWriter = new PlainWriter();

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

/** Counts what is packed and is not plain data. */
let unusual = 0;

/**
 * msgpackr would write `{}` for a promise, and for a Map keys that it cannot read. To look at all data for that would cost
 * all data time. But msgpackr asks its options for instances and Maps, and for them alone, so asking is the sign to look.
 */
function noticeInstances(packr: Packr): void {
  const noticed = (answer: boolean): PropertyDescriptor => ({
    get: () => {
      unusual++;
      return answer;
    },
  });
  Object.defineProperties(packr, { useToJSON: noticed(true), mapAsEmptyObject: noticed(false) });
}

/**
 * The packed bytes of a user's value. Throws INVALID_DATA with the path of what cannot be stored.
 *
 * @param given the part of `value` that `field` names; the rest is Drover's own.
 */
export function pack(value: unknown, field: string, given: unknown = value): Buffer {
  return plainWriter.pack(value) ?? packCarefully(value, field, given);
}

/** The same for what the plain writer has left, by msgpackr. */
export function packCarefully(value: unknown, field: string, given: unknown): Buffer {
  const before = unusual;
  let packed: Buffer | undefined;
  let cause: unknown;
  try {
    packed = packr.pack(value);
    if (unusual === before || isOrdinary(given)) return packed;
  } catch (error) {
    cause = error;
  }
  return packUnusual({ value, field, given, packed, cause });
}

interface Unusual {
  value: unknown;
  field: string;
  given: unknown;
  /** The bytes, unless packing threw `cause`. */
  packed: Buffer | undefined;
  cause: unknown;
}

function packUnusual({ value, field, given, packed, cause }: Unusual): Buffer {
  try {
    const made = plainWithin(value, field, given);
    if (packed && made === value) return packed;
    return packr.pack(made);
  } catch (error) {
    const found = error instanceof Unstorable ? error : new Unstorable(field, `cannot be stored: ${messageOf(cause ?? error)}`);
    throw new InvalidInputError('INVALID_DATA', { field: found.path, message: `${found.message}.`, cause: cause ?? error });
  }
}

/** `value` as it is stored; `given` is `value` itself, or one of its parts beside Drover's own. */
function plainWithin(value: unknown, field: string, given: unknown): unknown {
  if (value === given || typeof value !== 'object' || value === null) return plain(value, field);
  const parts = Object.entries(value).map(([key, part]: [string, unknown]) => [key, plain(part, part === given ? field : 'opts')] as const);
  if (parts.every(([key, part]) => Object.is((value as Record<string, unknown>)[key], part))) return value;
  return Array.isArray(value) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

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
