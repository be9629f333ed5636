import { InvalidInputError, LeaseLostError, PendingChildrenError, StateError } from '../core/errors.js';
import { isBuiltInBackoff, normalizeBackoff } from '../core/backoff.js';
import { unpackFactsOf } from '../core/job-record.js';
import { defaultCompletedAgeMs, defaultFailedAgeMs, workerRule } from '../core/retention.js';
import { ScriptPacker } from '../core/script-packer.js';
import { CallSessions } from '../redis/call-sessions.js';
import { Ending, settle } from '../redis/scripts/settle.js';
import type { BackoffStrategy } from './bullmq-types.js';
import type { EndingOf, EndingTerms } from './endings.js';
import { awaitChildrenOf, Hands } from './hands.js';
import type { Job, JobHolder } from './job.js';
import { notFound, type JobStore } from './job-store.js';
import { packEnded } from './pack-ended.js';
import { applyFacts, applyHistory, applyLease } from './read-job.js';

/**
 * Ends jobs through handles that came from a queue, for whoever knows the token under which the job is held. What Redis
 * knows of the job is read first: the handle may be older than the lease. The script then checks that lease once more.
 */
export class QueueHolder extends Hands implements JobHolder {
  readonly takes = false;
  readonly #jobs: JobStore;
  readonly #terms: EndingTerms;
  readonly #sessions = new CallSessions();

  constructor(jobs: JobStore, strategy?: BackoffStrategy) {
    const terms: EndingTerms = {
      worker: '', completed: workerRule(undefined, defaultCompletedAgeMs), failed: workerRule(undefined, defaultFailedAgeMs),
      maxStartedAttempts: Infinity, strategy, noteAge: () => undefined,
    };
    super({ jobs, terms });
    this.#jobs = jobs;
    this.#terms = terms;
  }

  /** Brings the handle up to date. Throws JOB_NOT_FOUND, WRONG_STATE, or LEASE_LOST when the job is held under another token. */
  async leaseOf(job: Job, token: string | undefined, doing: string): Promise<string> {
    if (token === undefined) throw tokenless(job.id, doing);
    const [stored] = await this.#jobs.fetch([job.id]);
    if (!stored) throw notFound(job.id, doing);
    if (stored.lease === undefined) throw await this.#jobs.wrongState(job.id, doing, 'active');
    if (stored.lease.slice(0, stored.lease.lastIndexOf('|')) !== token) throw new LeaseLostError(job.id, `${doing} it, for it is held under another token`);
    const facts = unpackFactsOf(stored.state);
    applyFacts(job, facts);
    applyHistory(job, stored.history, facts.redrivenAt);
    applyLease(job, stored.lease);
    job.attemptsStarted += 1;
    return stored.lease;
  }

  override async fail(job: Job, thrown: unknown, token: string): Promise<void> {
    // As it is stored: the handle that `add` answered shows it as it was given.
    const backoff = normalizeBackoff(job.opts.backoff);
    if (backoff) job.opts = { ...job.opts, backoff };
    if (backoff && !this.#terms.strategy && !isBuiltInBackoff(backoff)) throw strategyless(job.id, backoff.type);
    return super.fail(job, thrown, token);
  }

  async awaitChildren(job: Job, token: string, child: string | undefined): Promise<boolean> {
    return awaitChildrenOf(this.#jobs, job.id, { lease: await this.leaseOf(job, token, 'hold back'), child });
  }

  progressed(): void {
    // Its queue tells of progress that it reports itself.
  }

  /** Takes nothing: see `takes`. */
  async next(): Promise<undefined> {
    return undefined;
  }

  protected async settle(job: Job, ending: EndingOf, lease: string, doing: string): Promise<void> {
    const { connection, keys, courier } = this.#jobs;
    const session = this.#sessions.borrow();
    const keep = ending.keep ?? -1;
    const reply = await connection.run(settle, keys, {
      session: session.id, seq: session.seq, ended: packEnded([{ ...ending, id: job.id, lease }], new ScriptPacker()),
      token: '', wanted: 0, leaseMs: 0, max: 0, durationMs: 0, prefetch: 0, woken: false,
      keepCompleted: ending.ending === Ending.failed ? -1 : keep, keepFailed: ending.ending === Ending.failed ? keep : -1,
    });
    this.#sessions.giveBack(session);
    if (reply.unready.length > 0) throw new PendingChildrenError(job.id);
    if (reply.refused.length > 0) throw new LeaseLostError(job.id, doing);
    // What is not delivered now stays in the outbox, and a worker delivers it.
    await courier.deliver(reply.letters).catch(() => undefined);
  }
}

function tokenless(id: string, doing: string): StateError {
  return new StateError('WRONG_STATE', {
    field: 'token', message: `Missing lock for job ${id}: could not ${doing} it, for this handle belongs to no worker and no token is given.`,
    hint: 'Give the token under which the job was taken, or use the job that the handler was given or that `worker.getNextJob` answered.',
  });
}

function strategyless(id: string, type: string): InvalidInputError {
  return new InvalidInputError('INVALID_OPTION', {
    field: 'settings.backoffStrategy', message: `Job ${id} has the backoff "${type}", which only a backoffStrategy can compute, and this queue has none.`,
    hint: 'Give `settings.backoffStrategy` to the queue that the handle comes from, as its workers have it.',
  });
}
