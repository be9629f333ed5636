import { UnrecoverableError } from '../core/control-errors.js';
import { LeaseLostError } from '../core/errors.js';
import { awaitChildren } from '../redis/scripts/await-children.js';
import { asError } from './as-error.js';
import { completion, failure, postponed, type EndingOf, type EndingTerms } from './endings.js';
import type { Job } from './job.js';
import type { JobStore } from './job-store.js';
import { applyFailure } from './read-job.js';

/** What ends of jobs by hand need: where they lie, and what is kept of them. */
export interface HandTerms {
  readonly jobs: JobStore;
  readonly terms: EndingTerms;
}

/** Ends jobs one by one, as their own methods ask for. Whose word counts, and how it goes to Redis, is for who extends it. */
export abstract class Hands {
  readonly #terms: HandTerms;

  constructor(terms: HandTerms) {
    this.#terms = terms;
  }

  /** The lease under which the job is held, if `token` is its. */
  abstract leaseOf(job: Job, token: string | undefined, doing: string): Promise<string>;

  async complete(job: Job, result: unknown, token: string): Promise<void> {
    const lease = await this.leaseOf(job, token, 'complete');
    await this.settle(job, completion(job, result, this.#terms.terms), lease, 'complete it');
    job.attemptsMade += 1;
    job.finishedOn = this.#terms.jobs.connection.now;
    job.returnvalue = result;
    this.tell('completed', job, result, 'active');
  }

  async fail(job: Job, thrown: unknown, token: string): Promise<void> {
    const error = asError(thrown);
    const lease = await this.leaseOf(job, token, 'fail');
    const ending = await failure(job, error, this.#terms.terms);
    await this.settle(job, ending, lease, 'fail it');
    applyFailure(job, error);
    if (ending.death) job.finishedOn = this.#terms.jobs.connection.now;
    this.tell('failed', job, error, 'active');
  }

  async giveBack(job: Job, dueAt: number, token: string | undefined): Promise<void> {
    const lease = await this.leaseOf(job, token, 'move');
    await this.settle(job, postponed(dueAt > 0 ? dueAt : -1), lease, 'move it');
  }

  protected abstract settle(job: Job, ending: EndingOf, lease: string, doing: string): Promise<void>;

  protected tell(_event: 'completed' | 'failed', ..._args: unknown[]): void {
    // Nobody listens.
  }
}

/**
 * Lets a job wait for its children, or for one of them; false when there is nothing to wait for.
 * Throws LEASE_LOST, or UnrecoverableError when a child failed that the job is to fail with.
 */
export async function awaitChildrenOf({ connection, keys }: JobStore, id: string, { lease, child }: { lease: string; child: string | undefined }): Promise<boolean> {
  const reply = await connection.run(awaitChildren, keys, { id, lease, child });
  switch (reply.outcome) {
    case 'lease lost': throw new LeaseLostError(id, 'let it wait for its children');
    case 'failure': throw new UnrecoverableError(reply.reason);
    case 'nothing to wait for': return false;
    case 'waits': return true;
  }
}
