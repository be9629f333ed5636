import type { Request } from './request-head.js';
import type { Treatment } from './rules.js';

/** A request whose reply has not ended yet, and what is to happen to that reply. */
export interface Pending {
  readonly request: Request;
  readonly treatment: Treatment;
  /** The reply, where the proxy answers itself because the request never went to the server. */
  readonly answer?: Buffer;
  /** From its turn on, what Redis sends no longer answers requests one by one. */
  readonly endsPairs?: boolean;
}

const subscriptions = new Set(['subscribe', 'psubscribe', 'ssubscribe', 'unsubscribe', 'punsubscribe', 'sunsubscribe']);
const deliveries = new Set(['message', 'pmessage', 'smessage']);

/**
 * The requests of a connection in the order in which their replies will come.
 *
 * Subscriptions are the exception: each of their channels is confirmed by a message of its own, which in RESP3 is
 * a push between the replies, and in RESP2 looks like a reply.
 */
export class PendingReplies {
  readonly #queue: (Pending | undefined)[] = [];
  #first = 0;
  #confirmed = 0;
  #hasSubscribed = false;

  get size(): number {
    return this.#queue.length - this.#first;
  }

  get head(): Pending | undefined {
    return this.#queue[this.#first];
  }

  add(pending: Pending): void {
    if (subscriptions.has(pending.request.command)) this.#hasSubscribed = true;
    this.#queue.push(pending);
  }

  shift(): void {
    this.#queue[this.#first] = undefined;
    this.#first += 1;
    this.#confirmed = 0;
    if (this.#first > 1_024 && this.#first * 2 > this.#queue.length) {
      this.#queue.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** True if a list of RESP2 may be a message rather than a reply, so that its first word has to be read. */
  get mayCarryMessages(): boolean {
    return this.#hasSubscribed;
  }

  /** Takes note of a message; `word` is its first element. Returns false if it is an ordinary reply after all. */
  message(word: string): boolean {
    if (deliveries.has(word)) return true;
    if (!subscriptions.has(word)) return false;
    if (this.head?.request.command === word) {
      this.#confirmed += 1;
      // Without arguments, as many come as there are channels: the next reply ends them.
      if (this.#confirmed === this.head.request.argumentCount) this.shift();
    }
    return true;
  }

  /** The request to which an ordinary reply belongs that begins now. */
  beginReply(): Pending | undefined {
    while (this.head && this.#confirmed > 0 && subscriptions.has(this.head.request.command)) this.shift();
    return this.head;
  }
}
