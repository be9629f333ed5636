import type { RepeatStrategy } from '../core/strategies.js';
import type { JobStore } from '../queue/job-store.js';
import { list, text } from '../redis/script.js';
import { promote } from '../redis/scripts/promote.js';
import { mostRecovered, recover, type RecoveredJob } from '../redis/scripts/recover.js';
import { sweep } from '../redis/scripts/sweep.js';
import { forgetOrphans } from '../queue/books.js';
import { Alarm } from './alarm.js';
import { fireDueSchedules, type FiringTerms } from './fire.js';
import { deliverLeftovers } from './leftover-letters.js';
import { Reconciler } from './reconciler.js';

export interface SchedulerOptions {
  jobs: JobStore;
  maxStalledCount: number;
  /** The longest time between two looks for stalled jobs. */
  stalledIntervalMs: number;
  leaseMs: number;
  skipStalledCheck: boolean;
  keepFailed: number;
  /** Ages at which finished jobs are swept, -1 for never. */
  completedAgeMs: number;
  failedAgeMs: number;
  /** Around every look for stalled jobs, which answers those that were found. */
  recovering: (recover: () => Promise<readonly RecoveredJob[]>) => Promise<void>;
  stalled: (job: RecoveredJob) => void;
  failed: (error: Error) => void;
  retryDelayMs: number;
  /** What says the next time of schedules with a pattern, if not the cron dialect. */
  repeatStrategy?: RepeatStrategy | undefined;
}

const step = 1000;
/** At least this often a worker asks which lease runs out next: it may be that of a worker which is gone. */
const roundEveryMs = 30_000;
const sweepEveryMs = 5 * 60_000;
const sessionAgeMs = 24 * 60 * 60_000;
/** How often a queue that has flows is looked at for letters and books that a crash left behind. */
const flowsEveryMs = 5_000;
const reconcileEveryMs = 30_000;
/** A younger letter is probably being delivered by whoever wrote it. */
const youngLetterMs = 2_000;
/** Past a due time, so that Redis's clock has certainly reached it. */
const marginMs = 2;

