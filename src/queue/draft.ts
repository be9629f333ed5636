import { normalizeBackoff } from '../core/backoff.js';
import { InvalidInputError } from '../core/errors.js';
import { checkJobName, checkValue, plainObject } from '../core/check.js';
import { checkJobOptions, checkSize, type JobsOptions } from '../core/job-options.js';
import { packNewFacts, packRecord, policyOf, type NewFacts, type ParentRef } from '../core/job-record.js';
import type { EnqueueRequest, SpecialRequest } from './enqueuer.js';

/** A job as the caller describes it. */
export interface NewJob {
  name: string;
  data: unknown;
  opts?: JobsOptions | undefined;
  /** Its parent. Default: the one that its options name, which is looked for before the job is sent. */
  parent?: ParentRef | undefined;
}

/** A checked and packed job, ready to be sent, with what its handle shows. */
export interface Draft {
  request: EnqueueRequest;
  opts: JobsOptions;
  timestamp: number;
  /** Its parent, once it is known. */
  parent?: ParentRef | undefined;
}

/** The options that are stored with a job: without those that have done their work by then, and with `backoff` as a rule. */
export function storedOptions(opts: JobsOptions): JobsOptions | undefined {
  if (opts.parent) return storedOptions(withoutParent(opts));
  const { jobId: _jobId, timestamp: _timestamp, backoff, ...rest } = opts;
  const stored: JobsOptions = backoff === undefined ? rest : { ...rest, backoff: normalizeBackoff(backoff) ?? backoff };
  for (const key in stored) return key === '' ? undefined : stored;
  return undefined;
}

/** The parent and what a failure means for it are facts of the job, which its handle shows as options. */
function withoutParent(opts: JobsOptions): JobsOptions {
  const {
    parent: _parent, failParentOnFailure: _fail, continueParentOnFailure: _continue, ignoreDependencyOnFailure: _ignore,
    removeDependencyOnFailure: _remove, ...rest
  } = opts;
  return rest;
}

/** The facts that options give to a new job. */
export function newFacts(opts: JobsOptions, parent: ParentRef | undefined): NewFacts {
  return { priority: opts.priority, deduplicationId: opts.deduplication?.id, parent, policy: policyOf(opts) };
}

/**
 * Checks and packs one job. Nothing is written yet, so that everything wrong with it is found first.
 *
 * @param path where the job stands in the caller's arguments, for error messages, e.g. `jobs[3].`.
 */
export function draftJob(job: NewJob, defaults: JobsOptions | undefined, makeId: () => string, now: number, path = ''): Draft {
  checkJobName(job.name, `${path}name`);
  if (job.opts !== undefined) checkJobOptions(job.opts, `${path}opts`);
  if (job.data === undefined) return draftJob({ ...job, data: {} }, defaults, makeId, now, path);
  const opts = job.opts === undefined ? defaults : defaults === undefined ? job.opts : { ...defaults, ...withoutUndefined(job.opts) };
  if (opts === undefined) return plainDraft(job, makeId(), now, path);
  checkChild(opts, path);
  const timestamp = opts.timestamp ?? now;
  const record = packRecord(job.name, job.data, timestamp, storedOptions(opts));
  checkSize(record.length, opts.sizeLimit, `${path}data`);
  const id = opts.jobId ?? makeId();
  return { request: { id, name: job.name, record, special: special(opts, job.parent) }, opts, timestamp, parent: job.parent };
}

/** A duplicate that is kept back comes to life later, when the parent may be gone. */
function checkChild({ parent, deduplication }: JobsOptions, path: string): void {
  if (!parent || !deduplication?.keepLastIfActive) return;
  throw new InvalidInputError('INVALID_OPTION', {
    field: `${path}opts.deduplication.keepLastIfActive`, message: 'A job with a parent cannot be kept back.', hint: 'Leave out `keepLastIfActive` or `parent`.',
  });
}

function plainDraft(job: NewJob, id: string, now: number, path: string): Draft {
  const record = packRecord(job.name, job.data, now, undefined);
  checkSize(record.length, undefined, `${path}data`);
  return { request: { id, name: job.name, record, special: undefined }, opts: {}, timestamp: now };
}

function special(opts: JobsOptions, ref: ParentRef | undefined): SpecialRequest | undefined {
  const { jobId, delay = 0, priority = 0, lifo = false, deduplication, parent } = opts;
  if (jobId === undefined && delay === 0 && priority === 0 && !lifo && !deduplication && !parent) return undefined;
  return {
    fresh: jobId === undefined && !deduplication,
    delayMs: delay,
    priority,
    lifo,
    facts: packNewFacts(newFacts(opts, ref)),
    deduplication: deduplication && {
      id: deduplication.id,
      ttlMs: deduplication.ttl ?? 0,
      extend: deduplication.extend ?? false,
      replace: deduplication.replace ?? false,
      keepLast: deduplication.keepLastIfActive ?? false,
      reschedule: deduplication.reschedule ?? false,
    },
  };
}

function withoutUndefined(opts: JobsOptions): JobsOptions {
  for (const value of Object.values(opts)) {
    if (value === undefined) return Object.fromEntries(Object.entries(opts).filter(([, given]) => given !== undefined));
  }
  return opts;
}

/** Refuses a list of jobs that is none. */
export function checkNewJobs(jobs: unknown): asserts jobs is NewJob[] {
  checkValue(jobs, (value) => (Array.isArray(value) ? undefined : 'a list of jobs'), 'jobs');
  for (const [i, job] of (jobs as unknown[]).entries()) checkValue(job, plainObject, `jobs[${i}]`);
}
