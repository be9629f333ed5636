import { ClosedError, InvalidInputError } from '../core/errors.js';
import { ChildPool } from './child-pool.js';
import { handlerFile } from './handler-file.js';
import { forkLink, threadLink, type LinkListener } from './link.js';
import type { SandboxedOptions, SandboxJobHost } from './sandboxed-job.js';
import type { RestoreError } from './thrown.js';

export { ChildExitError } from './exit-error.js';
export type { ErrorFields, RestoreError } from './thrown.js';
export type * from './sandboxed-job.js';

/** Times are in ms; `Infinity` switches a limit off. */
export interface SandboxOptions extends SandboxedOptions {
  /** How many children may exist at once, at least 1. Jobs beyond wait for one. */
  maxChildren: number;
  /** After how many jobs a child is replaced, against slow leaks; at least 1. Default: Infinity. */
  maxJobsPerChild?: number;
  /** How long an idle child is kept. Default: 300,000. */
  idleTimeoutMs?: number;
  /** How long a handler may go on after its signal has fired, before its child is killed. Default: 5,000. */
  killGraceMs?: number;
  /** How long a child may take to start and load the handler. Default: 60,000. */
  startTimeoutMs?: number;
  /** How long `close()` waits for running jobs before it kills their children. Default: 30,000. */
  closeTimeoutMs?: number;
  /** Gives errors that come from a child their class back. */
  restoreError?: RestoreError;
}

/**
 * Runs jobs with the handler that a module exports, each in a child process or worker thread of its own. A child
 * serves one job at a time and is used again only while it is healthy: after a crash, a breach of the protocol or a
 * cancellation that it ignored it is killed.
 */
export class Sandbox {
  readonly #pool: ChildPool;
  readonly #closeTimeoutMs: number;
  #closed = false;

  /**
   * Throws an InvalidInputError: INVALID_HANDLER when `file` is no existing module file, INVALID_OPTION when an option
   * is out of bounds.
   */
  constructor(file: string | URL, options: SandboxOptions) {
    this.#closeTimeoutMs = duration('closeTimeoutMs', options.closeTimeoutMs, 30_000);
    this.#pool = new ChildPool({
      file: handlerFile(file),
      open: opener(options),
      maxChildren: count('maxChildren', options.maxChildren),
      maxJobsPerChild: options.maxJobsPerChild === undefined ? Infinity : count('maxJobsPerChild', options.maxJobsPerChild),
      idleTimeoutMs: duration('idleTimeoutMs', options.idleTimeoutMs, 300_000),
      killGraceMs: duration('killGraceMs', options.killGraceMs, 5_000),
      startTimeoutMs: duration('startTimeoutMs', options.startTimeoutMs, 60_000),
      restoreError: options.restoreError,
    });
  }

  /** How many children exist now: starting, idle, busy and ending. */
  get children(): number {
    return this.#pool.size;
  }

  /** Follows a worker whose concurrency changes. Children above the limit end with their job. */
  set maxChildren(limit: number) {
    this.#pool.maxChildren = count('maxChildren', limit);
  }

  /**
   * Runs the handler on `job` and settles as it does. When `signal` fires, the handler's own signal fires with the same
   * reason; a job that still waits for a child rejects with the reason at once.
   *
   * Rejects with the handler's error; with a ChildExitError when the child ended or had to be killed; with an
   * InvalidInputError INVALID_HANDLER when the module cannot be loaded; with a ClosedError after `close()`.
   */
  async run(job: SandboxJobHost, token: string | undefined, signal: AbortSignal): Promise<unknown> {
    if (this.#closed) throw new ClosedError('sandbox');
    const child = await this.#pool.take(signal);
    try {
      signal.throwIfAborted();
      return await child.perform({ job, token, signal });
    } finally {
      this.#pool.giveBack(child);
    }
  }

  /**
   * Takes no more jobs, waits for the running ones (`closeTimeoutMs` at most) and ends every child. With `force` the
   * running ones are killed at once, also when an earlier `close()` still waits. Never rejects.
   */
  async close(force = false): Promise<void> {
    this.#closed = true;
    await this.#pool.close(this.#closeTimeoutMs, force);
  }
}

function opener(options: SandboxOptions) {
  const { useWorkerThreads = false, workerForkOptions = {}, workerThreadsOptions = {} } = options;
  if (useWorkerThreads) return (listener: LinkListener) => threadLink(workerThreadsOptions, listener);
  const { stdio } = workerForkOptions;
  if (Array.isArray(stdio) && !stdio.includes('ipc')) {
    throw invalid('workerForkOptions.stdio', "must include 'ipc': parent and child talk through it");
  }
  return (listener: LinkListener) => forkLink(workerForkOptions, listener);
}

function count(field: string, value: number): number {
  if (value === Infinity || (Number.isSafeInteger(value) && value >= 1)) return value;
  throw invalid(field, `must be an integer of at least 1, not ${String(value)}`);
}

/** The longest time that a timer of Node's can wait. */
const longestMs = 2 ** 31 - 1;

function duration(field: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (value === Infinity || (Number.isFinite(value) && value >= 0 && value <= longestMs)) return value;
  throw invalid(field, `must be a number of ms from 0 to ${longestMs}, or Infinity, not ${String(value)}`);
}

function invalid(field: string, problem: string): InvalidInputError {
  return new InvalidInputError('INVALID_OPTION', { field, message: `${field} ${problem}.` });
}
