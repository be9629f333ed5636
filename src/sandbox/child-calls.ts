import { storable } from '../core/plain.js';
import type { SendToParent } from './child-runner.js';
import { Deferred } from './deferred.js';
import { decode, encode, type JobCall, type ToChild } from './messages.js';
import { decodeThrown } from './thrown.js';

/** Calls a method of the parent's job. */
export type CallParent = (method: JobCall, ...args: unknown[]) => Promise<unknown>;

/** The calls on their way to the parent. */
export class ChildCalls {
  readonly #send: SendToParent;
  readonly #open = new Map<number, Deferred<unknown>>();
  #requests = 0;

  constructor(send: SendToParent) {
    this.#send = send;
  }

  /**
   * The calls of one run. Nobody has to await them: a handler may leave a `log` behind, and its failure, which may come
   * when the next job is running, must not end the child.
   */
  of(run: number): CallParent {
    return (method, ...args) => {
      const reply = new Deferred<unknown>();
      const request = ++this.#requests;
      try {
        this.#send({ kind: 'call', run, request, method, args: encode(asStored(method, args)) });
        this.#open.set(request, reply);
      } catch (error) {
        reply.reject(error);
      }
      return reply.promise;
    };
  }

  settle({ request, ok, value }: Extract<ToChild, { kind: 'reply' }>): void {
    const reply = this.#open.get(request);
    this.#open.delete(request);
    if (ok) reply?.resolve(decode(value));
    else reply?.reject(decodeThrown(value));
  }
}

/** Data and progress as they will be stored: on their way they would lose their `toJSON`. */
function asStored(method: JobCall, args: unknown[]): unknown[] {
  if (method !== 'updateData' && method !== 'updateProgress') return args;
  return [storable(args[0], method === 'updateData' ? 'data' : 'progress'), ...args.slice(1)];
}
