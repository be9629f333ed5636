import { integer, lineEnd } from './frame-scanner.js';
import { FrameWalker, type Frame } from './frame-walker.js';
import type { Outlet } from './outlet.js';
import type { Pending, PendingReplies } from './pending-replies.js';
import { errorReply } from './request-path.js';

export interface ReplyPathParts {
  readonly pending: PendingReplies;
  readonly outlet: Outlet;
  readonly connection: {
    sever(): void;
    /** Every request that reached Redis has been answered. */
    allAnswered(): void;
  };
}

const PUSH = 62;
const STAR = 42;
const DOLLAR = 36;

const untouched: Frame = {};
const swallowed: Frame = { take: () => undefined };

/** From Redis to the client: matches each reply to its request and forwards it as that request's treatment says. */
export class ReplyPath {
  readonly #parts: ReplyPathParts;
  readonly walker: FrameWalker;
  /** Whether the frame at hand answers a request, unlike a message between the replies. */
  #answers = false;
  #atEnd: (() => void) | undefined;

  constructor(parts: ReplyPathParts) {
    this.#parts = parts;
    this.walker = new FrameWalker({
      begin: (data, position) => this.#begin(data, position),
      end: () => this.#end(),
      send: (bytes) => parts.outlet.send(bytes),
    });
  }

  /** Sends the answers of the proxy itself that are now at the head of the line. */
  answerPending(): void {
    if (this.walker.midFrame) return;
    const { pending, outlet } = this.#parts;
    for (let head = pending.beginReply(); head?.answer; head = pending.beginReply()) {
      this.walker.flush();
      outlet.send(head.answer);
      pending.shift();
    }
    if (pending.head?.endsPairs) this.walker.goBlind();
    if (pending.size === 0) this.#parts.connection.allAnswered();
  }

  #begin(data: Buffer, position: number): Frame | undefined {
    if (lineEnd(data, position) === -1) return undefined;
    const kind = this.#kindOf(data, position);
    if (kind === undefined) return undefined;
    this.#answers = kind === 'reply';
    if (!this.#answers) return untouched;
    const pending = this.#parts.pending.beginReply();
    return pending ? this.#treat(pending) : untouched;
  }

  #end(): void {
    if (this.#answers) {
      this.#atEnd?.();
      this.#atEnd = undefined;
      this.#parts.pending.shift();
    }
    this.answerPending();
  }

  /** Whether a reply or a message begins here; undefined if too little has come to tell. */
  #kindOf(data: Buffer, position: number): 'reply' | 'message' | undefined {
    const push = data[position] === PUSH;
    const list = data[position] === STAR && this.#parts.pending.mayCarryMessages;
    if (!push && !list) return 'reply';
    const word = firstWord(data, position);
    if (word === undefined) return undefined;
    const message = this.#parts.pending.message(word);
    return message || push ? 'message' : 'reply';
  }

  #treat({ treatment }: Pending): Frame {
    const { outlet } = this.#parts;
    switch (treatment.then) {
      case 'dropReply':
        this.#sever();
        return swallowed;
      case 'cutReply':
        return this.#cutAfter(treatment.at);
      case 'delayReply':
        return { take: (bytes) => outlet.send(bytes, { delayMs: treatment.ms }) };
      case 'trickleReply':
        return { take: (bytes) => outlet.send(bytes, { trickle: treatment }) };
      case 'error':
        this.#atEnd = () => outlet.send(errorReply(treatment.error));
        return swallowed;
      default:
        return untouched;
    }
  }

  #cutAfter(bytesLeft: number): Frame {
    let left = bytesLeft;
    this.#atEnd = () => this.#sever();
    return {
      take: (bytes) => {
        this.#parts.outlet.send(bytes.subarray(0, left));
        left -= bytes.length;
        if (left <= 0) this.#sever();
      },
    };
  }

  #sever(): void {
    this.walker.flush();
    this.walker.discard();
    this.#parts.connection.sever();
  }
}

/** The first element of a list if it is a bulk string, else ''; undefined if it has not come yet. */
function firstWord(data: Buffer, position: number): string | undefined {
  const header = lineEnd(data, position);
  if (header === -1) return undefined;
  if (integer(data, position + 1, header) < 1) return '';
  const first = header + 2;
  const firstHeader = lineEnd(data, first);
  if (firstHeader === -1) return undefined;
  if (data[first] !== DOLLAR) return '';
  const start = firstHeader + 2;
  const end = start + integer(data, first + 1, firstHeader);
  return end <= data.length ? data.toString('latin1', start, end) : undefined;
}