/**
 * What has to happen by itself: due jobs move, schedules fire, stalled jobs are taken back, old ones are forgotten, and
 * what a crash left undone between children and parents is done.
 * Runs in every worker, without a leader: each script can be repeated, and only one caller makes the difference.
 *
 * It sleeps until the next thing is due, as far as replies have told, and asks once in a while for the next lease to end.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #due: Alarm;
  readonly #leases: Alarm;
  readonly #sweep: Alarm;
  readonly #mail: Alarm;
  readonly #books: Alarm;
  readonly #reconciler: Reconciler;
  readonly #firing: FiringTerms;
  #hasFlows = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    const { failed, retryDelayMs } = options;
    const alarm = (work: () => Promise<void>): Alarm => new Alarm(work, failed, retryDelayMs);
    this.#due = alarm(() => this.#moveDue());
    this.#leases = alarm(() => options.recovering(() => this.#recoverStalled()));
    this.#sweep = alarm(() => this.#forgetOld());
    this.#mail = alarm(() => this.#deliverLeftovers(youngLetterMs));
    this.#books = alarm(() => this.#reconcile());
    this.#reconciler = new Reconciler(options.jobs);
    this.#firing = { failed, strategy: options.repeatStrategy, misread: new Map() };
  }

  start(): void {
    this.#due.in(0);
    if (!this.#options.skipStalledCheck) this.#leases.in(0);
    this.#sweep.in(this.#sweepDelay() * Math.random());
  }

  /** Ends all timers; resolves when nothing is under way. */
  async stop(): Promise<void> {
    await Promise.all([this.#due.stop(), this.#leases.stop(), this.#sweep.stop(), this.#mail.stop(), this.#books.stop()]);
  }

  /** A delayed job or a schedule is due at this time of Redis's clock; 0 for none. */
  noteDue(at: number): void {
    if (at > 0) this.#due.in(this.#delayUntil(at));
  }

  /** A lease runs out at this time of Redis's clock; 0 for none. */
  noteExpiry(at: number): void {
    if (at > 0 && !this.#options.skipStalledCheck) this.#leases.in(this.#delayUntil(at));
  }

  /** A finished job is to be forgotten after this many ms; sweeping keeps up with the shortest. */
  noteAge(ageMs: number): void {
    if (ageMs > 0 && ageMs < sweepEveryMs) this.#sweep.in(Math.max(1_000, ageMs));
  }

  /** The queue has parents or children: from now on it is looked after. Costs nothing where there are none. */
  noteFlows(): void {
    if (this.#hasFlows) return;
    this.#hasFlows = true;
    // What lies there from before this worker is nobody's any more.
    this.#deliverLeftovers(0).catch((error: unknown) => this.#options.failed(error as Error));
    this.#mail.in(flowsEveryMs);
    this.#books.in(reconcileEveryMs * Math.random());
  }

  async #deliverLeftovers(minAgeMs: number): Promise<void> {
    const { jobs, failed } = this.#options;
    await deliverLeftovers(jobs, minAgeMs, failed);
    await forgetOrphans(jobs);
    this.#mail.in(flowsEveryMs);
  }

  async #reconcile(): Promise<void> {
    await this.#reconciler.step();
    this.#books.in(reconcileEveryMs);
  }

  async #moveDue(): Promise<void> {
    const { jobs } = this.#options;
    const { count, dueAt } = await jobs.connection.run(promote, jobs.keys, { limit: step, everything: false });
    if (count === step) return this.#due.in(0);
    const nextSlot = await fireDueSchedules(jobs, this.#firing);
    this.noteDue(dueAt);
    this.noteDue(nextSlot);
  }

  async #recoverStalled(): Promise<readonly RecoveredJob[]> {
    const { jobs, maxStalledCount, keepFailed, stalledIntervalMs, leaseMs } = this.#options;
    const reply = await jobs.connection.run(recover, jobs.keys, { maxStalledCount, limit: mostRecovered, keepFailed, leaseMs });
    for (const job of reply.jobs) this.#options.stalled(job);
    jobs.courier.deliver(reply.letters).catch((error: unknown) => this.#options.failed(error as Error));
    this.#leases.in(reply.jobs.length === mostRecovered ? 0 : Math.min(stalledIntervalMs, leaseMs, roundEveryMs));
    if (reply.jobs.length < mostRecovered) this.noteExpiry(reply.expiresAt);
    return reply.jobs;
  }

  async #forgetOld(): Promise<void> {
    const { jobs, completedAgeMs, failedAgeMs } = this.#options;
    const { more } = await jobs.connection.run(sweep, jobs.keys, { completedAgeMs, failedAgeMs, limit: step, sessionAgeMs });
    this.#sweep.in(more ? 0 : this.#sweepDelay());
    this.noteAge(await this.#nextAge());
  }

  /** In how many ms the first of the jobs with a rule of their own is to be forgotten; 0 for none. */
  async #nextAge(): Promise<number> {
    const { connection, keys } = this.#options.jobs;
    const [, score] = list(await connection.command('zrange', [keys.key('expire'), 0, 0, 'WITHSCORES'], 'read retention')).flat();
    const at = score === undefined ? NaN : Number(text(score));
    return Number.isFinite(at) ? Math.max(1, at - connection.now) : 0;
  }

  /** Often enough that a job outlives its age by at most half of it, and at most five minutes. */
  #sweepDelay(): number {
    const ages = [this.#options.completedAgeMs, this.#options.failedAgeMs].filter((age) => age >= 0);
    return Math.min(sweepEveryMs, ...ages.map((age) => Math.max(1_000, age / 2)));
  }

  #delayUntil(at: number): number {
    return Math.max(0, at - this.#options.jobs.connection.now) + marginMs;
  }
}

