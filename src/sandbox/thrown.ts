/**
 * Carries whatever was thrown from one side to the other: an error with its name, message, stack, own enumerable
 * properties, cause and (AggregateError) errors; anything else as the value it is.
 */
import { inspect, types } from 'node:util';
import * as control from '../core/control-errors.js';
import * as drover from '../core/errors.js';
import { decode, encode, ProtocolError, type Bytes } from './messages.js';

/** What is known of an error that comes from the other side. */
export interface ErrorFields {
  message: string;
  stack: string | undefined;
  cause: unknown;
  /** Its own enumerable properties; an object without prototype. */
  properties: Record<string, unknown>;
}

/**
 * Gives back an error of the class `name`, or undefined if it does not know it. It is asked for the error's own name
 * first, then for the classes that it extends. Message, stack, cause and properties are then laid over what it gives.
 * Drover's and JavaScript's own classes are restored without it.
 */
export type RestoreError = (name: string, fields: ErrorFields) => Error | undefined;

interface ErrorRecord {
  isError: true;
  name: string;
  /** The names of its class and of those that it extends, nearest first. */
  lineage: string[];
  message: string;
  stack: string | undefined;
  properties: [name: string, value: Bytes][];
  cause: Thrown | undefined;
  errors: Thrown[] | undefined;
}
type Thrown = ErrorRecord | { isError: false; value: Bytes };

/** Bounds of what one error may bring along: an HTTP client's error drags its whole request behind it. */
const maxDepth = 8;
const maxErrors = 16;
/** Aggregates of aggregates grow by multiplication: this bounds the whole. */
const maxInAll = 64;
const maxProperties = 64;
const maxPropertyBytes = 256 * 1024;

/** Never laid over a restored error: they have their own fields, or would change what the object is. */
const reserved = new Set(['name', 'message', 'stack', 'cause', '__proto__', 'constructor', 'prototype']);

const prototypes = new Map<string, object>(
  [
    ...[drover.DroverError, drover.InvalidInputError, drover.StateError, drover.LeaseLostError],
    ...[drover.RedisError, drover.TimeoutError, drover.ClosedError],
    ...[control.UnrecoverableError, control.DelayedError, control.WaitingError],
    ...[control.WaitingChildrenError, control.RateLimitError],
    ...[AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError],
  ].map((errorClass) => [errorClass.name, errorClass.prototype]),
);

export function encodeThrown(thrown: unknown): Bytes {
  return encode(record(thrown, 0, { left: maxInAll }));
}

/** Throws a ProtocolError when the bytes hold no thrown value. */
export function decodeThrown(bytes: Bytes, restore?: RestoreError): unknown {
  return revive(decode(bytes), restore, 0);
}

/** One line about something thrown, for messages. */
export function describeThrown(thrown: unknown): string {
  return isError(thrown) ? `${textOf(thrown, 'name')}: ${textOf(thrown, 'message')}` : inspect(thrown, { depth: 1 });
}

function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof Error;
}

function record(thrown: unknown, depth: number, room: { left: number }): Thrown {
  if (!isError(thrown)) {
    const value = tryEncode(thrown) ?? encode(inspect(thrown, { depth: 1 }));
    return { isError: false, value };
  }
  const deeper = (inner: unknown): Thrown | undefined =>
    inner === undefined || depth >= maxDepth || room.left-- <= 0 ? undefined : record(inner, depth + 1, room);
  const errors = readProperty(thrown, 'errors');
  return {
    isError: true,
    name: textOf(thrown, 'name') || 'Error',
    lineage: lineageOf(thrown),
    message: textOf(thrown, 'message'),
    stack: textOf(thrown, 'stack') || undefined,
    properties: propertiesOf(thrown),
    cause: deeper(readProperty(thrown, 'cause')),
    // Validators put plain records there; those travel as any other property.
    errors: Array.isArray(errors) && errors.some(isError)
      ? errors.slice(0, maxErrors).map(deeper).filter((inner) => inner !== undefined)
      : undefined,
  };
}

function lineageOf(error: Error): string[] {
  const names: string[] = [];
  let prototype: unknown = Object.getPrototypeOf(error);
  while (isError(prototype) && names.length < maxDepth) {
    const name: unknown = prototype.constructor.name;
    if (typeof name === 'string') names.push(name);
    prototype = Object.getPrototypeOf(prototype);
  }
  return names;
}

