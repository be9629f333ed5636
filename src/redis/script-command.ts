import { Command } from 'ioredis';
import { RequestWriter } from './request-writer.js';
import type { ScriptArg } from './script.js';

const writer = new RequestWriter();

/** What a call of a script begins with, by its list of keys: the same bytes at every call, so they are made once. */
const heads = new WeakMap<readonly string[], Buffer>();

/**
 * The call of a script. The client makes a request of its arguments one by one, which takes longer than all else that
 * is done for a call of one job; here most of the request is there already.
 */
export class ScriptCommand extends Command {
  readonly #sha: string;
  readonly #keys: readonly string[];
  #args: readonly ScriptArg[];
  readonly #again: readonly ScriptArg[];

  /**
   * @param keys at least one; a list that is used again is encoded once, for one script.
   * @param again what the client is to send if it has to send the call once more, after its connection was cut.
   */
  constructor(sha: string, keys: readonly string[], args: readonly ScriptArg[], again = args) {
    // All that the client has to know is the slot of the keys.
    super('evalsha', [sha, '1', keys[0] ?? ''], { replyEncoding: null });
    this.#sha = sha;
    this.#keys = keys;
    this.#args = args;
    this.#again = again;
  }

  override toWritable(socket: object): string | Buffer {
    // It may have been turned into another command, which does nothing.
    if (this.name !== 'evalsha') return super.toWritable(socket);
    const head = this.#head();
    writer.expect(head.length + lengthOf(this.#args)).count(3 + this.#keys.length + this.#args.length).written(head);
    for (const arg of this.#args) writer.argument(arg);
    this.#args = this.#again;
    return writer.take();
  }

  #head(): Buffer {
    const known = heads.get(this.#keys);
    if (known) return known;
    writer.argument('evalsha').argument(this.#sha).argument(this.#keys.length);
    for (const key of this.#keys) writer.argument(key);
    const head = writer.take();
    heads.set(this.#keys, head);
    return head;
  }
}

/** How many bytes the arguments of a request have, with their headers: about, for texts that are not ASCII need more. */
function lengthOf(args: readonly ScriptArg[]): number {
  let length = 24;
  for (const arg of args) length += 24 + (typeof arg === 'number' ? 24 : arg.length);
  return length;
}
