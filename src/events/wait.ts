import { TimeoutError } from '../core/errors.js';
import type { WaitOptions } from '../queue/finish-waiter.js';
import { notFound } from '../queue/job-store.js';
import type { JobEnd } from './find-ends.js';

const firstReadMs = 2_000;
const longestReadMs = 30_000;

/** One caller who waits for the end of one job. It is over exactly once. */
export class Wait {
  readonly done: Promise<unknown>;
  /** Empty until the job has been added. */
  jobId = '';
  /** Whether an end that is announced now is that of this job, and not of an earlier one of the same id. */
  isArmed = true;
  isOver = false;
  /** When the job's state is read again even if nothing happens, by `performance.now()`. */
  nextReadAt = 0;
  #readEveryMs = firstReadMs;
  readonly #opts: WaitOptions;
  readonly #over: (wait: Wait) => void;
  #resolve: (value: unknown) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(opts: WaitOptions, over: (wait: Wait) => void) {
    this.#opts = opts;
    this.#over = over;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.postpone();
    if (opts.timeoutMs) this.#timer = setTimeout(this.#onTimeout, opts.timeoutMs);
    if (opts.signal?.aborted) this.#onAbort();
    else opts.signal?.addEventListener('abort', this.#onAbort);
  }

  /** Passes the end of the job on: its result or the reason of its failure. */
  end(end: JobEnd): void {
    if (end.ended === 'completed') this.#finish(() => this.#resolve(end.value));
    else this.fail(new Error(end.reason));
  }

  /** The job is gone and nobody knows how it ended. */
  missing(): void {
    this.fail(notFound(this.jobId, 'wait for the end of'));
  }

  fail(error: unknown): void {
    this.#finish(() => this.#reject(error));
  }

  /** Reads are repeated in growing steps, 2 to 30 s: they only matter when events are lost or switched off. */
  postpone(): void {
    this.nextReadAt = performance.now() + this.#readEveryMs;
    this.#readEveryMs = Math.min(this.#readEveryMs * 2, longestReadMs);
  }

  #finish(settle: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.#timer);
    this.#opts.signal?.removeEventListener('abort', this.#onAbort);
    this.#over(this);
    settle();
  }

  readonly #onAbort = (): void => this.fail(this.#opts.signal?.reason);

  readonly #onTimeout = (): void => {
    this.fail(new TimeoutError(
      `Job wait timed out before finishing, no finish notification arrived after ${this.#opts.timeoutMs}ms (id=${this.jobId || 'not added yet'}).`,
      { field: 'timeout', hint: 'The job itself goes on. Allow more time, or see whether a worker runs.' },
    ));
  };
}