function propertiesOf(error: Error): [string, Bytes][] {
  const properties: [string, Bytes][] = [];
  let room = maxPropertyBytes;
  for (const name of Object.keys(error)) {
    if (properties.length === maxProperties) break;
    if (reserved.has(name)) continue;
    const value = tryEncode(readProperty(error, name));
    if (value === undefined || value.length > room) continue;
    room -= value.length;
    properties.push([name, value]);
  }
  return properties;
}

/** A getter of a user's error may throw; that must not hide the error itself. */
function readProperty(error: Error, name: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

function textOf(error: Error, name: string): string {
  const value = readProperty(error, name);
  return typeof value === 'string' ? value : '';
}

/**
 * Undefined when the value cannot be cloned (functions, symbols, handles), or what was written cannot be read: V8 writes
 * an error that is its own cause, and does not read it.
 */
function tryEncode(value: unknown): Bytes | undefined {
  try {
    const bytes = encode(value);
    decode(bytes);
    return bytes;
  } catch {
    return undefined;
  }
}

function revive(raw: unknown, restore: RestoreError | undefined, depth: number): unknown {
  if (!isThrown(raw) || depth > maxDepth) throw new ProtocolError('A malformed error.');
  if (!raw.isError) return decode(raw.value);
  const deeper = (inner: Thrown): unknown => revive(inner, restore, depth + 1);
  const fields: ErrorFields = {
    message: raw.message,
    stack: raw.stack,
    cause: raw.cause && deeper(raw.cause),
    properties: propertiesFrom(raw.properties),
  };
  const error = restored([raw.name, ...raw.lineage], fields, restore);
  layOver(error, raw.name, fields);
  if (raw.errors) define(error, 'errors', raw.errors.map(deeper));
  return error;
}

function isThrown(raw: unknown): raw is Thrown {
  if (typeof raw !== 'object' || raw === null) return false;
  const thrown = raw as Partial<Record<keyof ErrorRecord | 'value', unknown>>;
  if (thrown.isError === false) return thrown.value instanceof Uint8Array;
  return (
    thrown.isError === true &&
    typeof thrown.name === 'string' &&
    typeof thrown.message === 'string' &&
    isList(thrown.lineage, (name) => typeof name === 'string') &&
    (thrown.stack === undefined || typeof thrown.stack === 'string') &&
    (thrown.errors === undefined || Array.isArray(thrown.errors)) &&
    isList(thrown.properties, (entry) => {
      return Array.isArray(entry) && typeof entry[0] === 'string' && entry[1] instanceof Uint8Array;
    })
  );
}

function isList(raw: unknown, fits: (item: unknown) => boolean): boolean {
  return Array.isArray(raw) && raw.every(fits);
}

function propertiesFrom(entries: ErrorRecord['properties']): Record<string, unknown> {
  const properties = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of entries) {
    if (!reserved.has(name)) properties[name] = decode(value);
  }
  return properties;
}

function restored(names: readonly string[], fields: ErrorFields, restore: RestoreError | undefined): Error {
  for (const name of names) {
    const error = restore && ask(restore, name, fields);
    if (error) return error;
    const prototype = prototypes.get(name);
    if (prototype) return Object.setPrototypeOf(new Error(fields.message), prototype) as Error;
  }
  return new Error(fields.message);
}

/** A hook that throws must not cost the job its real error. */
function ask(restore: RestoreError, name: string, fields: ErrorFields): Error | undefined {
  try {
    return restore(name, fields);
  } catch {
    return undefined;
  }
}

function layOver(error: Error, name: string, fields: ErrorFields): void {
  if (error.name !== name) define(error, 'name', name);
  define(error, 'message', fields.message);
  define(error, 'stack', fields.stack ?? `${name}: ${fields.message}`);
  if (fields.cause !== undefined) define(error, 'cause', fields.cause);
  for (const [property, value] of Object.entries(fields.properties)) define(error, property, value, true);
}

function define(error: Error, name: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, name, { value, enumerable, writable: true, configurable: true });
}
