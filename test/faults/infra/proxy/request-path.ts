import { FrameWalker, type Frame } from './frame-walker.js';
import type { Outlet, Pace } from './outlet.js';
import type { PendingReplies } from './pending-replies.js';
import { readRequestHead, type Request, type ScriptNames } from './request-head.js';
import { pass, type Direction, type Rules, type Treatment } from './rules.js';

export interface RequestPathParts {
  readonly names: ScriptNames;
  readonly rules: Rules;
  readonly pending: PendingReplies;
  readonly outlet: Outlet;
  readonly connection: {
    /** An answer of the proxy itself may have come to the head of the line. */
    answerPending(): void;
    /** Cuts the connection once all earlier replies are through. */
    severAfterReplies(): void;
    silence(direction: Direction): void;
  };
}

const untouched: Frame = {};
const swallowed: Frame = { take: () => undefined };

/** From the client to Redis: finds where each request begins, asks the rules, and forwards it as they say. */
export class RequestPath {
  readonly #parts: RequestPathParts;
  readonly walker: FrameWalker;
  #atEnd: (() => void) | undefined;

  constructor(parts: RequestPathParts) {
    this.#parts = parts;
    this.walker = new FrameWalker({
      begin: (data, position) => this.#begin(data, position),
      end: () => this.#end(),
      send: (bytes) => parts.outlet.send(bytes),
    });
  }

  #begin(data: Buffer, position: number): Frame | undefined {
    const request = readRequestHead(data, position, this.#parts.names);
    if (!request) return undefined;
    const length = request.inlineEnd === undefined ? undefined : request.inlineEnd - position;
    // Redis answers nothing to an empty line.
    if (request.command === '') return { length };
    const treatment = this.#parts.rules.decide(request);
    const frame = endsPairs(request) ? this.#lastPair(request) : this.#treat(request, treatment);
    return length === undefined ? frame : { ...frame, length };
  }

  #end(): void {
    const atEnd = this.#atEnd;
    this.#atEnd = undefined;
    atEnd?.();
  }

  #treat(request: Request, treatment: Treatment): Frame {
    const { pending, connection } = this.#parts;
    switch (treatment.then) {
      case 'pass':
      case 'dropReply':
      case 'cutReply':
      case 'delayReply':
      case 'trickleReply':
        pending.add({ request, treatment });
        return untouched;
      case 'delayRequest':
        pending.add({ request, treatment: pass });
        return this.#paced({ delayMs: treatment.ms });
      case 'trickleRequest':
        pending.add({ request, treatment: pass });
        return this.#paced({ trickle: treatment });
      case 'dropRequest':
        return this.#cutAfter(0);
      case 'cutRequest':
        return this.#cutAfter(treatment.at);
      case 'error':
        return this.#error(request, treatment);
      case 'blackhole':
        this.walker.flush();
        connection.silence(treatment.direction ?? 'both');
        pending.add({ request, treatment: pass });
        return untouched;
    }
  }

  #lastPair(request: Request): Frame {
    this.#parts.pending.add({ request, treatment: pass, endsPairs: true });
    this.#parts.connection.answerPending();
    this.walker.goBlind();
    return untouched;
  }

  #paced(pace: Pace): Frame {
    return { take: (bytes) => this.#parts.outlet.send(bytes, pace) };
  }

  #cutAfter(bytesLeft: number): Frame {
    const sever = (): void => {
      this.walker.discard();
      this.#parts.connection.severAfterReplies();
    };
    let left = bytesLeft;
    this.#atEnd = sever;
    return {
      take: (bytes) => {
        this.#parts.outlet.send(bytes.subarray(0, left));
        left -= bytes.length;
        if (left <= 0) sever();
      },
    };
  }

  #error(request: Request, treatment: Extract<Treatment, { then: 'error' }>): Frame {
    if (treatment.executed) {
      this.#parts.pending.add({ request, treatment });
      return untouched;
    }
    const answer = errorReply(treatment.error);
    // Redis answers a request when it has all of it.
    this.#atEnd = () => {
      this.#parts.pending.add({ request, treatment: pass, answer });
      this.#parts.connection.answerPending();
    };
    return swallowed;
  }
}

/** An error as Redis would put it on the wire. */
export function errorReply(message: string): Buffer {
  return Buffer.from(`-${message.replace(/^-/, '')}\r\n`);
}

/** After these commands the replies are an endless stream, or do not come. */
function endsPairs({ command, subcommand }: Request): boolean {
  return command === 'monitor' || command === 'sync' || command === 'psync' || (command === 'client' && subcommand === 'reply');
}
