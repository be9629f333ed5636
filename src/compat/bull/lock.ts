import { Job as EngineJob, type Worker } from '../../index.js';
import { codeOf } from './errors.js';
import { asJson } from './job-options.js';
import type { Job } from './job.js';
import type { JobId } from './declarations.js';

/** What whoever holds a job can do with it: Bull's locks on the engine's leases. */
export class Lock {
  readonly #job: Job;
  #holder: Worker | undefined;

  constructor(job: Job, holder: Worker | undefined) {
    this.#job = job;
    this.#holder = holder;
  }

  async complete(result: unknown, { ignoreLock, notFetch }: { ignoreLock: boolean; notFetch: boolean }): Promise<[unknown, JobId] | null> {
    const job = this.#job;
    const held = await this.#held(ignoreLock, 'finished');
    job.applyTerms();
    await held.moveToCompleted(asJson(result, 'result'), held.token ?? '');
    job.ending = 'completed';
    job.refresh();
    return notFetch ? null : job.queue.takeNext();
  }

  async fail(info: { message: string; stack?: string } | undefined, ignoreLock: boolean): Promise<null> {
    const job = this.#job;
    const error = asError(info ?? { message: 'Unknown reason' });
    const held = await this.#held(ignoreLock, 'failed');
    job.applyTerms();
    await held.moveToFailed(error, held.token ?? '');
    job.ending = 'failed';
    job.refresh();
    return null;
  }

  async delay(timestamp: number, ignoreLock: boolean): Promise<void> {
    const held = await this.#held(ignoreLock, 'delayed');
    await held.moveToDelayed(Math.round(timestamp), held.token);
    this.#job.ending = 'given up';
    this.#holder = undefined;
  }

  async take(): Promise<number | false> {
    return (await this.extend(this.#job.queue.settings.lockDuration)) === 1 ? 1 : false;
  }

  async release(): Promise<void> {
    const { queue, id } = this.#job;
    await this.delay(Date.now() + (queue.settings.stalledInterval || queue.settings.lockDuration), false).catch((cause: unknown) => {
      throw new Error(`Could not release lock for job ${id}`, { cause });
    });
  }

  async extend(duration: number): Promise<number> {
    try {
      const held = await this.#held(false, 'extendLock');
      return await held.extendLock(held.token ?? '', duration);
    } catch (error) {
      if (error instanceof LockMissing || codeOf(error) === 'LEASE_LOST') return 0;
      throw error;
    }
  }

  /** The job as its holder knows it. With `ignoreLock` the lease of whoever holds it is used. */
  async #held(ignoreLock: boolean, command: string): Promise<EngineJob> {
    const job = this.#job;
    if (this.#holder) return job.inner;
    const found = await job.queue.engine.getJob(job.inner.id);
    if (!found) throw new Error(`Missing key for job ${job.id} ${command}`);
    if (found.lease === undefined) throw ignoreLock ? new Error(`Job ${job.id} is not in the active state. ${command}`) : new LockMissing(job.id, command);
    if (!ignoreLock && found.token !== job.queue.token) throw new LockMissing(job.id, command);
    this.#holder = job.queue.hands;
    job.adopt(adopted(found, this.#holder));
    return job.inner;
  }
}

class LockMissing extends Error {
  constructor(id: JobId, command: string) {
    super(`Missing lock for job ${id} ${command}`);
  }
}

/** A job that was read, in the hands of a worker. */
function adopted(found: EngineJob, worker: Worker): EngineJob {
  const { queueQualifiedName: _name, ...fields } = found.toJSON();
  return Object.assign(new EngineJob(worker, found.name, found.data as unknown, found.opts, found.id), fields, { lease: found.lease });
}

function asError(info: { message: string; stack?: string }): Error {
  if (info instanceof Error) return info;
  const error = new Error(info.message);
  error.stack = info.stack ?? '';
  return error;
}
