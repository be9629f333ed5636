import { InvalidInputError } from '../core/errors.js';
import { storable } from '../core/plain.js';
import { childJob } from './child-job.js';
import { ChildCalls } from './child-calls.js';
import { loadHandler } from './handler-module.js';
import { decode, encode, readFromParent, type Bytes, type ToChild, type ToParent } from './messages.js';
import type { SandboxedJobProcessor, SandboxJobData } from './sandboxed-job.js';
import { decodeThrown, encodeThrown } from './thrown.js';

/** Sends to the parent; `sent` is called when the message is on its way, or can never be. */
export type SendToParent = (message: ToParent, sent?: () => void) => void;

/** The child's side of the conversation: loads the handler once, then runs it on one job at a time. */
export class ChildRunner {
  readonly #send: SendToParent;
  readonly #calls: ChildCalls;
  #handler: SandboxedJobProcessor | undefined;
  #current: { run: number; controller: AbortController } | undefined;

  constructor(send: SendToParent) {
    this.#send = send;
    this.#calls = new ChildCalls(send);
  }

  /** Throws a ProtocolError, which ends the child. */
  receive(raw: unknown): void {
    const message = readFromParent(raw);
    if (message) this.#obey(message);
  }

  /** Fires the signal of the running handler, if there is one. */
  abort(reason: unknown): void {
    this.#current?.controller.abort(reason);
  }

  #obey(message: ToChild): void {
    switch (message.kind) {
      case 'load':
        return void this.#load(message.file);
      case 'run':
        return void this.#run(message);
      case 'cancel':
        // It may have crossed with the end of its run.
        if (this.#current?.run === message.run) this.abort(decodeThrown(message.reason));
        return;
      case 'reply':
        return this.#calls.settle(message);
      case 'leave':
        return process.exit(0);
      default:
        return message satisfies never;
    }
  }

  async #load(file: string): Promise<void> {
    try {
      this.#handler = await loadHandler(file);
      this.#send({ kind: 'loaded' });
    } catch (error) {
      this.#send({ kind: 'unloadable', error: encodeThrown(error) });
    }
  }

  async #run({ run, job: facts, token }: Extract<ToChild, { kind: 'run' }>): Promise<void> {
    const controller = new AbortController();
    this.#current = { run, controller };
    const handler = this.#handler;
    try {
      const job = childJob(decode(facts) as SandboxJobData, token, this.#calls.of(run));
      const value = encodeResult(await handler?.(job, token, controller.signal));
      this.#send({ kind: 'completed', run, value });
    } catch (error) {
      this.#send({ kind: 'failed', run, error: encodeThrown(error) });
    } finally {
      this.#current = undefined;
    }
  }
}

/** As it will be stored: on its way a value would lose its `toJSON`. */
function encodeResult(value: unknown): Bytes {
  const stored = storable(value, 'returnvalue');
  try {
    return encode(stored);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidInputError('INVALID_DATA', { field: 'returnvalue', message: `The handler's result cannot leave its sandbox: ${why}`, cause });
  }
}
