import { setTimeout as pause } from 'node:timers/promises';
import { randomToken } from '../core/ids.js';
import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import type { RedisClient } from '../redis/options.js';
import type { Holder } from '../redis/scripts/enqueue.js';
import { takeFirst, type FirstTaken, type TakeFirstCall } from '../redis/scripts/take-first.js';
import { readList } from './taken-records.js';
import type { HandedOut } from './unpack-taken.js';

/** How long after the wait a reply may take to come. */
const lateMs = 2_000;
/** How long one question may take. */
const askMs = 2_000;

export interface TakeOptions {
  connection: Connection;
  keys: QueueKeys;
  holder: Holder;
  /** Hears of a job whose handing out was asked after. */
  found: (taken: HandedOut) => void;
  retryDelayMs: number;
}

/**
 * Takes one job in the moment in which a wait ends: the call lies behind the wait on the connection that blocks, so that
 * Redis runs it without asking the worker first.
 *
 * Calls are numbered. One whose reply is lost is asked after under its number: by the client, which sends it again when it is
 * connected anew, or else over the worker's own connection. That also keeps it from being run later.
 */
export class TakeBehindWait {
  readonly #options: TakeOptions;
  #session = '';
  #seq = 0;
  #reply: Promise<FirstTaken | undefined> | undefined;
  /** What the reply said, once it is there: mostly it comes together with the end of the wait. */
  #answer: { readonly taken: FirstTaken | undefined } | undefined;
  readonly #questions = new Set<Promise<void>>();
  readonly #end = new AbortController();

  constructor(options: TakeOptions) {
    this.#options = options;
    this.#beginSession();
  }

  /** To be called right after the wait was sent. */
  readonly send = (client: RedisClient): void => {
    const { connection, keys } = this.#options;
    this.#seq++;
    const reply = connection.runOn(client, takeFirst, keys, this.#call(false), this.#call(true));
    this.#reply = reply;
    reply.then((taken) => {
      if (reply === this.#reply) this.#answer = { taken };
    }, () => undefined); // It is asked for when the wait has ended.
  };

  /** Once the wait has ended: what was taken, and whether Redis has told that. If not, it is asked, and `found` may hear more. */
  async outcome(): Promise<{ taken: HandedOut | undefined; isTold: boolean }> {
    const reply = this.#reply;
    const answer = this.#answer ?? (reply && (await inTime(reply)));
    this.#reply = this.#answer = undefined;
    if (reply && !answer) this.#askAfter();
    return { taken: answer?.taken && handedOut(answer.taken), isTold: answer !== undefined };
  }

  /** Lets the questions under way end, and asks no more. What was taken and not told runs again when its lease has run out. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#questions);
  }

  #beginSession(): void {
    this.#session = `${this.#options.holder.worker}~${randomToken(8)}`;
    this.#seq = 0;
  }

  /** The session of a call whose outcome is unknown is for nothing but this question. */
  #askAfter(): void {
    const question = this.#ask(this.#call(true)).finally(() => this.#questions.delete(question));
    this.#questions.add(question);
    this.#beginSession();
  }

  async #ask(call: TakeFirstCall): Promise<void> {
    const { connection, keys, found, retryDelayMs } = this.#options;
    const { signal } = this.#end;
    for (;;) {
      try {
        const taken = await connection.run(takeFirst, keys, call, askMs);
        if (taken) found(handedOut(taken));
        return;
      } catch {
        if (signal.aborted) return;
        // Those calls of the worker that matter more tell of what is wrong.
        await pause(retryDelayMs, undefined, { ref: false, signal }).catch(() => undefined);
      }
    }
  }

  #call(asked: boolean): TakeFirstCall {
    return { session: this.#session, seq: this.#seq, leaseMs: this.#options.holder.leaseMs, asked };
  }
}

function handedOut({ lease, id, record, facts }: FirstTaken): HandedOut {
  return { lease, ids: [id], jobs: readList([id], [record ?? null]), states: [facts], missing: [] };
}

/** What a reply says; undefined when it is late, for its socket may be dead without anybody knowing, or is none. */
async function inTime<Reply>(reply: Promise<Reply>): Promise<{ taken: Reply } | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), lateMs);
  });
  const answered = reply.then((taken) => ({ taken }), () => undefined);
  return Promise.race([answered, late]).finally(() => clearTimeout(timer));
}
