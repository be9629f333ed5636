import { clientName, QUEUE_EVENT_SUFFIX } from '../redis/client-name.js';
import { MAX_DELAY_MS } from '../core/backoff.js';
import { checkId, checkValue, flag, wholeNumber, type Check } from '../core/check.js';
import { StateError } from '../core/errors.js';
import { provideFinishWaiter, type AddedJob, type FinishWaiter, type WaitOptions } from '../queue/finish-waiter.js';
import { JobStore } from '../queue/job-store.js';
import { baseChecks, QueueBase, type QueueBaseOptions } from '../queue/queue-base.js';
import type { ConnectionOptions } from '../redis/options.js';
import { decodeEntry, type DecodedEvent, type StreamEntry } from './decode.js';
import { EndWatch } from './end-watch.js';
import { eventId, eventPosition } from './event-id.js';
import type { QueueEventsListener } from './event-types.js';
import { StreamReader } from './stream-reader.js';

export interface QueueEventsOptions<Connected = ConnectionOptions> extends QueueBaseOptions<Connected> {
  /** Begin to read when created. Default true; otherwise call `run()`. */
  autorun?: boolean;
  /**
   * Read the events after this one: an id that a listener was given, `0` for everything the stream still has, or `$`
   * for what comes from now on. Default `$`.
   */
  lastEventId?: string;
  /** How long one read waits for events, in ms. More than 5,000 counts as 5,000. Default 10,000. */
  blockingTimeout?: number;
}

const checks: Record<string, Check> = {
  ...baseChecks,
  autorun: flag,
  lastEventId: eventPosition,
  blockingTimeout: wholeNumber(1, MAX_DELAY_MS, 'milliseconds'),
};

const waitChecks = wholeNumber(0, MAX_DELAY_MS, 'milliseconds');

/** How many events listeners get before other work of the process has its turn. */
const eventsPerTurn = 1_000;

type KeyOf<T> = Extract<keyof T, string>;
type ParametersOf<T> = T extends (...args: infer Args) => void ? Args : never;
type AnyListener = (...args: unknown[]) => void;

/**
 * Tells what happens to the jobs of a queue, on whatever worker, from the queue's event stream.
 *
 * Events come in the order of the stream, each at most once, and go on where they were after a lost connection;
 * `gap` says when some may have been missed. A listener that throws is reported as `error` and hurts no other.
 */
export class QueueEvents<ResultType = any> extends QueueBase implements FinishWaiter { // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's default
  declare readonly opts: QueueEventsOptions;
  readonly #reader: StreamReader;
  readonly #ends: EndWatch;
  #running: Promise<void> | undefined;

