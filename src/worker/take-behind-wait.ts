import { randomToken } from '../core/ids.js';
import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import type { RedisClient } from '../redis/options.js';
import type { Holder } from '../redis/scripts/enqueue.js';
import { takeFirst, type FirstTaken } from '../redis/scripts/take-first.js';
import { readList } from './taken-records.js';
import type { HandedOut } from './unpack-taken.js';

/** How long after the wait a reply may take to come. */
const lateMs = 2_000;
/** How long to ask what came of a take whose reply was lost. After that its job waits until the lease has run out. */
const askMs = 2_000;

/**
 * Takes one job in the moment in which a wait ends: the call lies behind the wait on the connection that blocks, so that
 * Redis runs it without asking the worker first.
 *
 * Calls are numbered. One whose reply is lost is asked after under its number: by the client, which sends it again when it is
 * connected anew, or else over the worker's own connection. That also keeps it from being run later.
 */
export class TakeBehindWait {
  readonly #connection: Connection;
  readonly #keys: QueueKeys;
  readonly #leaseMs: number;
  readonly #session: string;
  #seq = 0;
  #reply: Promise<FirstTaken | undefined> | undefined;
  /** What the reply said, once it is there: mostly it comes together with the end of the wait. */
  #answer: { readonly taken: FirstTaken | undefined } | undefined;

  constructor(connection: Connection, keys: QueueKeys, { worker, leaseMs }: Holder) {
    this.#connection = connection;
    this.#keys = keys;
    this.#leaseMs = leaseMs;
    this.#session = `${worker}~${randomToken(8)}`;
  }

  /** To be called right after the wait was sent. */
  readonly send = (client: RedisClient): void => {
    this.#seq++;
    const reply = this.#connection.runOn(client, takeFirst, this.#keys, this.#call(false), this.#call(true));
    this.#reply = reply;
    reply.then((taken) => {
      if (reply === this.#reply) this.#answer = { taken };
    }, () => undefined); // It is asked for when the wait has ended.
  };

  /** Once the wait has ended: what was taken, and whether Redis has told that right away. */
  async outcome(): Promise<{ taken: HandedOut | undefined; isTold: boolean }> {
    const reply = this.#reply;
    const isTold = this.#answer !== undefined;
    const { taken } = this.#answer ?? { taken: reply && (await inTime(reply).catch(() => this.#ask())) };
    this.#reply = this.#answer = undefined;
    return { taken: taken && handedOut(taken), isTold };
  }

  async #ask(): Promise<FirstTaken | undefined> {
    if (!this.#connection.isReady) return undefined;
    return this.#connection.run(takeFirst, this.#keys, this.#call(true), askMs).catch(() => undefined);
  }

  #call(asked: boolean): { session: string; seq: number; leaseMs: number; asked: boolean } {
    return { session: this.#session, seq: this.#seq, leaseMs: this.#leaseMs, asked };
  }
}

function handedOut({ lease, id, record, facts }: FirstTaken): HandedOut {
  return { lease, ids: [id], jobs: readList([id], [record ?? null]), states: [facts], missing: [] };
}

/** Rejects when a reply is late: its socket may be dead without anybody knowing. */
async function inTime<Reply>(reply: Promise<Reply>): Promise<Reply> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('late')), lateMs);
  });
  return Promise.race([reply, late]).finally(() => clearTimeout(timer));
}
