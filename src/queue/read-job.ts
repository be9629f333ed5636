import { unpack } from '../core/codec.js';
import { DroverError } from '../core/errors.js';
import { asOutcome, policyOptions, reasonOf, unpackFactsOf, unpackHistory, unpackRecord, type FailurePolicy, type JobFacts, type ParentRef } from '../core/job-record.js';
import { printable } from '../core/nearest.js';
import { priorityOfScore } from '../core/states.js';
import type { StoredJob } from '../redis/scripts/fetch.js';
import { Job, type JobOwner, type JobProgress } from './job.js';

/** Makes a handle of what Redis holds of a job. Throws CORRUPT_DATA when that is not what Drover wrote. */
export function readJob(owner: JobOwner, stored: StoredJob): Job {
  try {
    return handleOf(owner, stored);
  } catch (cause) {
    throw corruptJob(`What Redis holds of job ${printable(stored.id)} cannot be read.`, cause);
  }
}

/** What Redis holds of one job is not what Drover wrote. */
export function corruptJob(message: string, cause?: unknown): DroverError {
  return new DroverError('CORRUPT_DATA', { field: 'job', message, cause });
}

function handleOf(owner: JobOwner, stored: StoredJob): Job {
  const record = unpackRecord(stored.record ?? new Uint8Array());
  const job = new Job(owner, record.name, record.data, record.opts, stored.id);
  job.timestamp = record.timestamp;
  applyFacts(job, unpackFactsOf(stored.state));
  if (stored.progress) job.progress = unpack(stored.progress) as JobProgress;
  job.attemptHistory = unpackHistory(stored.history);
  applyHistory(job);
  applyPlace(job, stored);
  return job;
}

/** Puts the changeable facts on a handle. */
export function applyFacts(job: Job, facts: JobFacts): void {
  job.attemptsMade = facts.attemptsMade;
  job.attemptsStarted = facts.attemptsStarted;
  job.stalledCounter = facts.stalls;
  if (facts.priority !== undefined) job.priority = facts.priority;
  if (facts.deduplicationId !== undefined) job.deduplicationId = facts.deduplicationId;
  if (facts.deadLetterOf !== undefined) job.deadLetterOf = facts.deadLetterOf;
  if (facts.parent !== undefined) applyParent(job, facts.parent, facts.policy);
  if (facts.deferredFailure !== undefined) job.deferredFailure = facts.deferredFailure;
}

function applyParent(job: Job, { prefix, queue, id }: ParentRef, policy: FailurePolicy | undefined): void {
  const queueKey = `${prefix}:${queue}`;
  job.parent = { id, queueKey };
  job.parentKey = `${queueKey}:${id}`;
  job.opts = { ...job.opts, parent: { id, queue: queueKey }, ...(policy && policyOptions[policy]) };
}

function applyHistory(job: Job): void {
  const traces = job.attemptHistory.flatMap((attempt) => (attempt.stack === undefined ? [] : [attempt.stack]));
  const limit = job.opts.stackTraceLimit;
  job.stacktrace = limit === undefined ? traces : limit === 0 ? [] : traces.slice(-limit);
  const last = job.attemptHistory.at(-1);
  if (last) job.failedReason = last.message;
}

function applyPlace(job: Job, stored: StoredJob): void {
  const { place, score } = stored;
  if (place === 'wait') {
    job.priority = priorityOfScore(score);
    job.delay = 0;
  } else if (place === 'active' && stored.lease !== undefined) {
    applyLease(job, stored.lease);
    job.attemptsStarted += 1;
  } else if (place === 'delayed') {
    job.delay = Math.max(0, job.delay);
  } else if ((place === 'completed' || place === 'failed') && stored.outcome) {
    const packed = unpack(stored.outcome);
    const outcome = asOutcome(packed);
    job.finishedOn = score;
    if (outcome.startedAt > 0) job.processedOn = outcome.startedAt;
    if (outcome.worker !== '') job.processedBy = outcome.worker;
    if (place === 'completed') {
      job.returnvalue = outcome.value;
      job.attemptsMade += 1;
      job.attemptsStarted += 1;
    } else {
      job.failedReason = reasonOf(packed);
    }
  }
}

/** Reads `<token>|<startedAt>`; a token that a worker made is `<worker>~<session>:<call>`. */
export function applyLease(job: Job, lease: string): void {
  const bar = lease.lastIndexOf('|');
  job.lease = lease;
  job.token = lease.slice(0, bar);
  const worker = /^(.*)~[^~]*:\d+$/s.exec(job.token)?.[1];
  if (worker !== undefined) job.processedBy = worker;
  job.processedOn = Number(lease.slice(bar + 1));
}
