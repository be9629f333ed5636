import { LeaseLostError } from '../core/errors.js';
import type { JobFacts, ParentRef } from '../core/job-record.js';
import type { Job } from '../queue/job.js';

/** Why a handler was told to stop. */
export type StopCause = 'lease lost' | 'cancelled' | 'deadline' | 'shutdown';

/**
 * A job that this worker holds, from the take until Redis has accepted its outcome.
 *
 * Its life: buffered → running → ended; or `released` from any of these, after which nothing it does counts.
 */
export class HeldJob {
  readonly job: Job;
  readonly id: string;
  readonly lease: string;
  readonly suspect: boolean;
  readonly parent: ParentRef | undefined;
  /** Failures up to then are past, by Redis's clock in ms: it was put back since. */
  readonly redrivenAt: number;
  state: 'buffered' | 'running' | 'ended' | 'released' = 'buffered';
  /** When it was last known to be leased: local clock, ms. */
  renewedAt: number;
  /** Redis knows that it has started. */
  confirmed = false;
  /** When its handler began: local clock, ms. */
  startedAt = 0;
  stopCause: StopCause | undefined;
  #controller: AbortController | undefined;
  #reason: unknown;

  constructor(job: Job, lease: string, { suspect, redrivenAt, parent }: Pick<JobFacts, 'suspect' | 'redrivenAt' | 'parent'>, takenAt: number) {
    this.job = job;
    this.id = job.id;
    this.lease = lease;
    this.suspect = suspect;
    this.parent = parent;
    this.redrivenAt = redrivenAt;
    this.renewedAt = takenAt;
  }

  /** Fires when the handler should stop. Made on demand: most handlers never look. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.stopCause && !this.#controller.signal.aborted) this.#controller.abort(this.#reason);
    return this.#controller.signal;
  }

  /** Tells the handler to stop, once. */
  stop(cause: StopCause, reason: unknown): void {
    if (this.stopCause) return;
    this.stopCause = cause;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  loseLease(): void {
    this.state = 'released';
    this.stop('lease lost', new LeaseLostError(this.id, 'go on working on it'));
  }
}
