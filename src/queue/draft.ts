import { normalizeBackoff } from '../core/backoff.js';
import { InvalidInputError } from '../core/errors.js';
import { checkJobName, checkValue, isJobName, plainObject } from '../core/check.js';
import { checkJobOptions, checkSize, isTooLarge, type JobsOptions } from '../core/job-options.js';
import { packNewFacts, packRecord, policyOf, type NewFacts, type ParentRef } from '../core/job-record.js';
import type { EnqueueRequest, SpecialRequest } from './enqueuer.js';
import { sizeOf } from './pack-jobs.js';
import type { PlainJobs } from './plain-jobs.js';

/** A job as the caller describes it. */
export interface NewJob {
  name: string;
  data?: unknown;
  opts?: JobsOptions | undefined;
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

/** What the jobs of one call are drafted with. */
export interface DraftTerms {
  defaults: JobsOptions | undefined;
  makeId: () => string;
  now: number;
  /** Where plain jobs are packed. Without it each is packed by itself. */
  plainJobs?: PlainJobs;
}

/** Where a job stands in the caller's arguments: its index in `jobs`, what names its fields in errors, or nothing for a single one. */
export type Place = number | { field(name: string): string } | undefined;

/** Written out only for errors: that would take longer than to check a job. */
const within = (place: Place, field: string): string => (typeof place === 'number' ? `jobs[${place}].${field}` : place?.field(field) ?? field);

/**
 * Checks and packs one job. Nothing is written yet, so that everything wrong with it is found first.
 *
 * @param parent the job above it in a flow. Without it, one that its options name is looked for before the job is sent.
 */
export function draftJob(job: NewJob, terms: DraftTerms, place?: Place, parent?: ParentRef): Draft {
  if (!isJobName(job.name)) checkJobName(job.name, within(place, 'name'));
  if (job.opts !== undefined) checkJobOptions(job.opts, within(place, 'opts'));
  const own = optionsOf(job, terms.defaults);
  const opts = parent ? { ...own, parent: namedIn(parent) } : own;
  checkChild(opts, place);
  const timestamp = opts.timestamp ?? terms.now;
  const stored = own === noOptions ? undefined : storedOptions(opts);
  const request = requestOf(job, { opts, stored, timestamp, parent }, terms);
  const size = sizeOf(request);
  if (isTooLarge(size, opts.sizeLimit)) checkSize(size, opts.sizeLimit, within(place, 'data'));
  return { request, opts, timestamp, parent };
}

/** How the options of the children of a parent name it. */
const names = new WeakMap<ParentRef, NonNullable<JobsOptions['parent']>>();

function namedIn(parent: ParentRef): NonNullable<JobsOptions['parent']> {
  const known = names.get(parent);
  if (known) return known;
  const named = Object.freeze({ id: parent.id, queue: `${parent.prefix}:${parent.queue}` });
  names.set(parent, named);
  return named;
}

const noOptions: JobsOptions = Object.freeze({});

function optionsOf({ opts }: NewJob, defaults: JobsOptions | undefined): JobsOptions {
  if (opts === undefined) return defaults ?? noOptions;
  return defaults === undefined ? opts : { ...defaults, ...withoutUndefined(opts) };
}

/** What has been found out of a job before it is packed. */
interface Particulars {
  opts: JobsOptions;
  /** The options that are stored with it. */
  stored: JobsOptions | undefined;
  timestamp: number;
  parent: ParentRef | undefined;
}

function requestOf({ name, data = {} }: NewJob, { opts, stored, timestamp, parent }: Particulars, { makeId, plainJobs }: DraftTerms): EnqueueRequest {
  const more = special(opts, parent);
  const id = opts.jobId ?? makeId();
  if (more === undefined && plainJobs) return plainJobs.pack(id, { name, data, timestamp, opts: stored });
  return { id, name, record: packRecord(name, data, timestamp, stored), special: more };
}

/** A duplicate that is kept back comes to life later, when the parent may be gone. */
function checkChild({ parent, deduplication }: JobsOptions, place: Place): void {
  if (!parent || !deduplication?.keepLastIfActive) return;
  throw new InvalidInputError('INVALID_OPTION', {
    field: within(place, 'opts.deduplication.keepLastIfActive'), message: 'A job with a parent cannot be kept back.', hint: 'Leave out `keepLastIfActive` or `parent`.',
  });
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
  for (const [i, job] of (jobs as unknown[]).entries()) if (plainObject(job) !== undefined) checkValue(job, plainObject, `jobs[${i}]`);
}
