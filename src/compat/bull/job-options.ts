import { InvalidInputError, type JobsOptions } from '../../index.js';
import type { BackoffOptions, JobOptions, KeepJobsOptions, Repeat } from './declarations.js';

/**
 * In Bull, jobs without a priority run after those that have one; in Drover they run before. So they are stored with
 * the last priority there is, and `lifo` ones, which run before all others, with none.
 */
export const ordinaryPriority = 2_097_151;

/** Bull's options as the engine stores them. What is NaN or below its bound counts as Bull counts it. */
export function toEngine(opts: JobOptions, defaults: JobOptions | undefined): JobsOptions {
  const { repeat: _repeat, debounce, jobId, preventParsingData: _parsing, priority, lifo, delay, attempts, timeout, backoff, removeOnComplete, removeOnFail, ...rest } = { ...defaults, ...given(opts) };
  return {
    ...(given(rest) as JobsOptions),
    ...(priority ? { priority: Math.min(priority, ordinaryPriority - 1) } : lifo ? { lifo: true } : { priority: ordinaryPriority }),
    ...(jobId === undefined ? undefined : { jobId: String(jobId) }),
    ...(delay === undefined ? undefined : whole('delay', delay, 0)),
    ...(attempts === undefined ? undefined : whole('attempts', attempts, 1)),
    ...(timeout ? { timeout: Math.ceil(timeout) } : undefined),
    ...(backoff ? { backoff: storedBackoff(backoff) } : undefined),
    ...(removeOnComplete === undefined ? undefined : { removeOnComplete: keep(removeOnComplete) }),
    ...(removeOnFail === undefined ? undefined : { removeOnFail: keep(removeOnFail) }),
    ...(debounce === undefined ? undefined : { deduplication: { id: debounce.id, ...(debounce.ttl ? { ttl: debounce.ttl } : undefined) } }),
  };
}

/** What a job's options look like to users of Bull. */
export function fromEngine(stored: JobsOptions, job: { timestamp: number; delay: number; repeatJobKey?: string | undefined }): JobOptions {
  const { priority = 0, deduplication, repeat, backoff } = stored;
  const opts: JobOptions = { attempts: Math.max(1, stored.attempts ?? 1), delay: stored.delay ?? job.delay, timestamp: job.timestamp };
  copyTo(opts, stored);
  if (priority !== 0 && priority !== ordinaryPriority) opts.priority = priority;
  if (deduplication !== undefined) opts.debounce = deduplication;
  if (typeof backoff === 'number') opts.backoff = { type: 'fixed', delay: backoff };
  if (repeat !== undefined) opts.repeat = repeatOf(repeat as Record<string, unknown>, job.repeatJobKey);
  return opts;
}

/** Options that are the engine's, or have another shape in Bull. */
const otherwise = new Set(['priority', 'deduplication', 'repeat', 'repeatJobKey', 'attempts', 'delay', 'timestamp']);

/** Every job that is added or run passes here: a loop costs a fraction of what spreading all but a few costs. */
function copyTo(opts: object, stored: object): void {
  for (const name in stored) {
    if (!otherwise.has(name)) (opts as Record<string, unknown>)[name] = (stored as Record<string, unknown>)[name];
  }
}

function repeatOf(repeat: Record<string, unknown>, key: string | undefined): Repeat {
  const { pattern, offset: _offset, ...rest } = repeat;
  return { ...rest, ...(pattern === undefined ? undefined : { cron: pattern }), ...(key === undefined ? undefined : { key }) } as Repeat;
}

function storedBackoff(backoff: number | BackoffOptions): JobsOptions['backoff'] & object {
  if (typeof backoff === 'number') return { type: 'fixed', delay: atLeast(backoff, 0) };
  const { type, delay } = backoff;
  const options: unknown = backoff.options;
  return {
    type,
    ...(delay === undefined ? undefined : { delay: atLeast(delay, 0) }),
    ...(options === undefined ? undefined : { options }),
  };
}

/** Bull's ages may be fractions. */
function keep(rule: boolean | number | KeepJobsOptions): NonNullable<JobsOptions['removeOnComplete']> {
  if (typeof rule !== 'object') return rule;
  const { age, count } = rule;
  return { ...(age === undefined ? undefined : { age: atLeast(Math.ceil(age), 1) }), ...(count === undefined ? undefined : { count }) };
}

function whole<K extends string>(name: K, value: unknown, least: number): Record<K, number> {
  return { [name]: atLeast(Number(value), least) } as Record<K, number>;
}

/** Not a number: the least. */
function atLeast(value: number, least: number): number {
  return value >= least ? Math.round(value) : least;
}

function given<T extends object>(options: T): T {
  if (!Object.values(options).includes(undefined)) return options;
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/** What `JSON.stringify` makes of a value: what Bull stores. Throws INVALID_DATA for cycles, BigInts and getters that throw. */
export function asJson(value: unknown, field = 'data'): unknown {
  if (typeof value === 'bigint') throw notJson(field, 'a BigInt is no JSON');
  if (typeof value !== 'object' || value === null) return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
  const text = textOf(value, field);
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

/** Undefined when `toJSON` says so. */
function textOf(value: object, field: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw notJson(field, cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause), cause);
  }
}

function notJson(field: string, why: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError('INVALID_DATA', {
    field, message: `${field} has no JSON text, which is what Bull stores: ${why}.`, hint: 'Pass plain values: no cycles and no BigInts.', cause,
  });
}
