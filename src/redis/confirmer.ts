import { Command } from 'ioredis';
import type { Confirmation } from '../core/durability.js';
import { RedisError, type Shortfall } from '../core/errors.js';
import { asRedisError, diagnose } from './failure.js';
import { integer, list, text, type RawReply, type ScriptArg } from './script.js';
import { fieldsOf } from './server.js';

/** How a server is asked: by waiting for it, or, where the disk is certain anyway, by making sure of that. */
type Way = 'WAIT' | 'WAITAOF' | 'CONFIG';

/**
 * Asks a server whether what was written before on the same socket is confirmed.
 *
 * - Replicas: `WAIT`.
 * - The disk: `WAITAOF` since Redis 7.2. Elsewhere only `appendfsync always` is certain: then the server answers after it
 *   has synced, and it is enough to see after each call that this is so. Valkey has a `WAITAOF` that answers too soon:
 *   8.0.1 and 8.1.1 confirm with `everysec` at once what they sync up to a second later.
 */
export class Confirmer {
  readonly #confirmation: Confirmation;
  readonly #command: (name: string, args: ScriptArg[]) => Promise<RawReply>;
  #way: Way;
  #vetted: Promise<void> | undefined;

  constructor(confirmation: Confirmation, command: (name: string, args: ScriptArg[]) => Promise<RawReply>) {
    this.#confirmation = confirmation;
    this.#command = command;
    this.#way = confirmation.replicas > 0 ? 'WAIT' : 'WAITAOF';
  }

  /** Makes sure, once per server, that it can confirm what is asked for. Rejects DURABILITY_UNAVAILABLE. */
  vet(): Promise<void> {
    if (this.#way === 'WAIT') return Promise.resolve();
    this.#vetted ??= this.#vet().catch((error: unknown) => {
      this.#vetted = undefined;
      throw error;
    });
    return this.#vetted;
  }

  /** Another server may answer from now on. */
  forget(): void {
    this.#vetted = undefined;
  }

  /** The command that asks. */
  question(): Command {
    const { replicas, timeoutMs } = this.#confirmation;
    const options = { replyEncoding: null };
    switch (this.#way) {
      case 'WAIT': return new Command('wait', [replicas, timeoutMs], options);
      case 'WAITAOF': return new Command('waitaof', [1, 0, timeoutMs], options);
      case 'CONFIG': return new Command('config', ['GET', 'append*'], options);
    }
  }

  /** What is missing by the answer; undefined when everything is confirmed. */
  judge(answer: RawReply): Shortfall | undefined {
    try {
      const confirmed = this.#count(answer);
      return confirmed >= this.#wanted ? undefined : this.#shortfall(confirmed, undefined);
    } catch (error) {
      return this.#shortfall(0, error as Error);
    }
  }

  /**
   * The question was refused: nothing is confirmed. But a primary that is none any more, or cannot be asked now, tells
   * nothing of the call; undefined then.
   */
  refused(error: Error): Shortfall | undefined {
    return diagnose(error).remedy === 'report' ? this.#shortfall(0, asRedisError(error, 'have a call confirmed')) : undefined;
  }

  get #wanted(): number {
    return Math.max(1, this.#confirmation.replicas);
  }

  #count(answer: RawReply): number {
    if (this.#way === 'WAIT') return integer(answer);
    if (this.#way === 'WAITAOF') return integer(list(answer)[0]);
    return syncsAlways(answer) ? 1 : 0;
  }

  #shortfall(confirmed: number, cause: Error | undefined): Shortfall {
    const { replicas, timeoutMs } = this.#confirmation;
    return { confirmed, wanted: this.#wanted, by: replicas > 0 ? 'replicas' : 'disk', timeoutMs, cause };
  }

  async #vet(): Promise<void> {
    const facts = fieldsOf(text(await this.#command('info', [])));
    if (facts.get('aof_enabled') !== '1') throw unavailable('Redis keeps no append-only file.', 'Set `appendonly yes`.');
    const [major = 0, minor = 0] = (facts.get('redis_version') ?? '').split('.').map(Number);
    const waits = !facts.has('valkey_version') && (major > 7 || (major === 7 && minor >= 2));
    this.#way = waits ? 'WAITAOF' : 'CONFIG';
    if (waits) return;
    const answer = await this.#command('config', ['GET', 'append*']).catch((cause: unknown) => {
      const reported = asRedisError(cause, 'ask Redis when it syncs');
      if (reported.code !== 'REDIS_DENIED' && diagnose(cause).remedy !== 'report') throw reported;
      throw unavailable('This server has no WAITAOF to rely on, and does not tell whether it syncs always.', 'Allow the user `+config|get`, or use Redis 7.2 or later.', reported);
    });
    if (!syncsAlways(answer)) {
      throw unavailable('This server has no WAITAOF to rely on, and does not sync before it answers.', 'Set `appendfsync always`, or use Redis 7.2 or later.');
    }
  }
}

function syncsAlways(answer: RawReply): boolean {
  const words = list(answer).map(text);
  const settings = new Map(words.flatMap((name, i) => (i % 2 === 0 ? [[name, words[i + 1]] as const] : [])));
  return settings.get('appendonly') === 'yes' && settings.get('appendfsync') === 'always';
}

function unavailable(message: string, hint: string, cause?: Error): RedisError {
  return new RedisError('DURABILITY_UNAVAILABLE', { message, hint: `${hint} Nothing was written.`, cause });
}
