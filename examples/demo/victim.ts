import { setTimeout as sleep } from 'node:timers/promises';
import { emailQueue } from '../email/queue.js';
import type { MailServer } from '../email/worker.js';
import { Child } from './child.js';
import { jobsOf } from './records.js';
import type { Tidings } from './second-worker.js';

/** It is killed when it has so many jobs in hand, or after so long. */
const busyJobs = 5;
const patienceMs = 1_000;

/** The second process with an e-mail worker: what it has in hand, its end, and the fate of its jobs. */
export class Victim {
  static readonly worker = 'second-process';
  /** The ids of the jobs that it had begun and not finished when it was killed. */
  readonly orphans = new Set<string>();
  readonly #child: Child;
  readonly #inHand = new Set<string>();
  readonly #takenOver = new Set<string>();
  #killedAt = NaN;

  constructor({ host, port }: MailServer) {
    this.#child = new Child('./second-worker.ts', [host, String(port), Victim.worker]);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async ready(): Promise<void> {
    await this.#child.message<Tidings>();
    this.#child.listen<Tidings>((tidings) => {
      if (tidings === 'ready') return;
      if ('started' in tidings) this.#inHand.add(tidings.started);
      else this.#inHand.delete(tidings.settled);
    });
  }

  /** SIGKILL in the middle of its work: nothing is closed, nothing is given back. */
  async kill(): Promise<void> {
    for (let ms = 0; ms < patienceMs && this.#inHand.size < busyJobs; ms++) await sleep(1);
    await this.#child.kill('SIGKILL');
    this.#killedAt = Date.now();
    // What it had written to its sockets may still be on its way. Its leases last longer than that.
    await sleep(50);
    for (const { id, processedBy } of await jobsOf(emailQueue, 'active')) {
      if (this.#inHand.has(id) || processedBy === Victim.worker) this.orphans.add(id);
    }
  }

  /** To be told of every job that another worker begins: how long after the kill it was, once it is the last orphan. */
  begunElsewhere(id: string): number | undefined {
    if (!this.orphans.has(id) || this.#takenOver.has(id)) return undefined;
    return this.#takenOver.add(id).size === this.orphans.size ? Date.now() - this.#killedAt : undefined;
  }

  async end(): Promise<void> {
    await this.#child.kill('SIGKILL');
  }
}
