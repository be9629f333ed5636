import { ScriptPacker } from '../core/script-packer.js';
import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import { renew } from '../redis/scripts/renew.js';
import type { HeldJob } from './held-job.js';

/** How soon Redis learns that a job has started which does not end at once. */
const confirmAfterMs = 100;
const mostLeases = 1000;

export interface LeaseKeeperOptions {
  connection: Connection;
  keys: QueueKeys;
  leaseMs: number;
  renewEveryMs: number;
  /** Only note starts; leases are left to run out. */
  renewNothing: boolean;
  /** The jobs that are held now. */
  held: () => Iterable<HeldJob>;
  /** Around every renewal. */
  renewing: <T>(jobs: readonly HeldJob[], renew: () => Promise<T>) => Promise<T>;
  renewed: (ids: string[]) => void;
  lost: (job: HeldJob) => void;
  failed: (ids: string[], error: Error) => void;
}

/**
 * Keeps the leases of a worker's jobs alive.
 *
 * 1. A job that runs longer than 100 ms is noted as started, so that it counts as stalled if its worker disappears.
 * 2. Every lease is renewed before half of it has passed, all in one call.
 * 3. A job whose lease turns out to be lost is told so.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #packer = new ScriptPacker();
  #timer: NodeJS.Timeout | undefined;
  #renewing = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** Looks after the held jobs from now on, until there are none. */
  watch(): void {
    // Short leases need looking after more often than starts do.
    this.#timer ??= setInterval(() => void this.#tick(), Math.min(confirmAfterMs, this.#options.renewEveryMs / 2));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Notes the start of one job before it starts; false when its lease is lost. */
  async confirm(job: HeldJob): Promise<boolean> {
    const lost = await this.#renew([job]);
    return lost.length === 0;
  }

  async #tick(): Promise<void> {
    if (this.#renewing) return;
    const now = performance.now();
    const { renewEveryMs, renewNothing, failed, lost, renewing, renewed } = this.#options;
    let any = false;
    const due: HeldJob[] = [];
    for (const job of this.#options.held()) {
      any = true;
      if (job.state === 'released' || job.state === 'buffered' || due.length >= mostLeases) continue;
      const starting = job.state === 'running' && !job.confirmed && now - job.startedAt >= confirmAfterMs / 2;
      if (starting || (!renewNothing && now - job.renewedAt >= renewEveryMs)) due.push(job);
    }
    if (!any) this.stop();
    if (due.length === 0) return;
    this.#renewing = true;
    try {
      for (const job of await renewing(due, () => this.#renew(due))) lost(job);
      renewed(due.map((job) => job.id));
    } catch (error) {
      failed(due.map((job) => job.id), error as Error);
    } finally {
      this.#renewing = false;
    }
  }

  /** Renews these leases and answers the jobs that have lost theirs. */
  async #renew(jobs: HeldJob[]): Promise<HeldJob[]> {
    const packer = this.#packer.array(jobs.length * 2);
    for (const job of jobs) packer.string(job.id).string(job.lease);
    const askedAt = performance.now();
    const { connection, keys, leaseMs } = this.#options;
    const lost = new Set(await connection.run(renew, keys, { leaseMs, leases: packer.take() }, Math.max(1_000, leaseMs / 2)));
    for (const job of jobs) {
      job.confirmed = true;
      job.renewedAt = askedAt;
    }
    // A job that ended while the call was under way has given up its lease itself.
    return jobs.filter((job, i) => lost.has(i) && job.state === 'running');
  }
}
