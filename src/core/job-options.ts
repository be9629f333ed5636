import { MAX_DELAY_MS, checkBackoff, type BackoffOptions } from './backoff.js';
import {
  anything, checkId, checkOptions, checkValue, either, flag, plainObject, refusedBy, shape, textUpTo, wholeNumber, type Check,
} from './check.js';
import { InvalidInputError } from './errors.js';

/** The highest priority number, BullMQ's: 2^21 − 1. 0 runs first, then 1, 2, … */
export const MAX_PRIORITY = 2_097_151;

/** The same under BullMQ's name. */
export const PRIORITY_LIMIT = MAX_PRIORITY;

/** Which finished jobs stay readable. */
export interface KeepJobs {
  /** At most this age in seconds, from 1. */
  age?: number;
  /** At most this many, the newest, from 0. */
  count?: number;
  /** Accepted for BullMQ's sake: how many to remove at a time is Drover's concern. */
  limit?: number;
}

/** What holds back a second job with the same deduplication id. */
export interface DeduplicationOptions {
  /** Jobs with the same id are the same work. */
  id: string;
  /** Milliseconds, from 1: how long the id is held. Default: until the job has ended. */
  ttl?: number;
  /** Each duplicate starts the ttl anew. Default false. */
  extend?: boolean;
  /** A duplicate replaces the data of a job that is still delayed, by replacing the job. Default false. */
  replace?: boolean;
  /** A duplicate gives the delayed job a new due time. Default false. */
  reschedule?: boolean;
  /** While the job is active, the last duplicate is kept and added when the job ends. Default false. */
  keepLastIfActive?: boolean;
}

/** Defaults that a queue gives to each of its jobs. */
export interface DefaultJobOptions {
  /** Creation time in ms. Default: now, by Redis's clock. */
  timestamp?: number;
  /** 0 to 2,097,151; lower runs first. Default 0, before all others. */
  priority?: number;
  /** Milliseconds until the job may run, 0 to 2^42. Default 0. */
  delay?: number;
  /** How often the job may be tried in all; 0 means once, as in Bull and BullMQ. Default 1. */
  attempts?: number;
  /** How long to wait before the next attempt: milliseconds, or a rule. Default: no wait. */
  backoff?: number | BackoffOptions;
  /** To the front of its priority rather than the end. Default false. */
  lifo?: boolean;
  /** What is kept of it once completed: false all, true nothing, a count, or an age and count. Default: 24 h and 100,000 jobs. */
  removeOnComplete?: boolean | number | KeepJobs;
  /** What is kept of it once failed. Default: 30 days and 100,000 jobs. */
  removeOnFail?: boolean | number | KeepJobs;
  /** How many log rows to keep, from 0. Default: all, up to 1 MiB. */
  keepLogs?: number;
  /** How many stack traces `stacktrace` shows, from 0. Default: all that the history holds. */
  stackTraceLimit?: number;
  /** The most bytes its packed data may have, up to 2^29: Redis takes no longer value. Default 16 MiB. */
  sizeLimit?: number;
  /** Milliseconds the handler may run, 1 to 2^31 − 1, before its signal is aborted and the attempt fails. Default: no limit. */
  timeout?: number;
}

/** Options of one job: a superset of BullMQ's. */
export interface JobsOptions extends DefaultJobOptions {
  /** Its id, 1 to 512 bytes. A job with this id that the queue still knows stands in the new one's place. Default: a new id. */
  jobId?: string;
  deduplication?: DeduplicationOptions;
  /** The job that waits for this one: id and qualified queue name. */
  parent?: { id: string; queue: string };
  /** When this child fails for good, its parent fails. */
  failParentOnFailure?: boolean;
  /** When this child fails for good, its parent runs at once. */
  continueParentOnFailure?: boolean;
  /** When this child fails for good, its parent goes on as if it had ended. */
  ignoreDependencyOnFailure?: boolean;
  /** When this child fails for good, its parent forgets it. */
  removeDependencyOnFailure?: boolean;
  telemetry?: { metadata?: string; omitContext?: boolean };
  /** The schedule this job is a run of. Set by the scheduler. */
  repeatJobKey?: string;
  /** Set by BullMQ's scheduler; accepted and kept. */
  prevMillis?: number;
  /** How the schedule repeats. Set by the scheduler, with `repeatJobKey`; refused without it: see `upsertJobScheduler`. */
  repeat?: object;
}

