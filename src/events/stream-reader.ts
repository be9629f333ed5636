import { ClosedError } from '../core/errors.js';
import { asRedisError } from '../redis/failure.js';
import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import type { RedisClient } from '../redis/options.js';
import { inspectEvents } from '../redis/scripts/inspect-events.js';
import type { StreamEntry } from './decode.js';
import { list } from '../redis/script.js';
import { beginning, compareEventIds, entryOf } from './event-id.js';
import type { Gap } from './event-types.js';

/** How much longer than it should a blocking read may take before its socket is given up as half-open. */
const graceMs = 2_000;
/** The longest single read, so that a dead connection is found in time whatever the user asked for. */
const longestBlockMs = 5_000;
/** How many entries one read answers. No more than a stream always keeps: see `lua/shared/publish.lua`. */
const pageSize = 100;

export interface StreamReaderOptions {
  /** `$` or the id of an event: what comes after it is read. */
  from: string;
  blockMs: number;
  /** The client's name in `CLIENT LIST`. */
  clientName: string;
}

/** What the reader tells. None of these may throw. */
export interface StreamListener {
  /** `heard`: how many events of the first entry are over already. */
  entries(entries: StreamEntry[], heard: number): Promise<void>;
  /** Entries may have been missed. */
  gap(gap: Gap): void;
  /** The reader goes on after the connection was lost. */
  resumed(): void;
  failed(error: Error): void;
}

/**
 * Reads the event stream of a queue from one position on, for as long as it is open.
 *
 * 1. Turns `$` into an id before anything else: whatever is added once the reader is ready will be read.
 * 2. Blocks on a client of its own, in reads short enough that a dead socket is found in seven seconds.
 * 3. After any fault looks where the stream is, says when there is a gap, and goes on by id.
 */
