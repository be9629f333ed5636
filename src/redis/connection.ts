import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { Command } from 'ioredis';
import { ClosedError, RedisError, type DroverError, type Shortfall } from '../core/errors.js';
import { asRedisError, diagnose, namesNoDatabase } from './failure.js';
import { CallSessions } from './call-sessions.js';
import type { QueueKeys } from './keys.js';
import { callOptions, isClient, isCluster, openClient, openLike, type ConnectionOptions, type RedisClient } from './options.js';
import { clockOf, inspectServer, type ServerFacts } from './server.js';
import type { RawReply, Script, ScriptArg } from './script.js';
import { ScriptCommand } from './script-command.js';

/** How long a call may take, reconnects and repeats included, before it is given up. */
export const defaultDeadlineMs = 10_000;

/** What is known of a call over all its tries. */
interface Fate {
  /** It was on its way when the connection broke: it may have happened, whatever is said of the repeat. */
  mayHaveHappened: boolean;
}

interface Pending {
  readonly fate: Fate;
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
  /** How long a call may take in all, in ms: the client's `commandTimeout`. */
  readonly #deadlineMs: number;
  /** Whether calls are refused at once while there is no connection: the client's `enableOfflineQueue: false`. */
  readonly #failsFast: boolean;
  readonly #reopen: (name: string) => RedisClient;
  readonly #pending = new Set<Pending>();
  readonly #sessions = new CallSessions();
  #clockOffsetMs = 0;
  #problems: readonly DroverError[] = [];
  #watch: NodeJS.Timeout | undefined;
  #closed = false;
  #server: Promise<ServerFacts> | undefined;
  /** Why there is no connection, as far as the client has said. */
  #trouble: DroverError | undefined;
  /** The server has no such database: the client goes on in the first one, where nobody asked it to. */
  #noDatabase: DroverError | undefined;

