import { setTimeout as pause } from 'node:timers/promises';
import { controlSignal, UnrecoverableError } from '../core/control-errors.js';
import { PendingChildrenError, TimeoutError } from '../core/errors.js';
import type { Job } from '../queue/job.js';
import { applyFailure } from '../queue/read-job.js';
import { completion, failure, givenBack, postponed, type EndingOf, type EndingTerms, type FailedEnding } from '../queue/endings.js';
import { asError } from '../queue/as-error.js';
import type { Ended } from './exchange.js';
import type { HeldJob } from './held-job.js';
import type { Undertaker } from './undertaker.js';

/**
 * After how many ms a job that still has children to wait for asks once more to complete. Its handler may have heard of a
 * child's end by an event, before the letter from the child's queue has come.
 */
const lettersMs = [10, 50, 200, 700];

/** What processes a job. `signal` fires when the work is no longer wanted; it is given to handlers that name it. */
export type Handler = (job: Job, token?: string, signal?: AbortSignal) => unknown;

/** What the worker announces of a job, once Redis has accepted it. */
export interface Announcements {
  active(job: Job): void;
  completed(job: Job, result: unknown): void;
  failed(job: Job, error: Error): void;
  /** Redis has answered: the job is no longer this worker's. */
  settled(held: HeldJob): void;
  /** The outcome was refused: someone else holds the job. */
  lost(held: HeldJob): void;
  /** What can only be a mistake in the handler or in Drover. */
  error(error: Error): void;
}

/**
 * Runs handlers and turns whatever happens into an outcome: a result, an error, a control error, a deadline, an
 * interruption. Nothing that a handler does leaves this class as an exception.
 */
export class Executor {
  readonly #handler: Handler;
  readonly #terms: EndingTerms;
  readonly #say: Announcements;
  readonly #wantsSignal: boolean;
  readonly #finish: (held: HeldJob, ended: Ended | undefined) => void;
  readonly #undertaker: Undertaker | undefined;

  constructor(handler: Handler, wantsSignal: boolean, terms: EndingTerms, say: Announcements, finish: (held: HeldJob, ended: Ended | undefined) => void, undertaker?: Undertaker) {
    this.#handler = handler;
    this.#undertaker = undertaker;
    this.#terms = terms;
    this.#say = say;
    this.#finish = finish;
    this.#wantsSignal = wantsSignal;
  }

  run(held: HeldJob): void {
    const { job } = held;
    this.#say.active(job);
    const { timeout } = job.opts;
    const finishOnce = timeout === undefined ? undefined : this.#deadline(held, timeout);
    let result: unknown;
    let later: Promise<unknown> | undefined;
    try {
      if (job.deferredFailure) throw new UnrecoverableError(job.deferredFailure);
      result = this.#handler(job, job.token, this.#wantsSignal ? held.signal : undefined);
      // A thenable of another make may settle twice, or throw: a promise around it does neither.
      later = result instanceof Promise ? result : isThenable(result) ? Promise.resolve(result) : undefined;
    } catch (error) {
      this.#failed(held, error, finishOnce);
      return;
    }
    if (later) {
      later.then(
        (value: unknown) => this.#completed(held, value, finishOnce),
        (error: unknown) => this.#failed(held, error, finishOnce),
      );
    } else {
      this.#completed(held, result, finishOnce);
    }
  }

  #completed(held: HeldJob, result: unknown, first: (() => boolean) | undefined): void {
    if (first && !first()) return;
    if (held.state !== 'running') return this.#finish(held, undefined);
    let ending: EndingOf;
    try {
      ending = completion(held.job, result, this.#terms);
    } catch (error) {
      return this.#failed(held, error, undefined);
    }
    this.#finish(held, this.#ended(held, ending, (now) => {
      held.job.attemptsMade += 1;
      held.job.finishedOn = now;
      held.job.returnvalue = result;
      this.#say.completed(held.job, result);
    }));
  }

  #failed(held: HeldJob, thrown: unknown, first: (() => boolean) | undefined): void {
    if (first && !first()) return;
    if (held.state !== 'running') return this.#finish(held, undefined);
    const error = asError(thrown);
    if (held.stopCause === 'shutdown') return this.#finish(held, this.#ended(held, givenBack, () => undefined));
    const signal = controlSignal(error);
    if (signal === 'delayed' || signal === 'waiting' || signal === 'rate-limit' || signal === 'waiting-children') {
      return this.#finish(held, this.#ended(held, postponed(-1), () => undefined));
    }
    failure(held.job, error, this.#terms).then(
      (ending) => {
        if (held.state !== 'running') return this.#finish(held, undefined);
        const ended = this.#failedEnd(held, ending, error);
        if (ending.death && this.#undertaker) this.#undertaker.bury(held, ending.death, ended, this.#finish);
        else this.#finish(held, ended);
      },
      (mistake: unknown) => {
        this.#say.error(mistake as Error);
        this.#finish(held, undefined);
      },
    );
  }

  /** The handler went well, but the job has children to wait for: the attempt fails, unless a letter arrives that was on its way. */
  async #unready(held: HeldJob, again: () => Ended, tries: number): Promise<Ended | undefined> {
    const waitMs = lettersMs[tries];
    if (waitMs !== undefined) {
      await pause(waitMs);
      return again();
    }
    const error = new PendingChildrenError(held.id);
    try {
      return this.#failedEnd(held, await failure(held.job, error, this.#terms), error);
    } catch (mistake) {
      this.#say.error(mistake as Error);
      return undefined;
    }
  }

  #failedEnd(held: HeldJob, ending: FailedEnding, error: Error): Ended {
    return this.#ended(held, ending, (now) => {
      const { job } = held;
      applyFailure(job, error);
      if (ending.death) job.finishedOn = now;
      this.#say.failed(job, error);
    });
  }

  #ended(held: HeldJob, ending: EndingOf, accepted: (now: number) => void, tries = 0): Ended {
    return {
      id: held.id,
      lease: held.lease,
      ending: ending.ending,
      parent: held.parent,
      bytes: ending.bytes,
      payload: ending.payload,
      keep: ending.keep,
      retryInMs: ending.retryInMs,
      settled: (taken, now) => {
        held.state = 'released';
        this.#say.settled(held);
        if (taken) accepted(now);
        else this.#say.lost(held);
      },
      unconfirmed: () => {
        held.state = 'released';
        this.#say.settled(held);
      },
      unready: () => this.#unready(held, () => this.#ended(held, ending, accepted, tries + 1), tries),
    };
  }

  /** When the deadline passes first, the attempt fails and the handler is told; what it does later does not count. */
  #deadline(held: HeldJob, timeoutMs: number): () => boolean {
    let over = false;
    const timer = setTimeout(() => {
      const error = new TimeoutError(`Job ${held.id} ran longer than its timeout of ${timeoutMs} ms.`, { field: 'timeout' });
      held.stop('deadline', error);
      this.#failed(held, error, once);
    }, timeoutMs);
    const once = (): boolean => {
      if (over) return false;
      over = true;
      clearTimeout(timer);
      return true;
    };
    return once;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
