import { InvalidInputError } from './errors.js';
import { nearest, refuseUnknownOptions, shown } from './nearest.js';

/**
 * The longest delay that Drover computes or accepts, in milliseconds: 2^42, about 139 years. Added to any time of this
 * era it stays an exact integer, also as a Redis score. Delays that would grow beyond it stop there.
 */
export const MAX_DELAY_MS = 2 ** 42;

const BUILT_IN_TYPES = ['fixed', 'exponential', 'linear'] as const;
const OPTIONS = ['type', 'delay', 'jitter', 'maxDelay', 'options'] as const;
const LONGEST_TYPE = 256;

/** How a failed job waits before its next attempt; the options of BullMQ 6, plus `linear` and `maxDelay`. */
export interface BackoffOptions {
  /**
   * - `fixed`: `delay`, every time.
   * - `exponential`: 2^(attemptsMade − 1) · `delay` (BullMQ's formula).
   * - `linear`: attemptsMade · `delay`. A worker with a `backoffStrategy` is asked instead, as BullMQ would.
   * - any other name, of 1 to 256 characters: the worker's `backoffStrategy` decides.
   */
  readonly type: 'fixed' | 'exponential' | 'linear' | (string & {});
  /** The base in milliseconds: an integer from 0 to {@link MAX_DELAY_MS}. Default 0. */
  readonly delay?: number;
  /** From 0 to 1: the delay is drawn uniformly from [delay · (1 − jitter), delay]. Default 0. Custom types ignore it. */
  readonly jitter?: number;
  /** A cap in milliseconds, applied before jitter, also to custom types. Default and bound {@link MAX_DELAY_MS}. */
  readonly maxDelay?: number;
  /** Anything for the worker's `backoffStrategy` to find in `job.opts.backoff`; stored with the job. */
  readonly options?: unknown;
}

/**
 * A worker's own backoff, with BullMQ's arguments. Called with the number of the attempt that has just failed, from 1.
 * Returns the delay in milliseconds, or −1 to stop retrying.
 */
export type BackoffStrategy<TJob = unknown> = (
  attemptsMade: number,
  type?: string,
  err?: Error,
  job?: TJob,
) => number | Promise<number>;

/** What {@link computeBackoff} needs to know about a failed attempt. */
export interface FailedAttempt<TJob = unknown> {
  /** As {@link normalizeBackoff} returned them; without them the job is retried at once. */
  readonly options: BackoffOptions | undefined;
  /** Attempts made so far, the failed one included; from 1. */
  readonly attemptsMade: number;
  readonly strategy?: BackoffStrategy<TJob> | undefined;
  readonly error?: Error | undefined;
  readonly job?: TJob | undefined;
  /** A source of numbers in [0, 1) for jitter. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** Whether Drover computes it by itself; else only a `backoffStrategy` can. */
export function isBuiltInBackoff({ type }: BackoffOptions): boolean {
  return BUILT_IN_TYPES.some((known) => known === type);
}

/** Whether to retry, and if so after how many milliseconds: an integer from 0 to {@link MAX_DELAY_MS}. */
export type BackoffDecision = { readonly retry: true; readonly delayMs: number } | { readonly retry: false };

/**
 * Checks `value` and turns it into options: a number means `{ type: 'fixed', delay }`. Only what was given is kept.
 *
 * @param field the path that errors name.
 * @returns undefined when no backoff was given (undefined or null).
 * @throws InvalidInputError `INVALID_OPTION` or `UNKNOWN_OPTION`.
 */
export function normalizeBackoff(value: unknown, field = 'backoff'): BackoffOptions | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return { type: 'fixed', delay: checkedDelay(value, field) };
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw invalid(field, `must be a number of milliseconds or an object, not ${shown(value)}`);
  }
  refuseUnknownOptions(value, OPTIONS, field);
  const { type, delay, jitter, maxDelay, options } = value as Record<(typeof OPTIONS)[number], unknown>;
  return {
    type: checkedType(type, `${field}.type`),
    ...(delay !== undefined && { delay: checkedDelay(delay, `${field}.delay`) }),
    ...(jitter !== undefined && { jitter: checkedJitter(jitter, `${field}.jitter`) }),
    ...(maxDelay !== undefined && { maxDelay: checkedDelay(maxDelay, `${field}.maxDelay`) }),
    ...(options !== undefined && { options }),
  };
}

/**
 * Refuses, besides, a type that is a built-in one but for a letter or its case: with all others the job would find out
 * at its first retry that there is no such strategy.
 *
 * @throws InvalidInputError as {@link normalizeBackoff} does.
 */
export function checkBackoff(value: unknown, field: string): void {
  const type = normalizeBackoff(value, field)?.type ?? 'fixed';
  if (BUILT_IN_TYPES.some((known) => type.startsWith(known))) return;
  const meant = nearest(type, BUILT_IN_TYPES, LONGEST_TYPE);
  // A first letter is seldom missed: `mixed` is a name.
  if (meant?.[0] !== type[0]?.toLowerCase()) return;
  throw new InvalidInputError('INVALID_OPTION', {
    field: `${field}.type`, message: `${field}.type is nearly '${meant}'; did you mean '${meant}'?`,
    hint: 'Write it so, or give the type of your `backoffStrategy` a name that is less like it.',
  });
}