  /** @param client what to use in place of the client that the options name; it is closed with the connection. */
  constructor(options: ConnectionOptions, client?: RedisClient) {
    super();
    this.setMaxListeners(0);
    if (isClient(options)) {
      this.client = client ?? options;
      this.#reopen = (name) => openLike(options, name);
    } else {
      this.client = client ?? openClient(options, false);
      this.#reopen = (name) => openClient(options, true, name);
    }
    this.owned = this.client !== options;
    const { commandTimeout, enableOfflineQueue } = callOptions(options);
    this.#deadlineMs = commandTimeout ?? defaultDeadlineMs;
    this.#failsFast = enableOfflineQueue === false;
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

  /** How long a call may take in all, in ms. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** What a user should know of the server; told as `error` to those who listen when it becomes known. */
  get problems(): readonly DroverError[] {
    return this.#problems;
  }

  get isCluster(): boolean {
    return isCluster(this.client);
  }

  /** Notes Redis's clock from a reply that carries it. */
  observeClock(serverNow: number): void {
    this.#clockOffsetMs = serverNow - Date.now();
  }

  /** Redis's clock in ms, asked for: `now` lags by as long as the reply that told it was on its way, and what just happened would be in the future. */
  async serverNow(): Promise<number> {
    this.observeClock(clockOf(await this.command('time', [], 'ask Redis for the time')));
    return Math.round(this.now);
  }

  /** What is known of the server; asked once per connect. Rejects UNSUPPORTED_SERVER. */
  server(): Promise<ServerFacts> {
    this.#server ??= this.#inspect();
    return this.#server;
  }

  /** Resolves once the connection is ready and the server is one that Drover works with. */
  async ready(deadlineMs = this.#deadlineMs): Promise<void> {
    await this.command('ping', [], 'reach Redis', deadlineMs);
    await this.server();
  }

  /** Runs a script on the keys of a queue. Repeats it until it is answered or the deadline has passed. */
  async run<Call, Reply>(script: Script<Call, Reply>, keys: QueueKeys, call: Call, deadlineMs = this.#deadlineMs): Promise<Reply> {
    const names = keys.list(script.keys, script.choose?.(call));
    const args = script.args(call);
    const session = script.once?.(call) ? this.#sessions.borrow() : undefined;
    if (script.once) args.push(session?.id ?? '', session?.seq ?? '');
    const make = (): Command => new ScriptCommand(script.sha, names, args);
    const raw = await this.#untilAnswered(make, `run a script on queue ${keys.queue}`, deadlineMs, script.source);
    // A session whose call was not answered is never used again: that call may still arrive.
    if (session) this.#sessions.giveBack(session);
    return readReply(() => script.reply(raw, call));
  }

  /**
   * Runs a script on a client of the caller's; rejects with whatever that client says.
   *
   * @param again the call that the client is to make if its connection was cut meanwhile.
   */
  async runOn<Call, Reply>(client: RedisClient, script: Script<Call, Reply>, keys: QueueKeys, call: Call, again: Call): Promise<Reply> {
    const command = new ScriptCommand(script.sha, keys.list(script.keys, script.choose?.(call)), script.args(call), script.args(again));
    const raw = await (client.sendCommand(command) as Promise<RawReply>);
    return readReply(() => script.reply(raw, call));
  }

  /** Runs one plain command with the same care. Only for commands that may be repeated. */
  command(name: string, args: ScriptArg[], doing: string, deadlineMs = this.#deadlineMs): Promise<RawReply> {
    return this.#untilAnswered(() => plainCommand(name, args), doing, deadlineMs);
  }

  /** What an error says that `what` happened, with what the client said of the connection. */
  why(what: string): { message: string; cause?: unknown } {
    const cause = this.isReady ? undefined : this.#trouble?.cause;
    return cause instanceof Error ? { message: `${what}: ${cause.message}.`, cause } : { message: `${what}.` };
  }

  /** A second client to the same server, for calls that block, under a name for `CLIENT LIST`. The caller closes it. */
  openBlocking(name: string): RedisClient {
    const client = this.#reopen(name);
    client.on('error', this.#onError);
    return client;
  }

  /** What `JSON.stringify` shows: the client's options hold passwords, so they are left out. */
  toJSON(): { status: string } {
    return { status: this.client.status };
  }

  /** The same for `console.log`. */
  [inspect.custom](): string {
    return `Connection { ${this.client.status} }`;
  }

  /** What was not confirmed of a call, by its reply. A connection that confirms nothing has nothing to say. */
  shortfallOf(_reply: object): Shortfall | undefined {
    return undefined;
  }

  /** Ends the connection. Calls under way are rejected. A client that the user passed stays open. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.client.off('error', this.#onError).off('ready', this.#onReady).off('close', this.#onClose).off('end', this.#onEnd);
    this.#failAll(() => new ClosedError('connection'));
    if (this.owned) {
      this.client.on('error', () => undefined);
      this.client.disconnect();
    }
  }

  /** @param make a command cannot be sent twice: each try has its own. */
  async #untilAnswered(make: () => Command, doing: string, deadlineMs: number, source?: string): Promise<RawReply> {
    const expiresAt = performance.now() + deadlineMs;
    const fate: Fate = { mayHaveHappened: false };
    let forgotten = false;
    let refusal: unknown;
    for (let attempt = 0; ; attempt++) {
      try {
        if (forgotten && source !== undefined) await this.#load(source, doing, expiresAt);
        return await this.#send(make(), doing, expiresAt, fate);
      } catch (error) {
        const { remedy, code } = diagnose(error);
        // Once a try was lost, a later refusal does not tell what became of it.
        fate.mayHaveHappened ||= code === 'OUTCOME_UNKNOWN';
        if (this.#closed || remedy === 'report' || isTyped(error) || performance.now() >= expiresAt) {
          // A last try that found no connection says less than what the server refused the others with.
          if (refusal !== undefined && isUnavailable(error) && !fate.mayHaveHappened) throw asRedisError(refusal, doing);
          throw asRedisError(error, doing, fate.mayHaveHappened ? 'OUTCOME_UNKNOWN' : code);
        }
        if (code !== 'OUTCOME_UNKNOWN' && remedy === 'try again') refusal = error;
        // It is loaded at once; whatever goes wrong with that is treated like any other error.
        const before: boolean = forgotten;
        forgotten ||= remedy === 'load script';
        if (before || !forgotten) await pause(Math.min(25 * 2 ** Math.min(attempt, 5), 500), expiresAt);
      }
    }
  }

  /** On a cluster a script has to be known to the node that owns the keys, so each of them learns it. */
  async #load(source: string, doing: string, expiresAt: number): Promise<void> {
    const client = this.client;
    if (isCluster(client)) {
      // A node that is down must not hold up the others: if the one that counts still lacks the script, it will say so.
      const loads = client.nodes('master').map((node) => node.script('LOAD', source));
      await Promise.race([Promise.allSettled(loads), pause(1_000, expiresAt)]);
    } else {
      await this.#send(plainCommand('script', ['LOAD', source]), doing, expiresAt);
    }
  }

