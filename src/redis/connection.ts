import { EventEmitter } from 'node:events';
import { Command } from 'ioredis';
import { ClosedError, RedisError } from '../core/errors.js';
import { asRedisError, diagnose } from './failure.js';
import type { QueueKeys } from './keys.js';
import { isClient, isCluster, openClient, openLike, type ConnectionOptions, type RedisClient } from './options.js';
import { inspectServer, type ServerFacts } from './server.js';
import type { RawReply, Script, ScriptArg } from './script.js';

/** How long a call may take, reconnects and repeats included, before it is given up. */
export const defaultDeadlineMs = 10_000;

interface Pending {
  readonly command: Command;
  readonly doing: string;
  readonly expiresAt: number;
  sent: boolean;
  fail: (error: Error) => void;
}

/**
 * One supervised connection to Redis, shared by everything in the process that names the same server.
 *
 * 1. Runs scripts by SHA, loads one that the server has forgotten, and repeats the call once it is there.
 * 2. Gives each call a deadline, and says in a typed error whether the outcome is known.
 * 3. Repeats calls that certainly or possibly did not happen: every script can be repeated safely.
 * 4. Knows Redis's clock (`now`) and what kind of server answers (`server`).
 *
 * Emits `error` (only when someone listens), `ready` and `close`.
 */
export class Connection extends EventEmitter {
  readonly client: RedisClient;
  readonly owned: boolean;
  readonly #reopen: (name: string) => RedisClient;
  readonly #pending = new Set<Pending>();
  #clockOffsetMs = 0;
  #watch: NodeJS.Timeout | undefined;
  #closed = false;
  #server: Promise<ServerFacts> | undefined;