  /** Throws InvalidInputError. */
  constructor(name: string, opts: QueueEventsOptions) {
    super(name, opts, checks);
    this.#reader = new StreamReader(this.connection, this.keys, {
      from: opts.lastEventId ?? '$',
      blockMs: opts.blockingTimeout ?? 10_000,
      clientName: clientName(this.keys, QUEUE_EVENT_SUFFIX),
    }, {
      entries: (entries, heard) => this.#announceAll(entries, heard),
      gap: (gap) => {
        this.logger.warn({ queue: this.name, ...gap }, 'events may have been missed');
        this.emitSafely('gap', gap);
        this.#ends.recheck();
      },
      resumed: () => this.#ends.recheck(),
      failed: (error) => this.report(error),
    });
    this.#ends = new EndWatch(new JobStore(this.connection, this.keys), () => this.#reading());
    if (opts.autorun ?? true) this.run().catch((error: unknown) => this.report(error as Error));
  }

  /** Reads events until closed; resolves then. Only needed with `autorun: false`. Rejects ALREADY_RUNNING. */
  async run(): Promise<void> {
    this.assertOpen();
    if (this.#running) throw new StateError('ALREADY_RUNNING', { message: 'Queue Events is already running.' });
    this.#running = this.#reader.run();
    await this.#running;
  }

  /**
   * Resolves once the stream is being read: nothing that happens from then on is missed.
   * With `autorun: false` and before `run()`, resolves once Redis answers. Rejects as every `waitUntilReady` does.
   */
  override async waitUntilReady(): Promise<void> {
    await super.waitUntilReady();
    if (this.#running) await this.#reader.ready();
  }

  /**
   * Waits for the end of a job of this queue and resolves with its result, as it was: also false, 0, '' and null.
   *
   * A job that is removed when it ends is found as long as the event stream holds its end. Begins to read if need be.
   *
   * @throws Error with the job's `failedReason`; TimeoutError; JOB_NOT_FOUND when the job is gone and no end is
   *   known; CLOSED; the signal's reason.
   */
  async waitFor(jobId: string, opts: WaitOptions = {}): Promise<unknown> {
    checkId(jobId, 'jobId');
    checkWait(opts);
    this.assertOpen();
    return this.#ends.waitFor(jobId, opts);
  }

  /**
   * Calls `add` and waits for the end of the job that it resolves with. An end that comes before `add` has returned
   * is not missed. When the wait is given up the job stays.
   *
   * @throws what `add` and {@link waitFor} do.
   */
  async waitForAdded(add: () => Promise<AddedJob>, opts: WaitOptions = {}): Promise<unknown> {
    checkWait(opts);
    this.assertOpen();
    return this.#ends.waitForAdded(add, opts);
  }

  override on<L extends object = QueueEventsListener<ResultType>, E extends KeyOf<L> = KeyOf<L>>(event: E, listener: L[E]): this {
    return super.on(event, listener as AnyListener);
  }

  override once<L extends object = QueueEventsListener<ResultType>, E extends KeyOf<L> = KeyOf<L>>(event: E, listener: L[E]): this {
    return super.once(event, listener as AnyListener);
  }

  override off<L extends object = QueueEventsListener<ResultType>, E extends KeyOf<L> = KeyOf<L>>(event: E, listener: L[E]): this {
    return super.off(event, listener as AnyListener);
  }

  override emit<L extends object = QueueEventsListener<ResultType>, E extends KeyOf<L> = KeyOf<L>>(event: E, ...args: ParametersOf<L[E]>): boolean {
    return super.emit(event, ...(args as unknown[]));
  }

  protected override async shutdown(): Promise<void> {
    this.#reader.close();
    this.#ends.close();
  }

  async #reading(): Promise<void> {
    if (!this.#running) this.run().catch((error: unknown) => this.report(error as Error));
    await this.#reader.ready();
  }

  /** `heard`: how many events of the first entry are over already. */
  async #announceAll(entries: StreamEntry[], heard: number): Promise<void> {
    let turn = 0;
    for (const [k, entry] of entries.entries()) {
      const events = this.#decode(entry);
      for (let i = k === 0 ? heard : 0; i < events.length; i++) {
        const event = events[i];
        if (this.closing || !event) return;
        this.#announce(event, eventId(entry.id, i, events.length));
        if (++turn % eventsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  /** An entry that cannot be read is reported and passed over. */
  #decode(entry: StreamEntry): DecodedEvent[] {
    try {
      return decodeEntry(entry);
    } catch (error) {
      this.report(error as Error);
      this.#ends.recheck();
      return [];
    }
  }

  #announce(event: DecodedEvent, id: string): void {
    this.#ends.saw(event);
    if (event.event === 'drained' && !event.custom) {
      this.emitSafely('drained', id);
      return;
    }
    this.emitSafely(event.event, event.args, id);
    const { jobId } = event.args as { jobId?: unknown };
    if (typeof jobId === 'string') this.emitSafely(`${event.event}:${jobId}`, event.args, id);
  }
}

function checkWait({ timeoutMs, signal }: WaitOptions): void {
  if (timeoutMs !== undefined) checkValue(timeoutMs, waitChecks, 'timeout');
  if (signal !== undefined) checkValue(signal, (value) => (value instanceof AbortSignal ? undefined : 'an AbortSignal'), 'signal');
}

provideFinishWaiter((name, { connection, prefix, logger, skipVersionCheck }, failed) =>
  new QueueEvents(name, {
    connection,
    ...(prefix !== undefined && { prefix }),
    ...(logger && { logger }),
    ...(skipVersionCheck !== undefined && { skipVersionCheck }),
  }).on('error', failed));
