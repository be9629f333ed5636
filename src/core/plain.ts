import { types } from 'node:util';
import { InvalidInputError } from './errors.js';
import { shown } from './nearest.js';

/** Why a value cannot be stored, and where in it. */
export class Unstorable extends Error {
  readonly path: string;
  readonly why: string;

  constructor(path: string, why: string) {
    super(`${path} ${why}`);
    this.path = path;
    this.why = why;
  }
}

const deepest = 1000;

/**
 * What is stored of a value, of what MessagePack has a form for: objects with `toJSON` are asked, as `JSON.stringify`
 * would; other instances become plain objects of their own fields, boxed values what is in the box. Answers the very same
 * value when nothing of it is other than it was. Throws Unstorable with the path of what has no form.
 */
export function plain(value: unknown, path: string): unknown {
  const walk = new Walk(path);
  try {
    return walk.of(value);
  } catch (error) {
    // Getters, proxies and `toJSON` may throw anything; then they are the culprit.
    throw error instanceof Unstorable ? error : walk.refused(`cannot be stored: reading it threw ${error instanceof Error ? error.message : shown(error)}`);
  }
}

/** The same, and throws INVALID_DATA. */
export function storable(value: unknown, field: string): unknown {
  try {
    return plain(value, field);
  } catch (cause) {
    if (!(cause instanceof Unstorable)) throw cause;
    throw new InvalidInputError('INVALID_DATA', { field: cause.path, message: `${cause.message}.`, cause });
  }
}

/** Whether a value that has been packed holds plain data, dates and bytes alone, so that there is nothing to look for. */
export function isOrdinary(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isOrdinary);
  if (value.constructor !== Object) return value.constructor === Date || (ArrayBuffer.isView(value) && !asks(value));
  for (const name in value) if (!isOrdinary((value as Record<string, unknown>)[name])) return false;
  return true;
}

type Key = string | number;

class Walk {
  readonly #above = new Set<object>();
  readonly #keys: Key[] = [];
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  of(value: unknown): unknown {
    if (typeof value === 'function') throw this.refused('cannot be stored: it is a function');
    if (typeof value === 'symbol') throw this.refused('cannot be stored: it is a symbol');
    if (typeof value !== 'object' || value === null) return value;
    if (this.#above.has(value)) throw this.refused('cannot be stored: it refers back to an object that contains it');
    if (this.#above.size > deepest) throw this.refused(`cannot be stored: it is nested more than ${deepest} levels deep`);
    this.#above.add(value);
    const found = this.#object(value);
    this.#above.delete(value);
    return found;
  }

  #object(value: object): unknown {
    if (asks(value)) {
      const answer = value.toJSON();
      if (answer !== value) return this.of(answer);
    }
    if (Array.isArray(value)) return this.#list(value);
    if (value instanceof Map) return this.#map(value as Map<unknown, unknown>);
    if (value instanceof Set) return this.#set(value as Set<unknown>);
    if (types.isBoxedPrimitive(value)) return this.of(value.valueOf());
    if (value instanceof Error) return this.#error(value);
    if (keptWhole(value)) return value;
    const lost = nothingIn(value);
    if (lost !== undefined) throw this.refused(lost);
    return this.#fields(value as Record<string, unknown>, asks(value));
  }

  #list(list: readonly unknown[]): unknown {
    // A loop, so that holes are read as what is in them.
    const read: unknown[] = [];
    for (let i = 0; i < list.length; i++) read.push(this.#under(i, list[i]));
    return read.every((item, i) => Object.is(item, list[i])) ? list : read;
  }

  #fields(value: Record<string, unknown>, withoutToJson: boolean): unknown {
    const fields: [name: string, field: unknown][] = [];
    let same = !withoutToJson;
    for (const name of Object.keys(value)) {
      if (withoutToJson && name === 'toJSON') continue;
      this.#keys.push(name);
      const given = value[name];
      const field = this.of(given);
      this.#keys.pop();
      same &&= Object.is(field, given);
      fields.push([name, field]);
    }
    return same ? value : Object.fromEntries(fields);
  }

  #map(map: Map<unknown, unknown>): unknown {
    const read = new Map<unknown, unknown>();
    for (const [key, item] of map) {
      if (typeof key === 'symbol' || typeof key === 'function' || (typeof key === 'object' && key !== null)) {
        throw this.refused('cannot be stored: a key of a Map becomes a text, and one of this is an object, a function or a symbol');
      }
      read.set(key, this.#under(`get(${shown(key)})`, item));
    }
    return map.constructor === Map && [...read].every(([key, item]) => Object.is(map.get(key), item)) ? map : read;
  }

  #set(set: Set<unknown>): unknown {
    const items = [...set];
    const read = items.map((item, i) => this.#under(`values()[${i}]`, item));
    return read.every((item, i) => Object.is(item, items[i])) ? set : new Set(read);
  }

  /** Of errors the name, the message and the cause are stored. */
  #error(error: Error): unknown {
    const cause = this.#under('cause', error.cause);
    if (Object.is(cause, error.cause)) return error;
    return Object.assign(new Error(error.message, { cause }), { name: error.name });
  }

  #under(key: Key, value: unknown): unknown {
    this.#keys.push(key);
    const found = this.of(value);
    this.#keys.pop();
    return found;
  }

  refused(why: string): Unstorable {
    const path = this.#keys.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${key}`), this.#root);
    return new Unstorable(path.length > 200 ? `${path.slice(0, 200)}…` : path, why);
  }
}

const ownForms = new Set<unknown>([Date, Buffer].map(({ prototype }) => Object.getOwnPropertyDescriptor(prototype, 'toJSON')?.value as unknown));

/**
 * Whether a value says what is stored of it. Dates and bytes do not count: MessagePack has them. Of a list and of a plain
 * object only what it has as a field of its own is looked at: more would cost all data time.
 */
function asks(value: object): value is { toJSON(): unknown } {
  if (Array.isArray(value) || !('toJSON' in value) || typeof value.toJSON !== 'function') return false;
  if (value.constructor === Object) return Object.prototype.propertyIsEnumerable.call(value, 'toJSON');
  return !ownForms.has(value.toJSON);
}

function keptWhole(value: object): boolean {
  return value instanceof Date || value instanceof RegExp || ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

/** Why nothing of a value would be stored, though it certainly holds something. */
function nothingIn(value: object): string | undefined {
  if (types.isPromise(value) || isThenable(value)) return 'is a promise: an `await` is missing';
  if (value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) return 'cannot be stored: what it holds cannot be read';
  if (types.isGeneratorObject(value)) return 'is a generator: make a list of what it yields first';
  if (types.isSharedArrayBuffer(value)) return 'cannot be stored: it is memory that others may change; copy it first';
  return undefined;
}

/** An instance with a method `then`. A plain object may have a field of that name. */
function isThenable(value: object): boolean {
  return value.constructor !== Object && !Object.hasOwn(value, 'then') && 'then' in value && typeof value.then === 'function';
}
