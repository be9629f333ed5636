/**
 * The one catalogue of everything Drover refuses or reports.
 *
 * Each entry says what went wrong in general and what to do about it. A test compares this table with
 * `docs/errors.md`, so the two cannot drift.
 */
export const catalogue = {
  // Bad input: found before anything is written.
  INVALID_NAME: 'Names are 1 to 256 characters without "{", "}" or control characters.',
  INVALID_ID: 'Ids are strings of 1 to 512 bytes of UTF-8 without control characters.',
  INVALID_OPTION: 'Give the option a value of the kind and within the bounds that its documentation states.',
  UNKNOWN_OPTION: 'Remove the option or correct its spelling.',
  INVALID_HANDLER: 'Pass a function, a map of functions by job name, or the path or file URL of a module that exports one.',
  INVALID_DATA: 'Data and results must be made of plain values, without cycles, functions, symbols and promises: docs/options.md lists what they may be.',
  PAYLOAD_TOO_LARGE: 'Store the content elsewhere and put a reference into the job, or raise `sizeLimit`.',
  INVALID_SCHEDULE: 'Give either a cron pattern that some date matches, or `every` in milliseconds; and a known IANA time zone.',
  SCHEMA_MISMATCH: 'Send data that satisfies the schema given for this job name.',
  // State: the job or queue is not where the caller thought.
  JOB_NOT_FOUND: 'The job was removed, or never existed in this queue.',
  WRONG_STATE: 'Read the state again; someone else moved the job meanwhile.',
  LEASE_LOST: 'Another worker holds this job now: stop working on it; its outcome was not accepted.',
  PENDING_CHILDREN: 'Wait until every child has ended, or remove the unprocessed children first.',
  PARENT_NOT_FOUND: 'Add the parent before its children.',
  JOB_LOCKED: 'A running job cannot be removed; cancel it first or wait until it has ended.',
  QUEUE_NOT_PAUSED: 'Pause the queue first, or pass `force: true`.',
  QUEUE_HAS_ACTIVE_JOBS: 'Wait until the active jobs have ended, or pass `force: true`.',
  // Life cycle.
  CLOSED: 'Create a new instance; this one has been closed.',
  ALREADY_RUNNING: 'Call `run()` once.',
  TIMEOUT: 'Allow more time or find out what the call is waiting for.',
  // Redis.
  REDIS_UNAVAILABLE: 'Check that Redis runs and that its address, credentials and TLS settings are right. Nothing was written.',
  OUTCOME_UNKNOWN: 'The call was sent and no answer came: it may or may not have happened. Repeat it with the same job id, or look.',
  REDIS_READ_ONLY: 'This server is a replica. Connect to the primary, through Sentinel or Cluster if there is one.',
  REDIS_OUT_OF_MEMORY: 'Redis has reached `maxmemory`. Give it more, or shorten retention.',
  REDIS_NOT_PERSISTING: 'Redis refuses writes because it cannot save to disk (MISCONF). Look at its log and disk.',
  REDIS_BUSY: 'Another script blocks Redis. Find it with SLOWLOG; SCRIPT KILL ends it.',
  NOT_CONFIRMED: 'Redis holds it, but not as durably as asked for. Repeat the call with the same job id to have it confirmed; look at the replicas or the disk.',
  DURABILITY_UNAVAILABLE: 'This server cannot confirm what `durability` asks for; docs/durability.md says what each mode needs. Nothing was written.',
  REDIS_DENIED: 'The Redis user may not do this. docs/redis-layout.md lists the permissions each role needs.',
  UNSUPPORTED_SERVER: 'Use Redis 6.2 or later, or Valkey 7.2 or later.',
  UNSAFE_EVICTION: 'Set `maxmemory-policy noeviction`: any other policy lets Redis delete jobs.',
  CORRUPT_DATA: 'Something other than Drover wrote to the queue’s keys. The entry was set aside and is named in the message.',
  INTERNAL: 'This is a fault in Drover; please report it with the message and stack.',
} as const;

/** A stable, machine-readable name of what went wrong: one of the keys of the catalogue. */
export type ErrorCode = keyof typeof catalogue;

/** What an error says beyond its code. */
export interface ErrorDetail {
  /** The option, argument or path the error is about, e.g. `backoff.delay` or `data.user.avatar`. */
  field?: string;
  /** What exactly went wrong, in one sentence. */
  message: string;
  /** What to do about it. Default: the catalogue's advice for the code. */
  hint?: string;
  /** The message stays without the hint, because software written for BullMQ compares it as a whole. Default false. */
  bare?: boolean;
  cause?: unknown;
}

