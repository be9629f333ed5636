import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import type { ServerBinary } from './binary.js';
import type { Certificates } from './certificates.js';
import { GuardedProcess } from './guarded-process.js';
import { temporaryDirectory } from './guardian.js';
import { pourIntoAof, type PourOptions } from './pour-into-aof.js';
import { controlUser, type Directives } from './server-config.js';
import { until } from './until.js';

export interface ServerSetup {
  readonly name: string;
  readonly port: number;
  readonly binary: ServerBinary;
  readonly mode: 'server' | 'sentinel';
  readonly certificates?: Certificates | undefined;
  readonly password?: string | undefined;
  /** Environment added to that of this process, e.g. `LD_PRELOAD`. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The content of the configuration file for the server's own directory. */
  readonly config: (folder: string) => string;
}

/** What a client needs to reach the server; plain data that can be sent to another process. */
export interface ServerAddress {
  host: string;
  port: number;
  password?: string;
  tls?: Pick<ConnectionOptions, 'ca'> & { ca: string };
}

export interface RestartOptions {
  /** Directives for this run only, e.g. `{'key-load-delay': 50}` to stretch LOADING. */
  config?: Directives;
  /** `ready` waits until the data is loaded, `listening` only until the port answers. Default `ready`. */
  until?: 'ready' | 'listening';
}

/** One real server process on a loopback port with a directory of its own. */
export class RedisServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly folder: string;
  readonly #setup: ServerSetup;
  readonly #configFile: string;
  readonly #logFile: string;
  readonly #clients = new Set<Redis>();
  #process: GuardedProcess | undefined;
  #control: Redis | undefined;

  constructor(setup: ServerSetup) {
    this.#setup = setup;
    this.port = setup.port;
    this.folder = temporaryDirectory(setup.name);
    this.#configFile = join(this.folder, 'server.conf');
    this.#logFile = join(this.folder, 'server.log');
    // Written once: Sentinel and CONFIG REWRITE change it, and a restart must find what they wrote.
    writeFileSync(this.#configFile, setup.config(this.folder));
  }

  get name(): string {
    return `${this.#setup.name}:${this.port}`;
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  get pid(): number {
    if (!this.#process?.running) throw new Error(`${this.name} is not running`);
    return this.#process.pid;
  }

  /** Everything the server has logged, over all its runs. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  /** How a client reaches this server as its default user. */
  address(): ServerAddress {
    const { password, certificates } = this.#setup;
    return {
      host: this.host,
      port: this.port,
      ...(password === undefined ? {} : { password }),
      ...(certificates ? { tls: { ca: certificates.ca } } : {}),
    };
  }

  /** A new client of the default user, closed with the server at the latest. */
  connect(options: RedisOptions = {}): Redis {
    return this.#track(new Redis({ ...this.address(), ...options }));
  }

  /** A client with all rights for the harness itself; it never resends and never waits in a queue. */
  async control(): Promise<Redis> {
    if (this.#control?.status === 'ready') return this.#control;
    this.#control?.disconnect();
    this.#control = undefined;
    this.#control = await this.anotherControl();
    return this.#control;
  }

  /** A client like `control`, for a call that blocks. */
  async anotherControl(): Promise<Redis> {
    const control = this.#track(new Redis({ ...this.address(), ...this.#controlOptions() }));
    await control.connect();
    return control;
  }

  /** The fields of INFO. */
  async info(section: string): Promise<Map<string, string>> {
    const control = await this.control();
    return fields(await control.info(section));
  }

  /** Starts the server and waits until it answers, and by default until it has loaded its data. */
  async start({ config = {}, until: moment = 'ready' }: RestartOptions = {}): Promise<void> {
    if (this.running) throw new Error(`${this.name} is running already`);
    this.#spawn(config);
    await this.#answers('listening', (answer) => answer !== undefined);
    if (moment === 'ready') await this.ready();
  }

  /** Waits until the server has loaded its data and serves. */
  async ready(timeoutMs = 120_000): Promise<void> {
    await this.#answers('ready', (answer) => answer === 'PONG', timeoutMs);
  }

  /** kill -9, then start again on the same port and data. */
  async restart(options: RestartOptions = {}): Promise<void> {
    await this.kill9();
    await this.start(options);
  }

  async kill9(): Promise<void> {
    await this.#process?.kill9();
  }

  /** SIGTERM: the server saves what it is configured to save and leaves. */
  async terminate(): Promise<void> {
    await this.#process?.terminate();
  }

  /** SIGSTOP: sockets stay open, the kernel accepts connections, nothing answers. */
  async freeze(): Promise<void> {
    await this.#process?.freeze();
  }

  async thaw(): Promise<void> {
    await this.#process?.thaw();
  }

  /** Writes at least `bytes` into the append-only file, so that the next start stays in LOADING for long. */
  async fillAof(bytes: number, options: PourOptions = {}): Promise<void> {
    await pourIntoAof({ ...this.address(), ...controlUser }, bytes, options);
  }

  /** Ends the process, its clients and its directory. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.disconnect();
    await this.kill9();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #spawn(overrides: Directives): void {
    const { binary, mode, env } = this.#setup;
    const log = openSync(this.#logFile, 'a');
    const extra = Object.entries(overrides).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const args = [this.#configFile, ...(mode === 'sentinel' ? ['--sentinel'] : []), ...extra];
    this.#process = new GuardedProcess(binary.path, args, {
      cwd: this.folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
  }

  async #answers(what: string, wanted: (answer: string | undefined) => boolean, timeoutMs = 15_000): Promise<void> {
    const look = async (): Promise<boolean> => {
      if (!this.running) return true;
      return wanted(await this.#ping());
    };
    await until(`${this.name} is ${what}`, look, { timeoutMs });
    if (!this.running) throw new ServerDidNotStart(this.name, this.log());
  }

  async #ping(): Promise<string> {
    const control = await this.control();
    try {
      return await control.ping();
    } catch (error) {
      // An answer such as LOADING or BUSY; a broken connection is no answer.
      if (error instanceof Error && error.name === 'ReplyError') return error.message;
      throw error;
    }
  }

  #controlOptions(): RedisOptions {
    return {
      ...(this.#setup.mode === 'server' ? controlUser : {}),
      lazyConnect: true,
      enableReadyCheck: false,
      disableClientInfo: true,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    };
  }

  #track(client: Redis): Redis {
    this.#clients.add(client);
    client.once('end', () => this.#clients.delete(client));
    // Whoever sent a command sees its error; the event alone must not end the test process.
    client.on('error', () => undefined);
    return client;
  }
}

/** The server ended before it answered; the message carries the end of its log. */
export class ServerDidNotStart extends Error {
  readonly addressInUse: boolean;

  constructor(name: string, log: string) {
    super(`${name} did not start:\n${log.slice(-2_000)}`);
    this.name = 'ServerDidNotStart';
    this.addressInUse = log.includes('Address already in use');
  }
}

/** Reads `name:value` lines as INFO and CLUSTER INFO give them. */
export function fields(text: string): Map<string, string> {
  const pairs = text.split('\r\n').filter((line) => line.includes(':') && !line.startsWith('#'));
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}
