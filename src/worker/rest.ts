import type { Connection } from '../redis/connection.js';
import { joinNeighbours, type Neighbour, type Reservation } from '../queue/neighbours.js';
import type { QueueKeys } from '../redis/keys.js';
import { whileInSight } from '../redis/lost-sight.js';
import type { RedisClient } from '../redis/options.js';
import type { Holder } from '../redis/scripts/enqueue.js';
import type { SettleReply } from '../redis/scripts/settle.js';
import type { Dispatcher } from './dispatcher.js';
import { glance } from './glance.js';
import { reserveSlots } from './reserved-slots.js';
import { TakeBehindWait } from './take-behind-wait.js';
import type { HandedOut } from './unpack-taken.js';
import { Waker } from './waker.js';

export interface RestOptions {
  connection: Connection;
  keys: QueueKeys;
  clientName: string;
  /** How long one call waits for the marker. */
  waitMs: number;
  longestLimitMs: number;
  retryDelayMs: number;
  /** Whether the worker takes jobs at all now. */
  isOpen: () => boolean;
  slots: Pick<Dispatcher, 'hasFreeSlots' | 'isAsking' | 'reserve' | 'receive' | 'release' | 'decline'>;
  holder: Holder;
  /** It may leave jobs that others could take: so what is added near it has to wake others too. */
  isLimited: boolean;
  /** Look for jobs; `woken` when the marker said that there are some. */
  look: (woken: boolean) => void;
  /** Something is due at this time of Redis's clock; 0 for nothing. */
  due: (at: number) => void;
  failed: (error: Error) => void;
}

/** How often a worker that waits glances whether there are jobs: one command, where a whole look costs ten. */
const glanceEveryMs = 8_000;

/** How long a job may be held up for the calls of its own process to be answered. */
const nearMs = 2_000;

const noTake = { taken: false, sawNothing: false };

/**
 * What an idle worker does: it waits for the marker, for the end of a limit, or for the connection, and then looks.
 *
 * The marker is only a hint, and may be lost with the very worker that took it, or with a socket that is dead without
 * anybody knowing. So the worker glances by itself whether jobs wait or something is due: nothing waits longer than the
 * glances are apart.
 */
export class Rest implements Neighbour {
  readonly #options: RestOptions;
  readonly waker: Waker;
  #timer: NodeJS.Timeout | undefined;
  #sleeping: Promise<void> | undefined;
  /** There was nothing to do since the last wait ended. */
  #tired = false;
  /** It has been told of jobs that are added in this process, and has not come to rest since. The wait for the marker goes on meanwhile. */
  #called = false;
  readonly #leaveNeighbours: (() => void) | undefined;
  readonly #take: TakeBehindWait | undefined;
  /** A take lies behind the wait, and a slot is kept for it. */
  #isTaking = false;
  /** Jobs are added in this process: it waits without a take, so that it can be given them. Until one from elsewhere ends a wait. */
  #isNear = false;
  /** How often it was asked for a job of this process. */
  #asks = 0;

  constructor(options: RestOptions) {
    this.#options = options;
    this.waker = new Waker(options.connection, options.keys.key('marker'), options.clientName);
    if (options.isLimited) return;
    this.#leaveNeighbours = joinNeighbours(options.connection, options.keys, this);
    this.#take = new TakeBehindWait({ ...options, found: (taken) => this.#receive(taken, 0) });
  }

  isFree(): boolean {
    const { isOpen, slots } = this.#options;
    this.#asks++;
    return !this.#called && !this.#isTaking && this.waker.isWaiting && isOpen() && slots.hasFreeSlots;
  }

