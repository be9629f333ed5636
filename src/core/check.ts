import { InvalidInputError, type ErrorCode } from './errors.js';
import { nearest, printable } from './nearest.js';

/**
 * Checks one value: answers what it should have been, or undefined when it is right. Checks of objects throw an error of
 * their own that names what is wrong inside, below `path`.
 */
export type Check = (value: unknown, path: string) => string | undefined;

/** What kind of thing a value is, for error messages: never its content, which may be secret. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return kindOfNumber(value);
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'a text';
  if (typeof value === 'object') return value instanceof Date ? 'a date' : 'an object';
  return typeof value === 'undefined' ? 'nothing' : `a ${typeof value}`;
}

function kindOfNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return 'an infinite number';
  if (!Number.isInteger(value)) return `a fraction (${value})`;
  return value < 0 ? `a negative number (${value})` : `the number ${value}`;
}

export function wholeNumber(min: number, max: number, unit = ''): Check {
  const wanted = `a whole number${unit && ` of ${unit}`} from ${min} to ${max}`;
  return (value) => (Number.isInteger(value) && (value as number) >= min && (value as number) <= max ? undefined : wanted);
}

export const flag = (value: unknown): string | undefined => (typeof value === 'boolean' ? undefined : 'true or false');
export const anything: Check = () => undefined;
export const callable = (value: unknown): string | undefined => (typeof value === 'function' ? undefined : 'a function');
export const plainObject = (value: unknown): string | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'an object';

export function textUpTo(length: number): Check {
  return (value) => (typeof value === 'string' && value.length > 0 && value.length <= length ? undefined : `a text of 1 to ${length} characters`);
}

export function oneOf(...choices: (string | boolean)[]): Check {
  const named = choices.map((choice) => (typeof choice === 'string' ? `"${choice}"` : String(choice)));
  const wanted = named.length === 1 ? `${named[0]}` : `one of ${named.join(', ')}`;
  const texts = choices.filter((choice) => typeof choice === 'string');
  return (value) => (choices.includes(value as string) ? undefined : wanted + meantBy(value, texts));
}

/** The choice that a text nearly is, for the end of what was wanted. */
function meantBy(value: unknown, choices: readonly string[]): string {
  const close = typeof value === 'string' ? nearest(value, choices) : undefined;
  return close === undefined ? '' : ` (did you mean "${close}"?)`;
}

/** Whatever `assert` does not refuse with an error of its own. */
export function refusedBy(assert: (value: unknown, path: string) => void): Check {
  return (value, path) => {
    assert(value, path);
    return undefined;
  };
}

/** Lists whose items all satisfy a check. */
export function listOf(check: Check, what: string): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return `a list of ${what}`;
    for (const [i, item] of (value as unknown[]).entries()) checkValue(item, check, `${path}[${i}]`);
    return undefined;
  };
}

/** Either check is enough. */
export function either(...checks: Check[]): Check {
  return (value, path) => {
    const wanted = checks.map((check) => check(value, path));
    return wanted.includes(undefined) ? undefined : wanted.join(', or ');
  };
}

/** An object with these options and no others; those in `required` have to be there. */
export function shape(checks: Record<string, Check>, required: readonly string[] = []): Check {
  const names = Object.keys(checks).map((name) => `"${name}"`).join(', ');
  return (value, path) => {
    const wrong = plainObject(value);
    if (wrong !== undefined) return names.length <= 100 ? `${wrong} with ${names}` : wrong;
    checkOptions(value as object, checks, path);
    for (const name of required) {
      if ((value as Record<string, unknown>)[name] === undefined) checkValue(undefined, checks[name] ?? anything, `${path}.${name}`);
    }
    return undefined;
  };
}

/** Refuses a value with a typed error when it is not what it should be. */
export function checkValue(value: unknown, check: Check, field: string, code: ErrorCode = 'INVALID_OPTION'): void {
  const wanted = check(value, field);
  if (wanted !== undefined) {
    throw new InvalidInputError(code, { field, message: `${field} should be ${wanted}; it is ${kindOf(value)}.` });
  }
}