export class StreamReader {
  readonly #connection: Connection;
  readonly #keys: QueueKeys;
  readonly #options: StreamReaderOptions;
  readonly #listener: StreamListener;
  #client: RedisClient | undefined;
  #position: string;
  /** How many events of the entry at this position were heard, when there are more. */
  #heard: number;
  /** The position at which a gap was told already. */
  #gapAt: string | undefined;
  #mustVerify = false;
  #faults = 0;
  #closed = false;
  #interrupt: (() => void) | undefined;
  #awaitingReady: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(connection: Connection, keys: QueueKeys, options: StreamReaderOptions, listener: StreamListener) {
    this.#connection = connection;
    this.#keys = keys;
    this.#options = options;
    this.#listener = listener;
    ({ entryId: this.#position, heard: this.#heard } = entryOf(options.from));
    connection.on('close', this.#onLost);
  }

  /** The id of the last entry that was read, or `$`. */
  get position(): string {
    return this.#position;
  }

  /** Resolves once everything that is added from now on will be read. Rejects with what keeps the reader from it. */
  ready(): Promise<void> {
    if (this.#closed) return Promise.reject(new ClosedError('queue events'));
    if (this.#position !== '$') return Promise.resolve();
    return new Promise((resolve, reject) => this.#awaitingReady.push({ resolve, reject }));
  }

  /** Reads until the reader is closed. Never rejects. */
  async run(): Promise<void> {
    this.#mustVerify = this.#position !== '$';
    while (!this.#closed) {
      try {
        if (await this.#step()) this.#faults = 0;
        else await this.#recover(undefined);
      } catch (error) {
        await this.#recover(asRedisError(error, `read the events of queue ${this.#keys.queue}`));
      }
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.off('close', this.#onLost);
    this.#leaveWaiting(new ClosedError('queue events'));
    this.#interrupt?.();
    this.#drop();
  }

  /** One read and what it brings; false when the connection was lost meanwhile. */
  async #step(): Promise<boolean> {
    if (this.#position === '$') await this.#findEnd();
    if (this.#mustVerify) await this.#verify();
    if (this.#heard > 0) await this.#readRest();
    const before = this.#position;
    const entries = await this.#read();
    if (!entries || this.#closed) return false;
    if (entries.length === 0 || entries.length >= pageSize) await this.#lookForGap(before);
    const last = entries.at(-1);
    if (!last) return true;
    this.#position = last.id;
    await this.#listener.entries(entries, 0);
    return true;
  }

  /** What the entry at this position still holds. When it is gone, that was told as a gap. */
  async #readRest(): Promise<void> {
    const raw = await this.#connection.command('xrevrange', [this.#keys.key('events'), this.#position, this.#position], 'read events');
    const heard = this.#heard;
    this.#heard = 0;
    if (!this.#closed) await this.#listener.entries(entriesOf(list(raw) as [Buffer, Buffer[]][]), heard);
  }

  async #findEnd(): Promise<void> {
    const { lastId } = await this.#connection.run(inspectEvents, this.#keys, {});
    this.#position = lastId;
    const waiting = this.#awaitingReady;
    this.#awaitingReady = [];
    for (const { resolve } of waiting) resolve();
  }

  async #verify(): Promise<void> {
    await this.#lookForGap(this.#position);
    this.#mustVerify = false;
    if (!this.#closed && this.#faults > 0) this.#listener.resumed();
  }

  /**
   * Entries leave a stream the oldest first, so none after `id` is gone while one up to `id` is there. When the one
   * with that id is the only one gone, a gap is told all the same.
   */
  async #lookForGap(id: string): Promise<void> {
    const { lastId, firstId } = await this.#connection.run(inspectEvents, this.#keys, {});
    if (this.#closed || id === beginning) return;
    const end = compareEventIds(lastId, id);
    if (end < 0) this.#position = lastId;
    const isTrimmed = end > 0 && (firstId === undefined || compareEventIds(firstId, id) > 0);
    if (end >= 0 && (!isTrimmed || this.#gapAt === id)) return;
    this.#gapAt = id;
    this.#listener.gap({ lastEventId: id, reason: isTrimmed ? 'trimmed' : 'rewound' });
  }

  /** The next entries after the position, none when none came in time, undefined when the connection was lost. */
  async #read(): Promise<StreamEntry[] | undefined> {
    const client = (this.#client ??= this.#open());
    const blockMs = Math.min(this.#options.blockMs, longestBlockMs);
    const lost = new Promise<'lost'>((resolve) => {
      this.#interrupt = () => resolve('lost');
    });
    const late = setTimeout(this.#onLost, blockMs + graceMs);
    const reply = client.xreadBuffer('COUNT', pageSize, 'BLOCK', blockMs, 'STREAMS', this.#keys.key('events'), this.#position);
    // Dropping the client rejects the read that nobody waits for any more.
    reply.catch(() => undefined);
    try {
      const answer = await Promise.race([reply, lost]);
      return answer === 'lost' ? undefined : entriesOf(answer?.[0]?.[1] ?? []);
    } finally {
      clearTimeout(late);
      this.#interrupt = undefined;
    }
  }

  #open(): RedisClient {
    const client = this.#connection.openBlocking(this.#options.clientName);
    client.on('close', this.#onLost);
    return client;
  }

  /** Starts anew after a moment: the position says where to go on. */
  async #recover(error: Error | undefined): Promise<void> {
    this.#drop();
    if (this.#closed) return;
    if (error) {
      this.#listener.failed(error);
      this.#leaveWaiting(error);
    }
    this.#mustVerify = this.#position !== '$';
    this.#faults++;
    await this.#pause(Math.min(25 * 2 ** this.#faults, 1_000));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #leaveWaiting(error: Error): void {
    const waiting = this.#awaitingReady;
    this.#awaitingReady = [];
    for (const { reject } of waiting) reject(error);
  }

  /** A blocked client cannot be called back, so it is dropped; the next read opens another. */
  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    if (!client) return;
    client.off('close', this.#onLost);
    client.removeAllListeners('error');
    client.on('error', () => undefined);
    client.disconnect();
  }

  /** When the shared connection is lost, the blocking one probably is too. */
  readonly #onLost = (): void => this.#interrupt?.();
}

function entriesOf(items: [id: Buffer, fields: Buffer[]][]): StreamEntry[] {
  return items.map(([id, fields]) => ({ id: id.toString('latin1'), fields }));
}
