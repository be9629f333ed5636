import type { JobsOptions } from '../core/job-options.js';
import type { AttemptRecord, DeadLetterOrigin, FailurePolicy } from '../core/job-record.js';
import { jsonText } from '../core/json-text.js';
import type { Job, JobProgress } from './job.js';

/** The parent of a job: its id, and the qualified name of its queue. */
export interface ParentKeys {
  id?: string;
  queueKey: string;
  /** `failParentOnFailure` is the job's policy. */
  fpof?: boolean;
  /** `continueParentOnFailure` is. */
  cpof?: boolean;
  /** `ignoreDependencyOnFailure` is. */
  idof?: boolean;
  /** `removeDependencyOnFailure` is. */
  rdof?: boolean;
}

/** The field of {@link ParentKeys} that each policy is told by. */
const policyKeys = { fail: 'fpof', continue: 'cpof', ignore: 'idof', remove: 'rdof' } as const satisfies Record<FailurePolicy, keyof ParentKeys>;

export function parentKeys(id: string, queueKey: string, policy: FailurePolicy | undefined): ParentKeys & { id: string } {
  return { id, queueKey, ...(policy && { [policyKeys[policy]]: true }) };
}

/** A job as `toJSON` shows it. */
export interface JobView<DataType = any, ReturnType = any, NameType extends string = string> { // eslint-disable-line @typescript-eslint/no-explicit-any -- as in Job
  id: string;
  name: NameType;
  data: DataType;
  opts: JobsOptions;
  progress: JobProgress;
  returnvalue: ReturnType;
  failedReason: string;
  stacktrace: string[] | null;
  deferredFailure: string;
  attemptsMade: number;
  attemptsStarted: number;
  stalledCounter: number;
  timestamp: number;
  processedOn?: number;
  finishedOn?: number;
  processedBy?: string;
  delay: number;
  priority: number;
  token?: string;
  deduplicated: boolean;
  deduplicationId?: string;
  repeatJobKey?: string;
  parentKey?: string;
  parent?: ParentKeys;
  attemptHistory: AttemptRecord[];
  deadLetterOf?: DeadLetterOrigin;
  queueQualifiedName: string;
}

/** A job as BullMQ stores it: data, result and stack traces are JSON texts. A BigInt among them is the text of its digits. */
export interface JobJson {
  id: string;
  name: string;
  data: string;
  opts: JobsOptions;
  progress: JobProgress;
  attemptsMade: number;
  attemptsStarted: number;
  stalledCounter: number;
  timestamp: number;
  failedReason: string;
  returnvalue: string;
  stacktrace?: string;
  finishedOn?: number;
  processedOn?: number;
  delay?: number;
  priority?: number;
  parent?: ParentKeys;
  parentKey?: string;
  repeatJobKey?: string;
  /** BullMQ 5's name of `deduplicationId`: as in BullMQ 6, neither written nor read. */
  debounceId?: string;
  deduplicationId?: string;
  deferredFailure?: string;
  processedBy?: string;
}

/** The same with the queue it belongs to. */
export type JobJsonSandbox = JobJson & { queueName: string; queueQualifiedName: string; prefix: string };

export function asJson(job: Job): JobJson {
  const known = {
    id: job.id, name: job.name, data: jsonText(job.data === undefined ? {} : job.data), opts: job.opts, parent: job.parent, parentKey: job.parentKey,
    progress: job.progress, attemptsMade: job.attemptsMade, attemptsStarted: job.attemptsStarted, stalledCounter: job.stalledCounter,
    finishedOn: job.finishedOn, processedOn: job.processedOn, processedBy: job.processedBy, timestamp: job.timestamp, delay: job.delay, priority: job.priority,
    failedReason: JSON.stringify(job.failedReason), stacktrace: JSON.stringify(job.stacktrace), returnvalue: jsonText(job.returnvalue),
    deduplicationId: job.deduplicationId, repeatJobKey: job.repeatJobKey, deferredFailure: job.deferredFailure as string | undefined,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as unknown as JobJson;
}

/** Puts onto a handle what a {@link JobJson} says beyond name, data and options. */
export function applyJson(job: Job, json: Partial<JobJson>): void {
  const { name: _name, data: _data, opts: _opts, id: _id, debounceId: _old, stacktrace, returnvalue, failedReason, parent, ...plain } = json;
  Object.assign(job, plain);
  if (parent?.id !== undefined) job.parent = { ...parent, id: parent.id };
  if (stacktrace !== undefined) job.stacktrace = JSON.parse(stacktrace) as string[];
  if (returnvalue !== undefined) job.returnvalue = JSON.parse(returnvalue) as unknown;
  if (failedReason !== undefined) job.failedReason = String(JSON.parse(failedReason));
}