  constructor(options: ConnectionOptions) {
    super();
    this.setMaxListeners(0);
    this.owned = !isClient(options);
    if (isClient(options)) {
      this.client = options;
      this.#reopen = (name) => openLike(options, name);
    } else {
      this.client = openClient(options, false);
      this.#reopen = (name) => openClient(options, true, name);
    }
    this.client.on('error', this.#onError);
    this.client.on('ready', this.#onReady);
    this.client.on('close', this.#onClose);
    this.client.on('end', this.#onEnd);
    if (this.client.status === 'ready') this.#onReady();
  }

  /** Redis's clock in ms as far as this process can tell: its own clock, corrected by what replies said. */
  get now(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  get isCluster(): boolean {
    return isCluster(this.client);
  }

  /** Notes Redis's clock from a reply that carries it. */
  observeClock(serverNow: number): void {
    this.#clockOffsetMs = serverNow - Date.now();
  }

  /** What is known of the server; asked once per connect. Rejects UNSUPPORTED_SERVER. */
  server(): Promise<ServerFacts> {
    this.#server ??= this.#inspect();
    return this.#server;
  }

  /** Resolves once the connection is ready and the server is one that Drover works with. */
  async ready(deadlineMs = defaultDeadlineMs): Promise<void> {
    await this.command('ping', [], 'reach Redis', deadlineMs);
    await this.server();
  }

  /** Runs a script on the keys of a queue. Repeats it until it is answered or the deadline has passed. */
  async run<Call, Reply>(script: Script<Call, Reply>, keys: QueueKeys, call: Call, deadlineMs = defaultDeadlineMs): Promise<Reply> {
    const names = keys.list(script.keys, script.set?.(call));
    const args = [script.sha, names.length, ...names, ...script.args(call)];
    return script.reply(await this.#untilAnswered('evalsha', args, `run a script on queue ${keys.queue}`, deadlineMs, script.source), call);
  }

  /** Runs one plain command with the same care. Only for commands that may be repeated. */
  command(name: string, args: ScriptArg[], doing: string, deadlineMs = defaultDeadlineMs): Promise<RawReply> {
    return this.#untilAnswered(name, args, doing, deadlineMs);
  }

  /** A second client to the same server, for calls that block, under a name for `CLIENT LIST`. The caller closes it. */
  openBlocking(name: string): RedisClient {
    const client = this.#reopen(name);
    client.on('error', this.#onError);
    return client;
  }

  /** Ends the connection. Calls under way are rejected. A client that the user passed stays open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.client.off('error', this.#onError).off('ready', this.#onReady).off('close', this.#onClose).off('end', this.#onEnd);
    for (const call of this.#pending) call.fail(new ClosedError('connection'));
    this.#pending.clear();
    if (this.owned) {
      this.client.on('error', () => undefined);
      this.client.disconnect();
    }
  }

  async #untilAnswered(name: string, args: ScriptArg[], doing: string, deadlineMs: number, source?: string): Promise<RawReply> {
    const expiresAt = performance.now() + deadlineMs;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#send(name, args, doing, expiresAt);
      } catch (error) {
        const { remedy } = diagnose(error);
        if (this.#closed || remedy === 'report' || isTyped(error)) throw asRedisError(error, doing);
        if (performance.now() >= expiresAt) throw asRedisError(error, doing);
        if (remedy === 'load script' && source !== undefined) await this.#load(source, doing, expiresAt);
        else await pause(Math.min(25 * 2 ** Math.min(attempt, 5), 500), expiresAt);
      }
    }
  }

  /** On a cluster a script has to be known to the node that owns the keys, so each of them learns it. */
  async #load(source: string, doing: string, expiresAt: number): Promise<void> {
    const client = this.client;
    if (isCluster(client)) {
      await Promise.all(client.nodes('master').map((node) => node.script('LOAD', source)));
    } else {
      await this.#send('script', ['LOAD', source], doing, expiresAt);
    }
  }

  #send(name: string, args: ScriptArg[], doing: string, expiresAt: number): Promise<RawReply> {
    if (this.#closed) return Promise.reject(new ClosedError('connection'));
    return new Promise<RawReply>((resolve, reject) => {
      const command = new Command(name, args, { replyEncoding: null });
      const call: Pending = { command, doing, expiresAt, sent: this.isReady, fail: reject };
      this.#pending.add(call);
      this.#watch ??= setInterval(() => this.#expire(), 250).unref();
      const done = (): boolean => this.#pending.delete(call);
      (this.client.sendCommand(command) as Promise<RawReply>).then(
        (reply) => void (done(), resolve(reply)),
        (error: Error) => void (done(), reject(error)),
      );
    });
  }

  /** Gives up calls whose deadline has passed, and says which of them certainly did not happen. */
  #expire(): void {
    const now = performance.now();
    for (const call of this.#pending) {
      if (call.expiresAt > now) continue;
      this.#pending.delete(call);
      if (!call.sent) withdraw(call.command);
      call.fail(expired(call));
    }
    if (this.#pending.size === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    }
  }

  async #inspect(): Promise<ServerFacts> {
    const facts = await inspectServer((name, args) => this.command(name, args, 'ask Redis what it is'));
    this.observeClock(facts.now);
    for (const problem of facts.problems) this.#report(problem);
    if (facts.refusal) throw facts.refusal;
    return facts;
  }

  readonly #onReady = (): void => {
    for (const call of this.#pending) call.sent = true;
    this.#server = undefined;
    this.server().catch((error: unknown) => {
      this.#server = undefined;
      this.#report(asRedisError(error, 'inspect the server'));
    });
    this.emit('ready');
  };

  readonly #onError = (error: Error): void => this.#report(asRedisError(error, 'reach Redis', reachCode(error)));
  readonly #onClose = (): void => void this.emit('close');
  readonly #onEnd = (): void => {
    for (const call of this.#pending) call.fail(expired(call));
    this.#pending.clear();
  };

  #report(error: Error): void {
    if (!this.#closed && this.listenerCount('error') > 0) this.emit('error', error);
  }

}

function isTyped(error: unknown): boolean {
  return error instanceof RedisError || error instanceof ClosedError;
}

function reachCode(error: Error): 'REDIS_DENIED' | 'REDIS_UNAVAILABLE' {
  return diagnose(error).code === 'REDIS_DENIED' ? 'REDIS_DENIED' : 'REDIS_UNAVAILABLE';
}

function expired(call: Pending): RedisError {
  return call.sent
    ? new RedisError('OUTCOME_UNKNOWN', { message: `Could not ${call.doing}: Redis gave no answer in time.` })
    : new RedisError('REDIS_UNAVAILABLE', { message: `Could not ${call.doing}: Redis could not be reached in time.` });
}

/** ioredis cannot take back a command that waits for the connection, so it is turned into one that does nothing. */
function withdraw(command: Command): void {
  command.name = 'ping';
  command.args = [];
}

function pause(ms: number, expiresAt: number): Promise<void> {
  const left = Math.max(1, expiresAt - performance.now());
  return new Promise((resolve) => setTimeout(resolve, Math.min(ms, left)));
}
