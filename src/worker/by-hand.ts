import { controlSignal } from '../core/control-errors.js';
import { ClosedError, InvalidInputError, LeaseLostError, PendingChildrenError } from '../core/errors.js';
import type { Job, JobHolder } from '../queue/job.js';
import type { JobStore } from '../queue/job-store.js';
import type { Dispatcher } from './dispatcher.js';
import type { EndingOf, EndingTerms } from '../queue/endings.js';
import { Hands } from '../queue/hands.js';
import type { Exchange, Taken } from './exchange.js';
import type { HeldJob } from './held-job.js';
import type { PreparedHandler } from './processor.js';
import { recall, wasTried } from './recall.js';
import { waitForChildren } from './wait-for-children.js';

/** What taking by hand needs of its worker. */
export interface Workbench {
  readonly jobs: JobStore;
  readonly terms: EndingTerms;
  readonly dispatcher: Dispatcher;
  readonly handler: PreparedHandler | undefined;
  newExchange(): Exchange;
  unpack(reply: Taken): HeldJob[];
  /** Lets Redis know that a job has started; false when its lease is lost. */
  confirm(held: HeldJob): Promise<boolean>;
  /** Waits for a sign of work; true when there was one. */
  waitForWork(ms: number): Promise<boolean>;
  isClosing(): boolean;
  isOver(): boolean;
  listenerCount(event: string): number;
  emit(event: string, ...args: unknown[]): void;
}

/** Jobs that are taken, run and ended one by one: `getNextJob` and what the job's own methods ask for. */
export class ByHand extends Hands implements JobHolder {
  readonly takes = true;
  readonly #worker: Workbench;
  readonly #exchanges: Exchange[] = [];

  constructor(worker: Workbench) {
    super(worker);
    this.#worker = worker;
  }

  async next(token: string, waitMs: number): Promise<Job | undefined> {
    const deadline = performance.now() + waitMs;
    for (let woken = false; ;) {
      const reply = await this.#idleExchange().call([], { wanted: 1, token, woken });
      const [held] = this.#worker.unpack(reply);
      if (held) {
        if (!(await this.#begin(held))) continue;
        if (wasTried(held.job)) await recall(this.#worker.jobs, held, (error) => this.#worker.emit('error', error));
        return held.job;
      }
      const left = deadline - performance.now();
      if (left <= 0 || this.#worker.isClosing()) return undefined;
      woken = await this.#worker.waitForWork(Math.min(left, reply.waitMs > 0 ? reply.waitMs : left));
      // Closing ends the wait, and with it the connection, unless a queue of this process shares it.
      if (this.#worker.isClosing()) return undefined;
    }
  }

  /**
   * Whoever is given a job has begun it: if he disappears, it has stalled. The note is on its way before anything he sends;
   * that of a suspect arrives first, for someone took it before and disappeared at once. False when the lease is lost.
   */
  async #begin(held: HeldJob): Promise<boolean> {
    const noted = this.#worker.confirm(held);
    if (held.suspect) return noted;
    noted.catch((error: unknown) => this.#worker.isOver() || this.#worker.emit('error', error));
    return true;
  }

  /** Runs the worker's handler on a job that was taken by hand, and ends it as the handler says. */
  async process(job: Job, token: string): Promise<void> {
    const { handler } = this.#worker;
    if (!handler) throw new InvalidInputError('INVALID_HANDLER', { field: 'processor', message: 'This worker has no processor to run.' });
    let result: unknown;
    try {
      result = await handler.run(job, token, handler.wantsSignal ? new AbortController().signal : undefined);
    } catch (thrown) {
      const signal = controlSignal(thrown);
      if (signal === undefined || signal === 'unrecoverable') await this.fail(job, thrown, token);
      else if (signal === 'rate-limit') await this.giveBack(job, 0, token);
      return;
    }
    await this.complete(job, result, token);
  }

  /** Pushes back the deadlines of these leases; answers the ids whose leases are lost. */
  async extend(ids: string[], tokens: string[], durationMs: number): Promise<string[]> {
    const { jobs } = this.#worker;
    const leases = new Map((await jobs.fetch(ids)).map((job) => [job.id, job.lease]));
    const held = await Promise.all(ids.map((id, i) => {
      const lease = leases.get(id);
      return lease?.startsWith(`${tokens[i] ?? ''}|`) ? jobs.renew(id, lease, durationMs) : Promise.resolve(false);
    }));
    return ids.filter((_, i) => !held[i]);
  }

  async leaseOf(job: Job, token: string | undefined): Promise<string> {
    return job.leaseOf(token);
  }

  awaitChildren(job: Job, token: string, child: string | undefined): Promise<boolean> {
    return waitForChildren(this.#worker.jobs, job, this.#worker.dispatcher.held.get(job.id), { token, child });
  }

  progressed(job: Job, progress: unknown): void {
    if (this.#worker.listenerCount('progress') > 0) this.#worker.emit('progress', job, progress);
  }

  /** A session for taking. Each call needs one of its own, but sessions that are free again are used again. */
  #idleExchange(): Exchange {
    const free = this.#exchanges.find((exchange) => !exchange.busy);
    if (free) return free;
    const exchange = this.#worker.newExchange();
    this.#exchanges.push(exchange);
    return exchange;
  }

  protected override tell(event: 'completed' | 'failed', ...args: unknown[]): void {
    this.#worker.emit(event, ...args);
  }

  protected async settle(job: Job, ending: EndingOf, lease: string, doing: string): Promise<void> {
    const { dispatcher } = this.#worker;
    if (this.#worker.isOver()) throw new ClosedError('worker');
    const held = dispatcher.held.get(job.id);
    const accepted = await new Promise<boolean>((resolve, reject) => {
      const unready = async (): Promise<undefined> => {
        reject(new PendingChildrenError(job.id));
        return undefined;
      };
      dispatcher.post({ id: job.id, lease, ...ending, settled: resolve, unconfirmed: reject, unready });
    });
    if (!accepted) throw new LeaseLostError(job.id, doing);
    if (held) held.state = 'released';
  }
}