/** The base class of every error that Drover throws on purpose. */
export class DroverError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly hint: string;

  constructor(code: ErrorCode, detail: ErrorDetail) {
    const hint = detail.hint ?? catalogue[code];
    super(detail.bare ? detail.message : `${detail.message} ${hint}`, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = new.target.name;
    this.code = code;
    this.field = detail.field;
    this.hint = hint;
  }
}

/** The caller passed something that Drover refuses; nothing was written. */
export class InvalidInputError extends DroverError {}

/** Job data does not satisfy the schema of its name. `field` is the path of the first issue, e.g. `data.user.email`. */
export class SchemaMismatchError extends InvalidInputError {
  constructor(field: string, issue: string) {
    super('SCHEMA_MISMATCH', { field, message: `${field}: ${/[.!?]$/.test(issue) ? issue : `${issue}.`}` });
  }
}

/** The job or queue is not in the state that the call needs. */
export class StateError extends DroverError {}

/** The caller's lease on a job has passed to someone else; the transition was refused. */
export class LeaseLostError extends StateError {
  constructor(jobId: string, attempted: string) {
    super('LEASE_LOST', { field: 'job', message: `Missing lock for job ${jobId}: could not ${attempted}.` });
  }
}

/** A parent cannot complete while it has children to wait for. */
export class PendingChildrenError extends StateError {
  constructor(jobId: string) {
    super('PENDING_CHILDREN', { field: 'job', message: `Job ${jobId} has pending dependencies.` });
  }
}

/** Redis could not be reached, or refused the call. `outcomeKnown` says whether the call certainly had no effect. */
export class RedisError extends DroverError {
  /** True when the call certainly did not happen; false when it may have. */
  readonly outcomeKnown: boolean;

  constructor(code: ErrorCode, detail: ErrorDetail) {
    super(code, detail);
    this.outcomeKnown = code !== 'OUTCOME_UNKNOWN';
  }
}

/** How a call that was carried out was confirmed too little. */
export interface Shortfall {
  readonly confirmed: number;
  readonly wanted: number;
  /** Who should have confirmed it. */
  readonly by: 'replicas' | 'disk';
  readonly timeoutMs: number;
  /** Why the server could not be asked, if so. */
  readonly cause: Error | undefined;
}

/**
 * Redis has carried the call out, but fewer than wanted have confirmed it in time. The jobs stay, and work goes on with
 * them; the same call with the same ids is safe, and confirms them.
 */
export class DurabilityError extends DroverError {
  /** The primary has answered that it holds the jobs, or their outcomes. */
  readonly stored = true;
  /** The jobs that the call was about. */
  readonly jobIds: readonly string[];
  /** How many replicas have confirmed it; 0 or 1 where the primary's disk was asked for. */
  readonly confirmed: number;
  readonly wanted: number;

  /** @internal */
  readonly shortfall: Shortfall;

  constructor(jobIds: readonly string[], shortfall: Shortfall) {
    const { confirmed, wanted, by, timeoutMs, cause } = shortfall;
    const what = jobIds.length === 1 ? `Job ${jobIds[0]} is` : `${jobIds.length} jobs are`;
    const how = by === 'disk' ? 'Redis did not say that it is on disk' : `${confirmed} of ${wanted} replicas confirmed it`;
    const why = cause ? `: ${cause.message.replace(/\.$/, '')}` : '';
    super('NOT_CONFIRMED', { message: `${what} stored, but ${how} within ${timeoutMs} ms${why}.`, cause });
    this.jobIds = jobIds;
    this.confirmed = confirmed;
    this.wanted = wanted;
    this.shortfall = shortfall;
  }

  /** The first of `jobIds`. */
  get jobId(): string {
    return this.jobIds[0] ?? '';
  }
}

/** A call or a wait took longer than its deadline. */
export class TimeoutError extends DroverError {
  constructor(message: string, detail: Omit<ErrorDetail, 'message'> = {}) {
    super('TIMEOUT', { ...detail, message });
  }
}

/** What the messages of {@link ConnectionClosedError}s begin with, as in BullMQ and ioredis. */
export const CONNECTION_CLOSED_ERROR_MSG = 'Connection is closed.';

/** A call came after the connection was closed. What breaks on the way is a {@link RedisError}. */
export class ConnectionClosedError extends DroverError {
  constructor(message = CONNECTION_CLOSED_ERROR_MSG, cause?: unknown) {
    super('CLOSED', { message, cause });
  }
}

/** The queue, worker or connection was closed. */
export class ClosedError extends ConnectionClosedError {
  constructor(what: string) {
    super(`${CONNECTION_CLOSED_ERROR_MSG} This ${what} has been closed.`);
  }
}