  #send(command: Command, doing: string, expiresAt: number, fate: Fate = { mayHaveHappened: false }): Promise<RawReply> {
    if (this.#closed) return Promise.reject(new ClosedError('connection'));
    if (this.#noDatabase) return Promise.reject(this.#noDatabase);
    if (this.#failsFast && !this.isReady) {
      return Promise.reject(new RedisError(fate.mayHaveHappened ? 'OUTCOME_UNKNOWN' : 'REDIS_UNAVAILABLE', this.why(`Could not ${doing}: there is no connection to Redis`)));
    }
    return new Promise<RawReply>((resolve, reject) => {
      const call: Pending = { command, doing, expiresAt, fate, sent: this.isReady, fail: reject };
      this.#pending.add(call);
      this.#watch ??= setInterval(() => this.#expire(), 250).unref();
      const done = (): boolean => this.#pending.delete(call);
      this.dispatch(command).then(
        (reply) => void (done(), resolve(reply)),
        (error: Error) => void (done(), reject(error)),
      );
    });
  }

  /** Hands a command to the client. */
  protected dispatch(command: Command): Promise<RawReply> {
    return this.client.sendCommand(command) as Promise<RawReply>;
  }

  /** Gives up calls whose deadline has passed, and says which of them certainly did not happen. */
  #expire(): void {
    const now = performance.now();
    for (const call of this.#pending) {
      if (call.expiresAt > now) continue;
      this.#pending.delete(call);
      withdraw(call.command);
      call.fail(this.#expired(call));
    }
    if (this.#pending.size === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    }
  }

  #expired(call: Pending): RedisError {
    return call.sent || call.fate.mayHaveHappened
      ? new RedisError('OUTCOME_UNKNOWN', { message: `Could not ${call.doing}: Redis gave no answer in time.` })
      : new RedisError('REDIS_UNAVAILABLE', this.why(`Could not ${call.doing}: Redis could not be reached in time`));
  }

  async #inspect(): Promise<ServerFacts> {
    const facts = await inspectServer((name, args) => this.command(name, args, 'ask Redis what it is'));
    this.observeClock(facts.now);
    this.#problems = facts.problems;
    for (const problem of facts.problems) this.#report(problem);
    if (facts.refusal) throw facts.refusal;
    return facts;
  }

  readonly #onReady = (): void => {
    this.#trouble = undefined;
    for (const call of this.#pending) call.sent = true;
    this.#server = undefined;
    this.server().catch((error: unknown) => {
      this.#server = undefined;
      this.#report(asRedisError(error, 'inspect the server'));
    });
    this.emit('ready');
  };

  readonly #onError = (error: Error): void => {
    this.#trouble = asRedisError(error, 'reach Redis', reachCode(error));
    if (namesNoDatabase(error)) this.#refuseDatabase(this.#trouble);
    this.#report(this.#trouble);
  };
  /** The client sends again by itself what was under way. */
  readonly #onClose = (): void => {
    for (const call of this.#pending) call.fate.mayHaveHappened ||= call.sent;
    this.#noDatabase = undefined;
    this.emit('close');
  };
  readonly #onEnd = (): void => this.#failAll((call) => this.#expired(call));

  /** Told before the client sends what it has kept back until it was ready. */
  #refuseDatabase(error: DroverError): void {
    this.#noDatabase = error;
    for (const { command } of this.#pending) withdraw(command);
    this.#failAll(() => error);
  }

  /** Nothing that is under way will be answered. */
  #failAll(reason: (call: Pending) => Error): void {
    for (const call of this.#pending) call.fail(reason(call));
    this.#pending.clear();
  }

  #report(error: Error): void {
    if (!this.#closed && this.listenerCount('error') > 0) this.emit('error', error);
  }
}

function plainCommand(name: string, args: ScriptArg[]): Command {
  return new Command(name, args, { replyEncoding: null });
}

/** Whatever a server answers, it is either understood or a typed error. */
function readReply<Reply>(read: () => Reply): Reply {
  try {
    return read();
  } catch (error) {
    throw asRedisError(error, 'read a reply', 'INTERNAL');
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof RedisError && error.code === 'REDIS_UNAVAILABLE';
}

function isTyped(error: unknown): boolean {
  return error instanceof RedisError || error instanceof ClosedError;
}

function reachCode(error: Error): 'REDIS_DENIED' | 'REDIS_UNAVAILABLE' {
  return diagnose(error).code === 'REDIS_DENIED' ? 'REDIS_DENIED' : 'REDIS_UNAVAILABLE';
}

/** ioredis cannot take back a command, and sends it again after a reconnect: so it is turned into one that does nothing. */
function withdraw(command: Command): void {
  command.name = 'ping';
  command.args = [];
}

function pause(ms: number, expiresAt: number): Promise<void> {
  const left = Math.max(1, expiresAt - performance.now());
  return new Promise((resolve) => setTimeout(resolve, Math.min(ms, left)));
}
