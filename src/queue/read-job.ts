import { unpack } from '../core/codec.js';
import { DroverError } from '../core/errors.js';
import { asOutcome, policyOptions, reasonOf, unpackFactsOf, unpackHistory, unpackRecord, type FailurePolicy, type JobFacts, type ParentRef } from '../core/job-record.js';
import { printable } from '../core/nearest.js';
import { priorityOfScore } from '../core/states.js';
import type { StoredJob } from '../redis/scripts/fetch.js';
import { parentKeys } from './job-json.js';
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
  const facts = unpackFactsOf(stored.state);
  applyFacts(job, facts);
  if (stored.progress) job.progress = unpack(stored.progress) as JobProgress;
  applyHistory(job, stored.history, facts.redrivenAt);
  applyPlace(job, stored, facts);
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
  job.parent = parentKeys(id, queueKey, policy);
  job.parentKey = `${queueKey}:${id}`;
  job.opts = { ...job.opts, parent: { id, queue: queueKey }, ...(policy && policyOptions[policy]) };
}

/** Puts what went wrong before on a handle. What did so before the job was redriven is no reason any more. */
export function applyHistory(job: Job, packed: Uint8Array | undefined, redrivenAt: number): void {
  job.attemptHistory = unpackHistory(packed);
  const traces = job.attemptHistory.flatMap((attempt) => (attempt.stack === undefined ? [] : [attempt.stack]));
  job.stacktrace = shownTraces(traces, job.opts.stackTraceLimit);
  const last = job.attemptHistory.at(-1);
  if (last && last.at > redrivenAt) job.failedReason = last.message;
}

/** Puts an attempt that has just failed on the handle of its job. */
export function applyFailure(job: Job, error: Error): void {
  job.attemptsMade += 1;
  job.failedReason = error.message;
  job.stacktrace = shownTraces([...(job.stacktrace ?? []), error.stack ?? ''], job.opts.stackTraceLimit);
}

/** The newest of the traces, as many as the job's options let it show. */
function shownTraces(traces: string[], limit: number | undefined): string[] {
  return limit === undefined ? traces : limit === 0 ? [] : traces.slice(-limit);
}

function applyPlace(job: Job, stored: StoredJob, { movedAt }: JobFacts): void {
  const { place, score } = stored;
  // What has waited out its delay has none left.
  if (place !== 'delayed' && place !== 'parents') job.delay = 0;
  if (place === 'wait') {
    job.priority = priorityOfScore(score);
  } else if (place === 'active' && stored.lease !== undefined) {
    applyLease(job, stored.lease);
    job.attemptsStarted += 1;
  } else if (place === 'delayed') {
    // Due after its backoff, which began when the attempt had failed, or after what it was given since.
    const failedAt = job.attemptsMade > 0 ? job.attemptHistory.at(-1)?.at ?? 0 : 0;
    const since = Math.max(movedAt, failedAt);
    if (since > 0) job.delay = Math.max(0, score - since);
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
