import type { SettleReply } from '../redis/scripts/settle.js';
import { announce, mostOutcomeBytes, mostOutcomes, type Ended, type Exchange, type Taken } from './exchange.js';
import type { HandedOut } from './unpack-taken.js';
import { givenBack } from '../queue/endings.js';
import type { HeldJob } from './held-job.js';
import { Prefetch } from './prefetch.js';

/** Jobs fetched ahead that have not started after this long are handed back. */
const bufferMs = 50;

/** Fewer slots than this are not worth splitting over two calls. */
const splitFrom = 8;

export interface DispatcherOptions {
  lanes: readonly Exchange[];
  concurrency: number;
  /** Starts a handler. When it has ended, `finish` is to be called. */
  start: (held: HeldJob) => void;
  /** Makes held jobs of what was taken; what cannot be read is ended right away. */
  unpack: (reply: HandedOut) => HeldJob[];
  /** A take found nothing, or less than it could. */
  exhausted: (reply: SettleReply) => void;
  /** Every reply, for those who watch the clock and the due times. */
  replied: (reply: SettleReply) => void;
  /** A call was given up because the connection was closed. */
  failed: (error: Error) => void;
}

/**
 * The heart of a worker: keeps its slots filled.
 *
 * Modes: `quiet` (settles what ends, takes nothing) ⇄ `hungry` (asks for as many jobs as there are free slots, in the
 * same calls that settle) → `idle` (the last take found nothing: only settles, until `wake`) → `hungry`.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #prefetch = new Prefetch();
  readonly held = new Map<string, HeldJob>();
  concurrency: number;
  #mode: 'quiet' | 'hungry' | 'idle' = 'quiet';
  #outbox: Ended[] = [];
  /** How many bytes its large results have. */
  #largeBytes = 0;
  #buffer: HeldJob[] = [];
  /** How many jobs could not complete, and how they end is not known yet. */
  #undecided = 0;
  #running = 0;
  #requested = 0;
  /** How many of these no lane has asked for: they are kept for jobs that are handed over. */
  #reserved = 0;
  /** The last take found less than it asked for, or was the first one after a rest: nothing says that there is more. */
  #scarce = true;
  #isFirst = true;
  #woken = false;
  #scheduled = false;
  #filling = false;
  #bufferTimer: NodeJS.Timeout | undefined;
  #whenSettled: (() => void)[] = [];
  #whenFlushed: (() => void)[] = [];

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.concurrency = options.concurrency;
  }

  get mode(): 'quiet' | 'hungry' | 'idle' {
    return this.#mode;
  }

  get running(): number {
    return this.#running;
  }

  get hasFreeSlots(): boolean {
    return this.#running + this.#buffer.length < this.concurrency;
  }

  /** A call that takes jobs is under way. */
  get isAsking(): boolean {
    return this.#requested > this.#reserved;
  }

  /** Keeps slots free for jobs that are handed over without a take; false when there are not as many. */
  reserve(count: number): boolean {
    if (this.#running + this.#buffer.length + this.#requested + count > this.concurrency) return false;
    this.#requested += count;
    this.#reserved += count;
    return true;
  }

  /** Starts what was handed out without a call of this, for which `reserved` slots were kept. */
  receive(handed: HandedOut, reserved: number): void {
    this.#accept(this.#options.unpack(handed));
    this.release(reserved);
  }

  /** Hands back what was handed out. */
  decline(handed: HandedOut): void {
    this.#giveBack(this.#options.unpack(handed));
  }

  /** Gives up reserved slots; it may have been woken for them meanwhile. */
  release(count: number): void {
    this.#requested -= count;
    this.#reserved -= count;
    this.pump();
  }

  /** Starts to take jobs, or looks again after a wait; `woken` when the marker said so. */
  wake(woken: boolean): void {
    this.#mode = 'hungry';
    this.#woken ||= woken;
    this.#isFirst = true;
    this.pump();
  }

  /** Takes nothing more, and hands back what has not started. */
  quiet(): void {
    this.#mode = 'quiet';
    this.#handBack();
  }

  /** Resolves when no handler runs and everything that ended is settled. */
  settled(): Promise<void> {
    if (this.#isSettled()) return Promise.resolve();
    return new Promise((resolve) => void this.#whenSettled.push(resolve));
  }

  /** Resolves when nothing is on its way to Redis. */
  flushed(): Promise<void> {
    if (this.#isFlushed()) return Promise.resolve();
    return new Promise((resolve) => void this.#whenFlushed.push(resolve));
  }

  /** A handler has ended; `ended` is its outcome, or undefined when it no longer counts. */
  finish(held: HeldJob, ended: Ended | undefined): void {
    this.#running--;
    this.#prefetch.ran(performance.now() - held.startedAt);
    if (ended && held.state === 'running') {
      held.state = 'ended';
      this.post(ended);
    } else {
      this.#drop(held);
      this.#schedule();
    }
    this.#fill();
  }

  /** Sends an outcome with the next call. */
  post(ended: Ended): void {
    this.#outbox.push(ended);
    if (ended.bytes !== undefined) this.#largeBytes += ended.bytes;
    this.#schedule();
  }

  #postLater(end: Promise<Ended | undefined>): void {
    this.#undecided++;
    void end.then((ended) => {
      this.#undecided--;
      if (ended) this.post(ended);
      else this.#noteSettled();
    });
  }

  /** Nothing is to be done for this job any more. */
  #drop(held: HeldJob): void {
    if (this.held.get(held.id) === held) this.held.delete(held.id);
  }

  forget(held: HeldJob): void {
    this.#drop(held);
    this.#noteSettled();
  }

  /** Calls go out after everything that happens in this turn: jobs that end together are settled together. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.pump();
    });
  }

  pump(): void {
    for (const lane of this.#options.lanes) {
      if (lane.busy) continue;
      const { wanted, prefetch } = this.#appetite();
      if (this.#outbox.length === 0 && wanted === 0) break;
      void this.#exchange(lane, this.#nextOutcomes(), wanted, prefetch);
    }
    this.#noteSettled();
  }

  /** The outcomes that the next call carries: as many as its bounds allow, in their order. */
  #nextOutcomes(): Ended[] {
    const all = this.#outbox;
    let count = Math.min(all.length, mostOutcomes);
    if (this.#largeBytes > mostOutcomeBytes) {
      let bytes = 0;
      for (count = 0; count < Math.min(all.length, mostOutcomes); count++) {
        bytes += all[count]?.bytes ?? 0;
        if (bytes > mostOutcomeBytes && count > 0) break;
      }
    }
    this.#outbox = count === all.length ? [] : all.slice(count);
    const ended = count === all.length ? all : all.slice(0, count);
    if (this.#largeBytes > 0) for (const { bytes = 0 } of ended) this.#largeBytes -= bytes;
    return ended;
  }

  /** How many jobs to ask for: free slots, and some more where handlers are shorter than a round trip. */
  #appetite(): { wanted: number; prefetch: number } {
    if (this.#mode === 'quiet' || (this.#mode === 'idle' && this.#outbox.length === 0)) return { wanted: 0, prefetch: 0 };
    // While there may be no more, looking ahead waits until there is something to settle.
    const ahead = this.#scarce && this.#outbox.length === 0 ? 0 : this.#prefetch.amount(this.concurrency);
    const target = this.concurrency + ahead;
    const taken = this.#running + this.#buffer.length + this.#requested;
    const missing = target - taken;
    // A refill is worth a call once half of what may be fetched ahead is used up.
    if (missing <= 0 || (missing * 2 < ahead && this.#outbox.length === 0)) return { wanted: 0, prefetch: 0 };
    const share = target >= splitFrom ? Math.ceil(target / this.#options.lanes.length) : target;
    const wanted = Math.min(missing, share, 1000);
    return { wanted, prefetch: wanted - Math.min(wanted, Math.max(0, this.concurrency - taken)) };
  }

  async #exchange(lane: Exchange, ended: Ended[], wanted: number, prefetch: number): Promise<void> {
    const woken = this.#woken;
    const isFirst = this.#isFirst;
    this.#woken = this.#isFirst = false;
    this.#requested += wanted;
    const startedAt = performance.now();
    let reply: Taken;
    try {
      reply = await lane.call(ended, { wanted, prefetch, woken });
    } catch (error) {
      this.#options.failed(error as Error);
      return;
    } finally {
      this.#requested -= wanted;
    }
    if (wanted > 0) this.#scarce = isFirst || reply.ids.length < wanted;
    this.#prefetch.travelled(performance.now() - startedAt);
    announce(ended, reply, (end) => this.#postLater(end));
    this.#options.replied(reply);
    this.#accept(this.#options.unpack(reply));
    if (wanted > 0 && this.#mode !== 'quiet') this.#noteSupply(reply);
    this.pump();
  }

  #accept(taken: HeldJob[]): void {
    for (const held of taken) this.held.set(held.id, held);
    this.#buffer.push(...taken);
    if (this.#mode === 'quiet') this.#handBack();
    else this.#fill();
  }

  #noteSupply(reply: SettleReply): void {
    // Woken while the call was under way: it may have been answered before there was anything to take.
    const supplied = reply.ids.length > 0 || this.#woken;
    this.#mode = supplied ? 'hungry' : 'idle';
    if (!supplied) this.#options.exhausted(reply);
  }

  /** Starts what may start. A loop, not a recursion: handlers that end at once would nest. */
  #fill(): void {
    if (this.#filling) return;
    this.#filling = true;
    let next: HeldJob | undefined;
    while (this.#running < this.concurrency && (next = this.#buffer.shift())) {
      this.#running++;
      next.startedAt = performance.now();
      next.state = 'running';
      this.#options.start(next);
    }
    this.#filling = false;
    if (this.#buffer.length > 0) this.#bufferTimer ??= setTimeout(() => this.#tooSlow(), bufferMs);
  }

  /** Jobs that were fetched ahead still wait: others may be free to run them. */
  #tooSlow(): void {
    this.#bufferTimer = undefined;
    const now = performance.now();
    if (this.#buffer.some((held) => now - held.renewedAt > bufferMs)) {
      this.#prefetch.disappoint();
      this.#handBack();
    } else if (this.#buffer.length > 0) {
      this.#bufferTimer = setTimeout(() => this.#tooSlow(), bufferMs);
    }
  }

  #handBack(): void {
    const unstarted = this.#buffer;
    this.#buffer = [];
    this.#giveBack(unstarted);
  }

  #giveBack(unstarted: readonly HeldJob[]): void {
    for (const held of unstarted) {
      held.state = 'ended';
      this.post({ id: held.id, lease: held.lease, ...givenBack, settled: () => this.forget(held) });
    }
  }

  #isFlushed(): boolean {
    return this.#outbox.length === 0 && this.#undecided === 0 && this.#reserved === 0 && this.#options.lanes.every((lane) => !lane.busy);
  }

  #isSettled(): boolean {
    return this.#running === 0 && this.#buffer.length === 0 && this.#isFlushed();
  }

  #noteSettled(): void {
    if (this.#whenFlushed.length > 0 && this.#isFlushed()) for (const resolve of this.#whenFlushed.splice(0)) resolve();
    if (this.#whenSettled.length > 0 && this.#isSettled()) for (const resolve of this.#whenSettled.splice(0)) resolve();
  }
}