const keep: Check = either(
  flag,
  wholeNumber(0, 2 ** 31),
  shape({ age: wholeNumber(1, 2 ** 32, 'seconds'), count: wholeNumber(0, 2 ** 31), limit: wholeNumber(1, 2 ** 31) }),
);

const deduplication = shape({
  id: textUpTo(512),
  ttl: wholeNumber(1, MAX_DELAY_MS, 'milliseconds'),
  extend: flag,
  replace: flag,
  reschedule: flag,
  keepLastIfActive: flag,
}, ['id']);

const backoff: Check = refusedBy(checkBackoff);

const defaults: Record<string, Check> = {
  timestamp: wholeNumber(0, Number.MAX_SAFE_INTEGER, 'milliseconds'),
  priority: wholeNumber(0, MAX_PRIORITY),
  delay: wholeNumber(0, MAX_DELAY_MS, 'milliseconds'),
  attempts: wholeNumber(0, 2 ** 31),
  backoff,
  lifo: flag,
  removeOnComplete: keep,
  removeOnFail: keep,
  keepLogs: wholeNumber(0, 2 ** 31),
  stackTraceLimit: wholeNumber(0, 2 ** 31),
  // Redis closes the connection of whoever sends a longer value.
  sizeLimit: wholeNumber(0, 2 ** 29, 'bytes'),
  timeout: wholeNumber(1, 2 ** 31 - 1, 'milliseconds'),
};

const perJob: Record<string, Check> = {
  ...defaults,
  jobId: anything,
  deduplication,
  parent: shape({ id: textUpTo(512), queue: textUpTo(600), waitChildrenKey: textUpTo(700), parentDependenciesKey: textUpTo(700) }, ['id', 'queue']),
  failParentOnFailure: flag,
  continueParentOnFailure: flag,
  ignoreDependencyOnFailure: flag,
  removeDependencyOnFailure: flag,
  telemetry: plainObject,
  repeatJobKey: textUpTo(600),
  prevMillis: wholeNumber(0, Number.MAX_SAFE_INTEGER),
  repeat: plainObject,
};

/** The runs of a schedule say how it repeats; in anybody else's options it would have no effect at all. */
function refuseRepeat(field: string): never {
  throw new InvalidInputError('INVALID_OPTION', {
    field, message: `${field} does not make a job repeat.`, hint: 'Call `queue.upsertJobScheduler(id, repeat, { name, data, opts })`: docs/schedules.md.',
  });
}

const { jobId: _jobId, ...ofOne } = perJob;
const ofMany: Record<string, Check> = { ...ofOne, repeat: (_value, path) => refuseRepeat(path) };

/** Options that many jobs share, of a queue or a template: all but the id. */
export const defaultJobOptions: Check = shape(ofMany);

/** Refuses a queue's or template's defaults that are unknown or out of bounds. */
export function checkDefaultJobOptions(options: unknown, field: string): asserts options is DefaultJobOptions {
  checkValue(options, defaultJobOptions, field);
}

/** Refuses options of a job that are unknown or out of bounds. */
export function checkJobOptions(options: unknown, field: string): asserts options is JobsOptions {
  checkValue(options, plainObject, field);
  checkOptions(options as object, perJob, field);
  const { jobId, repeat, repeatJobKey } = options as JobsOptions;
  if (repeat !== undefined && repeatJobKey === undefined) refuseRepeat(field === '' ? 'repeat' : `${field}.repeat`);
  if (jobId !== undefined) checkId(jobId, field === '' ? 'jobId' : `${field}.jobId`);
}

/** The most bytes packed data may have when the job does not say. */
export const defaultSizeLimit = 16 * 1024 * 1024;

/** Refuses data over its limit. */
export function checkSize(bytes: number, limit: number | undefined, field: string): void {
  if (!isTooLarge(bytes, limit)) return;
  throw new InvalidInputError('PAYLOAD_TOO_LARGE', { field, message: `${field} has ${bytes} bytes; the limit is ${limit ?? defaultSizeLimit}.` });
}

/** The same as a question, where the field takes longer to name than the size to check. */
export function isTooLarge(bytes: number, limit = defaultSizeLimit): boolean {
  return bytes > limit;
}
