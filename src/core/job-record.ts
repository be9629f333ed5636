import { pack, packCarefully, unpack, unpackAll, unpackFacts } from './codec.js';
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
  return pack(listOf(name, data, timestamp, opts), 'data', data);
}

/** A record as it is packed. */
export interface NewRecord {
  name: string;
  data: unknown;
  timestamp: number;
  opts: JobsOptions | undefined;
}

/** The same for a record that the plain writer has left. */
export function packRecordCarefully({ name, data, timestamp, opts }: NewRecord): Buffer {
  return packCarefully(listOf(name, data, timestamp, opts), 'data', data);
}

function listOf(name: string, data: unknown, timestamp: number, opts: JobsOptions | undefined): unknown[] {
  return opts === undefined ? [name, data, timestamp] : [name, data, timestamp, opts];
}

/** Reads one unpacked record. Throws CORRUPT_DATA when it is none. */
export function asRecord(value: unknown): JobRecord {
  if (!Array.isArray(value) || typeof value[0] !== 'string' || typeof value[2] !== 'number') throw corrupt('record');
  const [name, data, timestamp, opts] = value as [string, unknown, number, unknown];
  return { name, data, timestamp, opts: opts === undefined || opts === null ? noOptions : storedOptionsOf(opts) };
}

type Kind = 'number' | 'boolean' | 'string' | 'object';

/** The kinds of the options by which work is decided: a job that holds others was not written by Drover. */
const optionKinds = new Map<string, readonly Kind[]>([
  ...['attempts', 'delay', 'priority', 'timeout', 'keepLogs', 'stackTraceLimit', 'sizeLimit'].map((name) => [name, ['number']] as const),
  ['lifo', ['boolean']], ['backoff', ['number', 'object']], ['deduplication', ['object']], ['repeatJobKey', ['string']],
  ...['removeOnComplete', 'removeOnFail'].map((name) => [name, ['boolean', 'number', 'object']] as const),
]);

/** Options as they are stored. Unknown ones are left alone: a newer version may know them. */
function storedOptionsOf(opts: unknown): JobsOptions {
  if (!isMap(opts)) throw corrupt('record');
  for (const name of Object.keys(opts)) {
    const kinds = optionKinds.get(name);
    const value = opts[name];
    if (kinds && value !== undefined && (!kinds.includes(typeof value as Kind) || value === null || Number.isNaN(value))) throw corrupt('record');
  }
  return opts;
}

/** A map of MessagePack, and none of the other objects that it has. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
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
  /** When its due time was last moved, in ms; 0 for never. */
  movedAt: number;
  /** When it was last put back after it had ended, in ms; 0 for never. */
  redrivenAt: number;
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
  deduplicationId: undefined, parent: undefined, policy: undefined, deferredFailure: undefined, repeatJobKey: undefined, movedAt: 0, redrivenAt: 0, deadLetterOf: undefined,
});

export function unpackFactsOf(bytes: Uint8Array | undefined): JobFacts {
  if (bytes === undefined) return noFacts;
  const known = unpackFacts(bytes);
  if (!isMap(known)) throw corrupt('state');
  const { am, as, sc, su, pr, de, pk, po, df, rj, mv, rd, dl } = known;
  return {
    attemptsMade: count(am),
    attemptsStarted: count(as),
    stalls: count(sc),
    suspect: su === 1,
    priority: pr === undefined ? undefined : count(pr),
    deduplicationId: optionalText(de),
    parent: pk === undefined ? undefined : parentOf(pk),
    policy: typeof po === 'string' && Object.hasOwn(policyOptions, po) ? (po as FailurePolicy) : undefined,
    deferredFailure: optionalText(df),
    repeatJobKey: optionalText(rj),
    movedAt: count(mv),
    redrivenAt: count(rd),
    deadLetterOf: dl === undefined ? undefined : originOf(dl),
  };
}

function count(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw corrupt('state');
  return value;
}

function parentOf(value: unknown): ParentRef {
  if (!Array.isArray(value)) throw corrupt('state');
  const [prefix, queue, id] = value as unknown[];
  if (typeof prefix !== 'string' || typeof queue !== 'string' || typeof id !== 'string') throw corrupt('state');
  return { prefix, queue, id };
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

/** What was packed for the children of a parent that have no other facts. */
const ofChildren = new WeakMap<ParentRef, { policy: FailurePolicy | undefined; packed: Buffer }>();

/** Packs the facts that a new job starts with, or undefined when it has none. Siblings with the same facts share the bytes. */
export function packNewFacts(facts: NewFacts): Buffer | undefined {
  const { priority, deduplicationId, parent, policy, delayMs } = facts;
  const hasMore = Boolean(priority) || deduplicationId !== undefined || Boolean(delayMs);
  if (hasMore) return packFacts(facts);
  if (parent === undefined) return undefined;
  const known = ofChildren.get(parent);
  if (known && known.policy === policy) return known.packed;
  const packed = packFacts(facts);
  ofChildren.set(parent, { policy, packed });
  return packed;
}

function packFacts({ priority, deduplicationId, parent, policy, delayMs }: NewFacts): Buffer {
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

/** Reads one unpacked outcome; nil is that of a job that returned nothing and is forgotten. Throws CORRUPT_DATA when it is none. */
export function asOutcome(value: unknown): Outcome {
  if (value === null || value === undefined) return { value: undefined, startedAt: 0, worker: '' };
  if (!Array.isArray(value)) throw corrupt('outcome');
  const [result, startedAt, worker] = value as unknown[];
  // A script packs times as 64-bit integers, which are read as BigInt.
  if ((typeof startedAt !== 'number' && typeof startedAt !== 'bigint') || typeof worker !== 'string') throw corrupt('outcome');
  return { value: result, startedAt: Number(startedAt), worker };
}

/** Why a failed job failed. Throws CORRUPT_DATA when its outcome does not say. */
export function reasonOf(value: unknown): string {
  const { value: reason } = asOutcome(value);
  if (typeof reason !== 'string') throw corrupt('outcome');
  return reason;
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
    attempts.push(attemptOf(values[i], values[i + 1]));
  }
  return attempts;
}

function attemptOf(at: unknown, told: unknown): AttemptRecord {
  if ((typeof at !== 'number' && typeof at !== 'bigint') || !isMap(told)) throw corrupt('history');
  const { worker, message, name, stack } = told;
  if (typeof worker !== 'string' || typeof message !== 'string') throw corrupt('history');
  return { at: Number(at), worker, message, ...(typeof name === 'string' && { name }), ...(typeof stack === 'string' && { stack }) };
}

function originOf(value: unknown): DeadLetterOrigin {
  if (!Array.isArray(value)) throw corrupt('state');
  const [prefix, queue, at, attemptsMade, reason] = value as unknown[];
  if (typeof prefix !== 'string' || typeof queue !== 'string' || typeof at !== 'number' || typeof reason !== 'string') throw corrupt('state');
  return { prefix, queue, at, attemptsMade: count(attemptsMade), reason };
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function corrupt(what: string): DroverError {
  return new DroverError('CORRUPT_DATA', { field: what, message: `A stored job has a ${what} that Drover did not write.` });
}
