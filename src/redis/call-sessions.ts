import { randomToken } from '../core/ids.js';

/** A session of calls that are made once: it has one call under way at a time and numbers its calls. */
export interface CallSession {
  readonly id: string;
  seq: number;
}

/** The sessions of a connection, as many as calls were ever under way at once. */
export class CallSessions {
  readonly #idle: CallSession[] = [];

  /** A session for the next call; to be given back once that call is answered, and else never used again. */
  borrow(): CallSession {
    const session = this.#idle.pop() ?? { id: `c${randomToken(14)}`, seq: 0 };
    session.seq += 1;
    return session;
  }

  giveBack(session: CallSession): void {
    this.#idle.push(session);
  }
}