  reserve(count: number): Reservation | undefined {
    return reserveSlots(this.#options.slots, count, this.#options.holder);
  }

  /** Its take wakes the next worker if it leaves jobs behind, as one that the marker has woken does. */
  look(): void {
    this.#called = true;
    this.#options.look(true);
  }

  /** A take found nothing, for the reason that its reply tells. If it was the last one under way, it is time to rest. */
  after(reply: SettleReply): void {
    this.#called = false;
    if (reply.waitMs > 0) this.lookIn(Math.min(reply.waitMs, this.#options.longestLimitMs));
    else if (!this.waker.isWaiting && !this.#options.slots.isAsking) {
      this.#tired = true;
      this.#sleeping ??= this.#sleep();
    }
  }

  lookIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#options.look(false), ms);
  }

  interrupt(): void {
    void this.waker.interrupt();
  }

  /** Resolves when nothing waits any more, and a marker or a job that came too late has been passed on. */
  async close(): Promise<void> {
    this.#leaveNeighbours?.();
    clearTimeout(this.#timer);
    await this.waker.close();
    await this.#sleeping;
    if (this.#take) await whileInSight(this.#options.connection, this.#take.close());
  }

  async #sleep(): Promise<void> {
    while (this.#tired && this.#options.isOpen()) {
      this.#tired = false;
      const { marked, taken } = await this.#waitForSign();
      if (!taken) await this.#rise(marked);
      else if (this.#options.slots.hasFreeSlots) this.#options.look(false);
    }
    this.#sleeping = undefined;
  }

  /** Resolves when it is time to look: `marked` when the marker says so, `taken` when a job came along. */
  async #waitForSign(): Promise<{ marked: boolean; taken: boolean }> {
    const { isOpen, connection } = this.#options;
    for (;;) {
      const glances = setInterval(() => void this.#glance(), glanceEveryMs);
      const asks = this.#asks;
      const take = this.#isNear ? undefined : this.#take;
      const { marked, taken, sawNothing } = take && this.#options.slots.reserve(1) ? await this.#waitAndTake(take) : { ...noTake, marked: await this.#wait() };
      clearInterval(glances);
      if (this.#asks > asks) this.#isNear = true;
      else if (marked) this.#isNear = false;
      if (taken || marked || !isOpen() || !connection.isReady || (!sawNothing && (await this.#seesJobs()))) return { marked, taken };
    }
  }

  #wait(follow?: (client: RedisClient) => void): Promise<boolean> {
    return this.waker.wait(this.#options.waitMs, follow);
  }

  /** Keeps the order of jobs also at a concurrency of one: while the slot is kept, no other call asks for it. */
  async #waitAndTake(take: TakeBehindWait): Promise<{ marked: boolean; taken: boolean; sawNothing: boolean }> {
    const { slots, connection } = this.#options;
    const asks = this.#asks;
    this.#isTaking = true;
    const marked = await this.#wait(take.send);
    const { taken, isTold } = await take.outcome();
    // If a job was added in this process meanwhile, whoever added it hears of that before it starts.
    if (taken && this.#asks > asks) await connection.command('ping', [], 'hear of the jobs that were added', nearMs).catch(() => undefined);
    this.#isTaking = false;
    if (taken) this.#receive(taken, 1);
    else slots.release(1);
    return { marked, taken: taken !== undefined, sawNothing: isTold && !taken };
  }

  #receive(taken: HandedOut, reserved: number): void {
    const { isOpen, slots } = this.#options;
    if (isOpen()) return slots.receive(taken, reserved);
    slots.decline(taken);
    slots.release(reserved);
  }

  /** Jobs wait, and the marker did not say so: if its connection is dead, the end of the wait finds that out. */
  async #glance(): Promise<void> {
    if (await this.#seesJobs()) this.interrupt();
  }

  /** Whether jobs wait. If Redis does not say, a look will tell. */
  async #seesJobs(): Promise<boolean> {
    const { connection, keys, due } = this.#options;
    try {
      const { jobs, dueAt } = await glance(connection, keys, glanceEveryMs / 4);
      for (const at of dueAt) due(at);
      return jobs;
    } catch {
      return true;
    }
  }

  async #rise(marked: boolean): Promise<void> {
    const { isOpen, slots, look, connection, retryDelayMs } = this.#options;
    if (marked && !(isOpen() && slots.hasFreeSlots)) await this.#passOn();
    else if (connection.isReady) look(marked);
    else this.lookIn(retryDelayMs);
  }

  /** This worker was woken but cannot take anything: another one may. */
  async #passOn(): Promise<void> {
    const { connection, keys, failed } = this.#options;
    await connection.command('zadd', [keys.key('marker'), 0, '0'], 'wake another worker').catch((error: unknown) => failed(error as Error));
  }
}
