import { createHash } from 'node:crypto';
import { RedisError } from '../core/errors.js';
import type { KeyChoice, ScriptKey } from './keys.js';

export type ScriptArg = string | number | Buffer;
/** What Redis answers: numbers, byte strings, nil and lists of these. */
export type RawReply = number | Buffer | null | RawReply[];

/** One Lua script with its contract: which keys, which arguments, what the reply means. */
export interface Script<Call, Reply> {
  readonly sha: string;
  readonly source: string;
  readonly keys: readonly ScriptKey[];
  readonly args: (call: Call) => ScriptArg[];
  readonly reply: (raw: RawReply, call: Call) => Reply;
  /** The keys that a call chooses, for scripts with a `set`, `target.…` or `children` key; undefined for those of most calls. */
  readonly choose?: (call: Call) => KeyChoice | undefined;
  /**
   * For scripts that include `shared/once.lua`: whether Redis is to remember this call, so that a repeat after a lost reply
   * is told what the first one did. Session and number are added behind the arguments.
   */
  readonly once?: (call: Call) => boolean;
}

/** Binds a script to its contract. `keys` stand in the order of the header of the Lua file; a check compares them. */
export function defineScript<Call, Reply>(definition: Omit<Script<Call, Reply>, 'sha'>): Script<Call, Reply> {
  return { ...definition, sha: createHash('sha1').update(definition.source).digest('hex') };
}

function misunderstood(wanted: string): RedisError {
  return new RedisError('INTERNAL', { message: `Redis answered something other than ${wanted}.` });
}

/** Reads a reply that has to be a list. */
export function list(raw: RawReply | undefined): RawReply[] {
  if (!Array.isArray(raw)) throw misunderstood('a list');
  return raw;
}

/** Reads a reply that has to be a whole number. */
export function integer(raw: RawReply | undefined): number {
  if (typeof raw === 'number') return raw;
  const value = Buffer.isBuffer(raw) ? Number(raw.toString('latin1')) : NaN;
  if (Number.isNaN(value)) throw misunderstood('a number');
  return value;
}

/** Reads a reply that has to be text. */
export function text(raw: RawReply | undefined): string {
  if (Buffer.isBuffer(raw)) return raw.toString();
  if (typeof raw === 'number') return String(raw);
  throw misunderstood('text');
}

/** Reads lines of ids; '' is none. */
export function lines(raw: RawReply | undefined): string[] {
  const joined = text(raw);
  return joined === '' ? [] : joined.split('\n');
}

/** Reads bytes, or undefined for nil. */
export function bytes(raw: RawReply | undefined): Buffer | undefined {
  return Buffer.isBuffer(raw) ? raw : undefined;
}
