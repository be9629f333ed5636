/**
 * What parent and child say to each other.
 *
 * Envelopes are flat; every value of a user travels inside them as V8-serialized bytes. So both transports carry the
 * same values (Date, BigInt, Buffer, Map, undefined, NaN …), and a value that cannot travel fails where it is encoded.
 * Messages without the mark are someone else's (`process.send` in a handler, Node's watch mode) and are passed over;
 * marked ones that are malformed are protocol errors.
 */
import { deserialize, serialize } from 'node:v8';

/** A user's value, serialized. */
export type Bytes = Uint8Array;

export const jobCalls = [
  'log',
  'updateProgress',
  'updateData',
  'moveToDelayed',
  'moveToWait',
  'moveToWaitingChildren',
  'getChildrenValues',
  'getIgnoredChildrenFailures',
  'getDependenciesCount',
] as const;

/** A method of the job that the child may call. */
export type JobCall = (typeof jobCalls)[number];

export type ToChild =
  | { kind: 'load'; file: string }
  | { kind: 'run'; run: number; job: Bytes; token: string | undefined }
  | { kind: 'cancel'; run: number; reason: Bytes }
  | { kind: 'reply'; request: number; ok: boolean; value: Bytes }
  | { kind: 'leave' };

export type ToParent =
  | { kind: 'loaded' }
  | { kind: 'unloadable'; error: Bytes }
  | { kind: 'call'; run: number; request: number; method: JobCall; args: Bytes }
  | { kind: 'completed'; run: number; value: Bytes }
  | { kind: 'failed'; run: number; error: Bytes }
  | { kind: 'crashed'; error: Bytes };

type Field = 'count' | 'text' | 'optional text' | 'bytes' | 'flag' | 'method';

const toChildShapes: Record<ToChild['kind'], Record<string, Field>> = {
  load: { file: 'text' },
  run: { run: 'count', job: 'bytes', token: 'optional text' },
  cancel: { run: 'count', reason: 'bytes' },
  reply: { request: 'count', ok: 'flag', value: 'bytes' },
  leave: {},
};

const toParentShapes: Record<ToParent['kind'], Record<string, Field>> = {
  loaded: {},
  unloadable: { error: 'bytes' },
  call: { run: 'count', request: 'count', method: 'method', args: 'bytes' },
  completed: { run: 'count', value: 'bytes' },
  failed: { run: 'count', error: 'bytes' },
  crashed: { error: 'bytes' },
};

/** A marked message whose content is not what the protocol says. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

const mark = 'drover:sandbox';

/** The message as it goes over the wire, recognizable as ours. */
export function marked<M extends ToChild | ToParent>(message: M): M & { mark: string } {
  return { ...message, mark };
}

/** The message from the child; undefined when it is not ours. Throws a ProtocolError. */
export function readFromChild(raw: unknown): ToParent | undefined {
  return read(raw, toParentShapes) as ToParent | undefined;
}

/** The message from the parent; undefined when it is not ours. Throws a ProtocolError. */
export function readFromParent(raw: unknown): ToChild | undefined {
  return read(raw, toChildShapes) as ToChild | undefined;
}

export function encode(value: unknown): Bytes {
  return serialize(value);
}

/** Throws a ProtocolError on bytes that are no serialized value. */
export function decode(bytes: Bytes): unknown {
  try {
    return deserialize(bytes);
  } catch (cause) {
    throw new ProtocolError('The content of a message could not be read.', { cause });
  }
}

function read(raw: unknown, shapes: Record<string, Record<string, Field>>): object | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(raw));
  if (fields.get('mark') !== mark) return undefined;
  const kind = fields.get('kind');
  if (typeof kind !== 'string' || !Object.hasOwn(shapes, kind)) throw new ProtocolError('A message of unknown kind.');
  for (const [name, field] of Object.entries(shapes[kind] ?? {})) {
    if (!fits(fields.get(name), field)) throw new ProtocolError(`A message "${kind}" with a bad "${name}".`);
  }
  return raw;
}

function fits(value: unknown, field: Field): boolean {
  switch (field) {
    case 'count':
      return Number.isSafeInteger(value);
    case 'text':
      return typeof value === 'string';
    case 'optional text':
      return value === undefined || typeof value === 'string';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'flag':
      return typeof value === 'boolean';
    case 'method':
      return (jobCalls as readonly unknown[]).includes(value);
  }
}
