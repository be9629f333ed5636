import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { DroverError, type ErrorCode } from 'drover';
import type { RedisServer } from '../support/servers/redis-server.js';

/** One wrong input: what it is, the call that gets it, and how it has to be refused. */
export interface Wrong {
  name: string;
  call: () => unknown;
  code: ErrorCode | readonly ErrorCode[];
  /** The field that the error names. */
  field?: string | RegExp;
  /** What the message says besides. */
  says?: string | RegExp;
}

/** Everything a server holds, as one text that differs when anything does. */
export async function contents(server: RedisServer): Promise<string> {
  const control = await server.control();
  const keys = (await control.keys('*')).sort();
  const hash = createHash('sha1');
  for (const key of keys) hash.update(key).update(await control.dumpBuffer(key));
  return `${keys.length} keys, ${hash.digest('hex')}`;
}

/** The call is refused with a typed error that names code, field and remedy, and Redis is as it was. */
export async function expectRefused({ call, code, field, says }: Wrong, server: RedisServer): Promise<void> {
  const before = await contents(server);
  const error = await errorOf(call);
  expect(error, `not a typed error: ${String(error)}`).toBeInstanceOf(DroverError);
  const typed = error as DroverError;
  expect(typeof code === 'string' ? [code] : code).toContain(typed.code);
  if (typeof field === 'string') expect(typed.field).toBe(field);
  else if (field) expect(typed.field).toMatch(field);
  if (typeof says === 'string') expect(typed.message).toContain(says);
  else if (says) expect(typed.message).toMatch(says);
  expect(typed.hint.length).toBeGreaterThan(10);
  expect(typed.message.endsWith(typed.hint), 'the message ends with the remedy').toBe(true);
  expect(typed.message.length).toBeLessThan(1_500);
  expect(typed.message).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  expect(await contents(server)).toBe(before);
}

async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return 'it was accepted';
}

/** Numbers that are wrong where a whole number from `min` to `max` is wanted. */
export function wrongNumbers({ min, max = 2 ** 53 }: { min: number; max?: number }): unknown[] {
  return [min - 1, -1, NaN, Infinity, -Infinity, 1.5, '5', null, [5], {}, true, 5n, max * 2, 1e308].filter((value) => value !== min && !(value === -1 && min === -1));
}

/** How a value is shown in the name of a test. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 20 ? `${value.slice(0, 20)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}
