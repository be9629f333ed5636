import { pack, unpack, unpackAll, unpackFacts } from './codec.js';
import { DroverError } from './errors.js';
import type { JobsOptions } from './job-options.js';

/** The part of a job that never changes but for its data: MessagePack [name, data, timestamp] or […, options]. */
export interface JobRecord {
  name: string;
  data: unknown;
  /** Creation time in ms. */
  timestamp: number;
  opts: JobsOptions;
}

const noOptions: JobsOptions = Object.freeze({});

/** Packs a record. `opts` without any option takes no room. */
export function packRecord(name: string, data: unknown, timestamp: number, opts: JobsOptions | undefined): Buffer {
  return pack(opts === undefined ? [name, data, timestamp] : [name, data, timestamp, opts], 'data', data);
}

/** Reads one unpacked record. Throws CORRUPT_DATA when it is none. */
export function asRecord(value: unknown): JobRecord {
  if (!Array.isArray(value) || typeof value[0] !== 'string' || typeof value[2] !== 'number') throw corrupt('record');
  const [name, data, timestamp, opts] = value as [string, unknown, number, JobsOptions | undefined];
  return { name, data, timestamp, opts: opts ?? noOptions };
}

export function unpackRecord(bytes: Uint8Array): JobRecord {
  return asRecord(unpack(bytes));
}

/** A job as another one names its parent: in parts, because names may contain ":". */
export interface ParentRef {
  prefix: string;
  queue: string;
  id: string;
}

/** What the failure of a child means for its parent; none: the parent waits on. */
export type FailurePolicy = 'fail' | 'continue' | 'ignore' | 'remove';

/** The policy that options ask for; the first of these that is set. */
export function policyOf(opts: JobsOptions): FailurePolicy | undefined {
  if (opts.failParentOnFailure) return 'fail';
  if (opts.continueParentOnFailure) return 'continue';
  if (opts.ignoreDependencyOnFailure) return 'ignore';
  return opts.removeDependencyOnFailure ? 'remove' : undefined;
}

/** The option that a policy stands for. */
export const policyOptions: Record<FailurePolicy, JobsOptions> = {
  fail: { failParentOnFailure: true },
  continue: { continueParentOnFailure: true },
  ignore: { ignoreDependencyOnFailure: true },
  remove: { removeDependencyOnFailure: true },
};

/** The sparse facts of a job that change; `lua/shared/facts.lua` names the fields. */
export interface JobFacts {
  attemptsMade: number;
  attemptsStarted: number;
  stalls: number;
  /** It was handed out once and never confirmed to have started: its next start is confirmed first. */
  suspect: boolean;
  priority: number | undefined;
  deduplicationId: string | undefined;
  parent: ParentRef | undefined;
  /** What its failure means for its parent. */
  policy: FailurePolicy | undefined;
  deferredFailure: string | undefined;
  repeatJobKey: string | undefined;
  deadLetterOf: DeadLetterOrigin | undefined;
}

/** Where a dead letter came from. */
export interface DeadLetterOrigin {
  prefix: string;
  queue: string;
  /** When it died, in ms. */
  at: number;
  attemptsMade: number;
  reason: string;
}

export const noFacts: JobFacts = Object.freeze({
  attemptsMade: 0, attemptsStarted: 0, stalls: 0, suspect: false, priority: undefined,
  deduplicationId: undefined, parent: undefined, policy: undefined, deferredFailure: undefined, repeatJobKey: undefined, deadLetterOf: undefined,
});

export function unpackFactsOf(bytes: Uint8Array | undefined): JobFacts {
  if (bytes === undefined) return noFacts;
  const known = unpackFacts(bytes);
  if (typeof known !== 'object' || known === null) throw corrupt('state');
  const { am, as, sc, su, pr, de, pk, po, df, rj, dl } = known as Record<string, unknown>;
  return {
    attemptsMade: Number(am ?? 0),
    attemptsStarted: Number(as ?? 0),
    stalls: Number(sc ?? 0),
    suspect: su === 1,
    priority: pr === undefined ? undefined : Number(pr),
    deduplicationId: optionalText(de),
    parent: Array.isArray(pk) ? parentOf(pk) : undefined,
    policy: typeof po === 'string' && po in policyOptions ? (po as FailurePolicy) : undefined,
    deferredFailure: optionalText(df),
    repeatJobKey: optionalText(rj),
    deadLetterOf: Array.isArray(dl) ? originOf(dl) : undefined,
  };
}

function parentOf([prefix, queue, id]: unknown[]): ParentRef {
  return { prefix: String(prefix), queue: String(queue), id: String(id) };
}

/** What a new job starts with beyond its record. */
export interface NewFacts {
  priority?: number | undefined;
  deduplicationId?: string | undefined;
  parent?: ParentRef | undefined;
  policy?: FailurePolicy | undefined;
  /** How long it waits once its children have ended, in ms. */
  delayMs?: number | undefined;
}

/** Packs the facts that a new job starts with, or undefined when it has none. */
export function packNewFacts(facts: NewFacts): Buffer | undefined {
  const { priority, deduplicationId, parent, policy, delayMs } = facts;
  if (!priority && deduplicationId === undefined && parent === undefined && !delayMs) return undefined;
  return pack({
    ...(priority ? { pr: priority } : undefined),
    ...(deduplicationId === undefined ? undefined : { de: deduplicationId }),
    ...(parent === undefined ? undefined : { pk: [parent.prefix, parent.queue, parent.id] }),
    ...(parent === undefined || policy === undefined ? undefined : { po: policy }),
    ...(delayMs ? { pd: delayMs } : undefined),
  }, 'options');
}

/** How a finished job ended: MessagePack [result or reason, startedAt, worker]. */
export interface Outcome {
  value: unknown;
  startedAt: number;
  worker: string;
}

export function packOutcome(value: unknown, startedAt: number, worker: string, field = 'returnvalue'): Buffer {
  return pack([value, startedAt, worker], field, value);
}

export function asOutcome(value: unknown): Outcome {
  if (!Array.isArray(value)) return { value: value ?? undefined, startedAt: 0, worker: '' };
  // A script packs times as 64-bit integers, which are read as BigInt.
  const [result, startedAt, worker] = value as [unknown, number | bigint, string];
  return { value: result, startedAt: Number(startedAt), worker };
}

/** One attempt that went wrong. */
export interface AttemptRecord {
  /** When, by Redis's clock, in ms. */
  at: number;
  worker: string;
  message: string;
  name?: string;
  stack?: string;
}

export function packAttempt(attempt: Omit<AttemptRecord, 'at'>): Buffer {
  return pack(attempt, 'error');
}

/** Reads the attempt history: pairs of time and what the worker reported, oldest first. */
export function unpackHistory(bytes: Uint8Array | undefined): AttemptRecord[] {
  if (bytes === undefined) return [];
  const values = unpackAll(bytes);
  const attempts: AttemptRecord[] = [];
  for (let i = 0; i + 1 < values.length; i += 2) {
    attempts.push({ ...(values[i + 1] as Omit<AttemptRecord, 'at'>), at: Number(values[i]) });
  }
  return attempts;
}

function originOf([prefix, queue, at, attemptsMade, reason]: unknown[]): DeadLetterOrigin {
  return { prefix: String(prefix), queue: String(queue), at: Number(at), attemptsMade: Number(attemptsMade), reason: String(reason) };
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function corrupt(what: string): DroverError {
  return new DroverError('CORRUPT_DATA', { message: `A stored job has a ${what} that Drover did not write.` });
}
