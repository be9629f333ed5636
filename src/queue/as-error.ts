import { types } from 'node:util';

/**
 * The error that a handler threw, or one that says what it threw instead: whatever this answers has a name, message
 * and stack that are texts and can be read. Errors of another realm (a vm context, a test runner) count as errors.
 */
export function asError(thrown: unknown): Error {
  try {
    if (!(thrown instanceof Error) && !types.isNativeError(thrown)) return new Error(textOf(thrown));
    const { name, message, stack } = thrown as { name: unknown; message: unknown; stack?: unknown };
    if (typeof name === 'string' && typeof message === 'string' && (stack === undefined || typeof stack === 'string')) return thrown;
    return Object.assign(new Error(textOf(message)), { cause: thrown });
  } catch {
    return new Error('The handler threw an error that cannot be read.');
  }
}

function textOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  if (typeof thrown === 'symbol' || typeof thrown === 'bigint') return String(thrown);
  try {
    const text: unknown = JSON.stringify(thrown);
    return typeof text === 'string' ? text : typeof thrown;
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}
