import { normalizeBackoff } from '../core/backoff.js';
import { checkJobName, checkValue, plainObject } from '../core/check.js';
import { checkJobOptions, checkSize, type JobsOptions } from '../core/job-options.js';
import { packNewFacts, packRecord } from '../core/job-record.js';
import type { EnqueueRequest, SpecialRequest } from './enqueuer.js';

/** A job as the caller describes it. */
export interface NewJob {
  name: string;
  data: unknown;
  opts?: JobsOptions | undefined;
}

/** A checked and packed job, ready to be sent, with what its handle shows. */
export interface Draft {
  request: EnqueueRequest;
  opts: JobsOptions;
}

/** Options that have done their work once the job is stored; they are not stored with it. */
function storedOptions(opts: JobsOptions): JobsOptions | undefined {
  const { jobId: _jobId, timestamp: _timestamp, backoff, ...rest } = opts;
  const stored: JobsOptions = backoff === undefined ? rest : { ...rest, backoff: normalizeBackoff(backoff) ?? backoff };
  for (const key in stored) return key === '' ? undefined : stored;
  return undefined;
}

/**
 * Checks and packs one job. Nothing is written yet, so that everything wrong with it is found first.
 *
 * @param path where the job stands in the caller's arguments, for error messages, e.g. `jobs[3].`.
 */
export function draftJob(job: NewJob, defaults: JobsOptions | undefined, makeId: () => string, now: number, path = ''): Draft {
  checkJobName(job.name, `${path}name`);
  if (job.opts !== undefined) checkJobOptions(job.opts, `${path}opts`);
  const opts = job.opts === undefined ? defaults : defaults === undefined ? job.opts : { ...defaults, ...withoutUndefined(job.opts) };
  if (opts === undefined) return plainDraft(job, makeId(), now);
  const record = packRecord(job.name, job.data, opts.timestamp ?? now, storedOptions(opts));
  checkSize(record.length, opts.sizeLimit, `${path}data`);
  const id = opts.jobId ?? makeId();
  return { request: { id, name: job.name, record, special: special(opts) }, opts };
}

function plainDraft(job: NewJob, id: string, now: number): Draft {
  const record = packRecord(job.name, job.data, now, undefined);
  checkSize(record.length, undefined, 'data');
  return { request: { id, name: job.name, record, special: undefined }, opts: {} };
}

function special(opts: JobsOptions): SpecialRequest | undefined {
  const { jobId, delay = 0, priority = 0, lifo = false, deduplication, parent } = opts;
  if (jobId === undefined && delay === 0 && priority === 0 && !lifo && !deduplication && !parent) return undefined;
  return {
    delayMs: delay,
    priority,
    lifo,
    facts: packNewFacts({
      priority,
      deduplicationId: deduplication?.id,
      parentKey: parent && `${parent.queue}:${parent.id}`,
    }),
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