/** Checks every option that is given; an unknown one is named, with the nearest known one. `undefined` counts as not given. */
export function checkOptions(options: object, checks: Record<string, Check>, path: string): void {
  for (const name of Object.keys(options)) {
    const field = path === '' ? name : `${path}.${name}`;
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check) throw unknownOption(field, name, Object.keys(checks));
    const value = read(options, name, field);
    if (value !== undefined) checkValue(value, check, field);
  }
}

/** The same as a question, where the options take longer to name than to check. */
export function hasOptions(options: object, checks: Record<string, Check>): boolean {
  try {
    return Object.keys(options).every((name) => {
      const value = (options as Record<string, unknown>)[name];
      return Object.hasOwn(checks, name) && (value === undefined || checks[name]?.(value, '') === undefined);
    });
  } catch {
    // A getter threw, or a check of something inside.
    return false;
  }
}

/** Options may have getters, and getters may throw. */
function read(options: object, name: string, field: string): unknown {
  try {
    return (options as Record<string, unknown>)[name];
  } catch (cause) {
    throw new InvalidInputError('INVALID_OPTION', { field, message: `${field} cannot be read.`, cause });
  }
}

function unknownOption(field: string, name: string, known: string[]): InvalidInputError {
  const close = nearest(name, known);
  return new InvalidInputError('UNKNOWN_OPTION', {
    field,
    message: `There is no option "${printable(field.slice(0, 80))}"${close === undefined ? '.' : `; did you mean "${close}"?`}`,
  });
}

const controls = /[\u0000-\u001f\u007f\u2028\u2029]/u;
const loneSurrogate = /\p{Surrogate}/u;
const braces = /[{}]/;

/** Names of queues and prefixes: they become part of keys, so braces would change the cluster slot. */
export function checkName(value: unknown, field: string): asserts value is string {
  const wrong = wrongName(value, braces);
  if (wrong) throw new InvalidInputError('INVALID_NAME', { field, message: `${field} ${wrong}.` });
}

/** The same as a question, where the field takes longer to name than the name to check. */
export function isName(value: unknown): value is string {
  return wrongName(value, braces) === undefined;
}

/** Names of jobs: any text without control characters. */
export function checkJobName(value: unknown, field = 'name'): asserts value is string {
  const wrong = wrongName(value, undefined);
  if (wrong) {
    throw new InvalidInputError('INVALID_NAME', {
      field, message: `${field} ${wrong}.`, hint: 'Job names are texts of 1 to 256 characters without control characters.',
    });
  }
}

/** The same as a question, where the field takes longer to name than the job's name to check. */
export function isJobName(value: unknown): value is string {
  return wrongName(value, undefined) === undefined;
}

function wrongName(value: unknown, forbidden: RegExp | undefined): string | undefined {
  if (typeof value !== 'string') return `should be a text; it is ${kindOf(value)}`;
  if (value === '') return 'is empty';
  if (value.length > 256) return `is ${value.length} characters long`;
  if (forbidden?.test(value)) return 'contains "{" or "}"';
  if (controls.test(value) || loneSurrogate.test(value)) return 'contains control characters or broken Unicode';
  return undefined;
}

/** Arguments given as an object, which may be left out: only these. */
export function checkArguments(given: unknown, checks: Record<string, Check>, field = 'options'): void {
  checkValue(given, plainObject, field);
  checkOptions(given as object, checks, '');
}

/** Ids of jobs and schedules. */
export function checkId(value: unknown, field: string): asserts value is string {
  const wrong = wrongId(value);
  if (wrong) throw new InvalidInputError('INVALID_ID', { field, message: `${field} ${wrong}.` });
}

function wrongId(value: unknown): string | undefined {
  if (typeof value !== 'string') return `should be a text; it is ${kindOf(value)}`;
  if (value === '') return 'is empty';
  if (Buffer.byteLength(value) > 512) return `is ${Buffer.byteLength(value)} bytes long`;
  if (controls.test(value) || loneSurrogate.test(value)) return 'contains control characters or broken Unicode';
  return undefined;
}

/** The same as a check. */
export const idCheck: Check = refusedBy(checkId);
