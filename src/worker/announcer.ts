import { LeaseLostError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { Job } from '../queue/job.js';
import type { RecoveredJob } from '../redis/scripts/recover.js';
import type { Ended } from './exchange.js';
import type { Announcements, Handler } from './executor.js';
import type { HeldJob } from './held-job.js';

/** What an announcer needs of its worker. */
export interface Stage {
  readonly name: string;
  readonly logger: Logger;
  listenerCount(event: string): number;
  emit(event: string, ...args: unknown[]): void;
  report(error: Error): void;
  /** The job is no longer this worker's. */
  forget(held: HeldJob): void;
}

/** Hears that a handler has ended, and with what outcome. */
export type Finish = (held: HeldJob, ended: Ended | undefined) => void;

/** Tells listeners and the log what becomes of jobs. An event without listeners costs nothing. */
export class Announcer implements Announcements {
  readonly #stage: Stage;
  /** Whether a job has ended since `drained` was last announced. */
  #sawWork = true;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** What runs in place of a handler: the handler itself, when nobody traces. */
  within(handler: Handler): Handler {
    return handler;
  }

  /** What hears of a handler's end: `finish` itself, when nobody traces. */
  upon(finish: Finish): Finish {
    return finish;
  }

  /** Around every renewal of leases. */
  renewing<T>(_jobs: readonly HeldJob[], renew: () => Promise<T>): Promise<T> {
    return renew();
  }

  /** Around every look for stalled jobs. */
  async recovering(recover: () => Promise<readonly RecoveredJob[]>): Promise<void> {
    await recover();
  }

  active(job: Job): void {
    this.#say('active', job, 'waiting');
  }

  completed(job: Job, result: unknown): void {
    this.#sawWork = true;
    this.#say('completed', job, result, 'active');
  }

  failed(job: Job | undefined, error: Error): void {
    this.#sawWork = true;
    this.#stage.logger.info({ queue: this.#stage.name, jobId: job?.id, attemptsMade: job?.attemptsMade }, 'job failed');
    this.#say('failed', job, error, 'active');
  }

  settled(held: HeldJob): void {
    this.#stage.forget(held);
  }

  lost(held: HeldJob): void {
    const known = held.stopCause === 'lease lost';
    held.loseLease();
    this.#stage.forget(held);
    if (known) return;
    this.#say('leaseLost', held.job);
    this.#stage.report(new LeaseLostError(held.id, 'settle it'));
  }

  error(error: Error): void {
    this.#stage.report(error);
  }

  stalled(id: string): void {
    this.#say('stalled', id, 'active');
  }

  renewed(ids: string[]): void {
    this.#say('locksRenewed', { count: ids.length, jobIds: ids });
  }

  renewalFailed(ids: string[], error: Error): void {
    this.#stage.report(error);
    this.#say('lockRenewalFailed', ids);
  }

  /** Nothing is left to take; said once after work was seen. */
  drained(): void {
    if (!this.#sawWork) return;
    this.#sawWork = false;
    this.#say('drained');
  }

  #say(event: string, ...args: unknown[]): void {
    if (this.#stage.listenerCount(event) > 0) this.#stage.emit(event, ...args);
  }
}