/**
 * The delay of a built-in type, in whole milliseconds: never NaN, never negative, never above
 * {@link MAX_DELAY_MS} or `maxDelay`.
 *
 * @param attemptsMade counts the attempt that has just failed; anything below 1 counts as 1.
 * @throws InvalidInputError `INVALID_OPTION` for a type that is not built in.
 */
export function backoffDelay(options: BackoffOptions, attemptsMade: number, random: () => number = Math.random): number {
  const delay = options.delay ?? 0;
  const attempts = attemptsMade >= 1 ? Math.floor(attemptsMade) : 1;
  switch (options.type) {
    case 'fixed':
      return jittered(capped(delay, options), options, random);
    case 'exponential':
      return jittered(capped(grown(2 ** (attempts - 1), delay), options), options, random);
    case 'linear':
      return jittered(capped(grown(attempts, delay), options), options, random);
    default:
      throw noStrategyFor(options.type);
  }
}

/**
 * Decides what becomes of a job after a failed attempt. `strategy` is asked for every type that BullMQ does not have
 * built in, hence also for `linear`; its −1 becomes `{ retry: false }`. Its delay is rounded and capped, never jittered.
 *
 * @throws InvalidInputError `INVALID_OPTION` when a custom type has no strategy, or the strategy returned something
 * other than a number of milliseconds or −1. What the strategy itself throws passes through.
 */
export async function computeBackoff<TJob>(failed: FailedAttempt<TJob>): Promise<BackoffDecision> {
  const { options, attemptsMade, strategy } = failed;
  if (!options) return { retry: true, delayMs: 0 };
  if (!strategy || options.type === 'fixed' || options.type === 'exponential') {
    return { retry: true, delayMs: backoffDelay(options, attemptsMade, failed.random) };
  }
  const answer: unknown = await strategy(attemptsMade, options.type, failed.error, failed.job);
  if (answer === -1) return { retry: false };
  if (typeof answer !== 'number' || !(answer >= 0)) {
    const expected = 'milliseconds, or -1 to stop retrying';
    throw invalid('settings.backoffStrategy', `returned ${shown(answer)} for type '${options.type}', not ${expected}`);
  }
  return { retry: true, delayMs: capped(Math.round(answer), options) };
}

/**
 * Bull 4's exponential delay, (2^attemptsMade − 1) · delay, in whole milliseconds up to {@link MAX_DELAY_MS}.
 * Source: `lib/backoffs.js` of Bull 4.16.
 */
export function bullExponentialDelay(delay: number, attemptsMade: number): number {
  return capped(grown(2 ** Math.max(0, attemptsMade) - 1, delay), {});
}

/** factor · delay, where nothing grown without bound is still nothing (∞ · 0 is NaN). */
function grown(factor: number, delay: number): number {
  return delay === 0 || factor === 0 ? 0 : Math.round(factor * delay);
}

/** Saturates; also the last guard against what options that were never normalized may contain. */
function capped(delay: number, options: Pick<BackoffOptions, 'maxDelay'>): number {
  const cap = Math.min(options.maxDelay ?? MAX_DELAY_MS, MAX_DELAY_MS);
  return delay > 0 ? Math.min(delay, cap) : 0;
}

function jittered(delay: number, { jitter = 0 }: BackoffOptions, random: () => number): number {
  if (jitter === 0) return delay;
  const drawn = Math.floor(delay * (1 - jitter) + random() * delay * jitter);
  return drawn >= 0 ? Math.min(drawn, delay) : delay;
}

function checkedType(type: unknown, field: string): string {
  if (typeof type === 'string' && type.length >= 1 && type.length <= LONGEST_TYPE) return type;
  throw invalid(field, `must be '${BUILT_IN_TYPES.join("', '")}' or the name of a custom type, not ${shown(type)}`);
}

function checkedDelay(delay: unknown, field: string): number {
  if (Number.isInteger(delay) && (delay as number) >= 0 && (delay as number) <= MAX_DELAY_MS) return delay as number;
  throw invalid(field, `must be a whole number of milliseconds from 0 to ${MAX_DELAY_MS}, not ${shown(delay)}`);
}

function checkedJitter(jitter: unknown, field: string): number {
  if (typeof jitter === 'number' && jitter >= 0 && jitter <= 1) return jitter;
  throw invalid(field, `must be a number from 0 to 1, not ${shown(jitter)}`);
}

function noStrategyFor(type: string): InvalidInputError {
  const meant = nearest(type, BUILT_IN_TYPES);
  return new InvalidInputError('INVALID_OPTION', {
    field: 'backoff.type',
    message: `Unknown backoff type '${type}'${meant === undefined ? '.' : `, did you mean '${meant}'?`}`,
    hint: 'Custom types need the worker setting `backoffStrategy`.',
  });
}

const invalid = (field: string, problem: string): InvalidInputError =>
  new InvalidInputError('INVALID_OPTION', { field, message: `${field} ${problem}.` });
