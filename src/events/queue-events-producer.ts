import { checkJobName, checkValue, plainObject, wholeNumber } from '../core/check.js';
import { pack } from '../core/codec.js';
import { InvalidInputError, RedisError } from '../core/errors.js';
import { randomToken } from '../core/ids.js';
import { checkSize } from '../core/job-options.js';
import { baseChecks, QueueBase, type QueueBaseOptions } from '../queue/queue-base.js';
import type { ConnectionOptions } from '../redis/options.js';
import { publishEvents } from '../redis/scripts/publish-events.js';

export type QueueEventsProducerOptions<Connected = ConnectionOptions> = QueueBaseOptions<Connected>;

interface Publication {
  packed: Buffer;
  maxEvents: number | undefined;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Names that QueueEvents keeps for what it says itself. */
const reserved = ['error', 'gap', 'ioredis:close'];
const mostEvents = 1_000;
const mostBytes = 1 << 20;
const mostBuffered = 100_000;

/**
 * Publishes events of your own to every QueueEvents of a queue: each once, even when a reply of Redis is lost, and in
 * the order of the calls. Events of one tick, and those that come while a call is under way, travel together.
 */
export class QueueEventsProducer extends QueueBase {
  #session = newSession();
  #seq = 0;
  #waiting: Publication[] = [];
  #flushing: Promise<void> | undefined;

  /** Throws InvalidInputError. */
  constructor(name: string, opts: QueueEventsProducerOptions) {
    super(name, opts, baseChecks);
  }

  /**
   * Publishes an event: listeners of `eventName` get the other fields, as they were. Resolves once Redis holds it.
   *
   * @param maxEvents about how many events the stream keeps. Default: what the queue is set to, 10,000 if nothing is.
   * @throws InvalidInputError before anything is written; RedisError.
   */
  async publishEvent<T extends { eventName: string }>(argsObj: T, maxEvents?: number): Promise<void> {
    this.assertOpen();
    const packed = packEvent(argsObj);
    if (maxEvents !== undefined) checkValue(maxEvents, wholeNumber(0, 2 ** 31, 'events'), 'maxEvents');
    if (this.#waiting.length >= mostBuffered) {
      throw new RedisError('REDIS_UNAVAILABLE', { message: `${mostBuffered} events already wait for Redis in this process.` });
    }
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ packed, maxEvents, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  protected override async shutdown(): Promise<void> {
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#send(this.#cut());
    this.#flushing = undefined;
  }

  /** The next call's share: what belongs together, within bounds. */
  #cut(): Publication[] {
    const maxEvents = this.#waiting[0]?.maxEvents;
    let bytes = 0;
    let end = this.#waiting.findIndex((publication, i) => {
      bytes += publication.packed.length;
      return i > 0 && (i >= mostEvents || bytes > mostBytes || publication.maxEvents !== maxEvents);
    });
    if (end < 0) end = this.#waiting.length;
    return this.#waiting.splice(0, end);
  }

  async #send(batch: Publication[]): Promise<void> {
    try {
      await this.connection.run(publishEvents, this.keys, {
        session: this.#session,
        seq: ++this.#seq,
        count: batch.length,
        custom: Buffer.concat(batch.map((publication) => publication.packed)),
        maxEvents: batch[0]?.maxEvents,
      });
      for (const publication of batch) publication.resolve();
    } catch (error) {
      // The outcome may be unknown: this session must not be used for another call.
      this.#session = newSession();
      this.#seq = 0;
      for (const publication of batch) publication.reject(error as Error);
    }
  }
}

function newSession(): string {
  return `e${randomToken(14)}`;
}

function packEvent(argsObj: { eventName: string }): Buffer {
  checkValue(argsObj, plainObject, 'event');
  const { eventName, ...args } = argsObj;
  checkJobName(eventName, 'eventName');
  if (reserved.includes(eventName)) {
    throw new InvalidInputError('INVALID_NAME', {
      field: 'eventName', message: `eventName is "${eventName}".`, hint: 'QueueEvents uses this name itself; choose another.',
    });
  }
  const packed = pack([eventName, args], 'event');
  checkSize(packed.length, undefined, 'event');
  return packed;
}
