import { DurabilityError, type Shortfall } from '../core/errors.js';
import type { JobStore } from '../queue/job-store.js';
import type { Connection } from '../redis/connection.js';
import { QueueKeys } from '../redis/keys.js';
import { list, text } from '../redis/script.js';
import { mostTransferred, transfer, type TransferItem } from '../redis/scripts/transfer.js';
import type { DeathRecord } from '../queue/endings.js';
import type { Ended } from './exchange.js';
import type { HeldJob } from './held-job.js';

/**
 * Moves dead letters to a queue of their own, each in one transition: the job leaves this queue and enters the other
 * in the same script, with its data and its whole attempt history.
 */
export class Undertaker {
  readonly #jobs: JobStore;
  readonly #confirming: Connection;
  readonly #target: QueueKeys;
  readonly #failed: (error: Error) => void;

  /** @param confirming the connection by which held jobs are moved. */
  constructor(jobs: JobStore, confirming: Connection, queue: string, failed: (error: Error) => void) {
    this.#jobs = jobs;
    this.#confirming = confirming;
    this.#target = new QueueKeys(jobs.keys.prefix, queue);
    this.#failed = failed;
  }

  /** Buries a job that this worker holds. When that is not possible it stays here, in `failed`. */
  bury(held: HeldJob, death: DeathRecord, ended: Ended, finish: (held: HeldJob, ended: Ended | undefined) => void): void {
    // Its lease goes with it: who looks for the lease meanwhile must not take that for a loss.
    held.state = 'ended';
    this.#transfer([{ id: held.id, lease: held.lease, ...death }]).then(
      ({ moved: [moved], shortfall }) => {
        if (moved && shortfall) this.#complain(ended, new DurabilityError([held.id], shortfall));
        else ended.settled(moved ?? false, Math.round(this.#jobs.connection.now));
        finish(held, undefined);
      },
      (error: unknown) => {
        this.#failed(error as Error);
        held.state = 'running';
        finish(held, ended);
      },
    );
  }

  /** Buries what died while nobody held it, e.g. stalled jobs: everything in `failed`. */
  async collect(): Promise<void> {
    const { connection, keys } = this.#jobs;
    for (let moved = mostTransferred; moved === mostTransferred;) {
      const found = list(await connection.command('zrange', [keys.key('failed'), 0, mostTransferred - 1], 'list dead letters')).map(text);
      if (found.length === 0) return;
      const outcomes = await this.#transfer(found.map((id) => ({ id, lease: '', attemptsMade: 0 })));
      moved = outcomes.moved.filter(Boolean).length;
    }
  }

  #complain(ended: Ended, error: DurabilityError): void {
    this.#failed(error);
    ended.unconfirmed?.(error);
  }

  async #transfer(items: TransferItem[]): Promise<{ moved: boolean[]; shortfall: Shortfall | undefined }> {
    const { keys, courier } = this.#jobs;
    const reply = await this.#confirming.run(transfer, keys, { prefix: keys.prefix, queue: keys.queue, target: this.#target, items, direction: 'bury' });
    courier.deliver(reply.letters).catch(this.#failed);
    return { moved: reply.moved, shortfall: this.#confirming.shortfallOf(reply) };
  }
}
