import { fileURLToPath } from 'node:url';
import { GuardedProcess, type Exit } from '../../support/servers/guarded-process.js';
import type { Json } from './history.js';
import { WakeUp } from './wake-up.js';

export interface SpawnOptions {
  /** Shown in messages. Default: the file name. */
  name?: string;
  args?: readonly string[];
  /** Added to the environment of this process. */
  env?: Readonly<Record<string, string>>;
  /** Flags for Node itself, e.g. `--max-old-space-size=64`. */
  execArgv?: readonly string[];
}

/** What a child sends: a named signal with a value. */
export interface Signal {
  readonly signal: string;
  readonly value?: Json;
}

/**
 * A real Node process that can be killed, stopped and spoken to.
 *
 * It is killed with this process at the latest. Its output is kept: the last 64 KiB are in `output`.
 */
export class NodeProcess extends GuardedProcess {
  readonly name: string;
  readonly #signals: Signal[] = [];
  readonly #news = new WakeUp();
  #output = '';

  constructor(entry: string | URL, options: SpawnOptions = {}) {
    const file = entry instanceof URL ? fileURLToPath(entry) : entry;
    const loader = file.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
    super(process.execPath, [...loader, ...(options.execArgv ?? []), file, ...(options.args ?? [])], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.name = options.name ?? file.slice(file.lastIndexOf('/') + 1);
    this.child.stdout?.on('data', (chunk: Buffer) => this.#keep(chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => this.#keep(chunk));
    this.child.on('message', (message) => this.#receive(message));
    void this.exited.then(() => this.#news.wake());
  }

  /** The last 64 KiB that the process wrote to its standard output and error. */
  get output(): string {
    return this.#output;
  }

  /**
   * The value of the next signal of that name; each signal is handed out once, also one that came before the call.
   *
   * @throws Error with the output if the process ends first, or if nothing comes within `timeoutMs`.
   */
  async signal(name: string, timeoutMs = 30_000): Promise<Json | undefined> {
    const complaint = (): string => `${this.name} did not signal "${name}" within ${timeoutMs} ms:\n${this.#output}`;
    const { value } = await this.#news.until(() => this.#take(name), timeoutMs, complaint);
    return value;
  }

  /** Sends a message; it arrives at the child's `process.on('message')`. */
  send(message: Json): Promise<void> {
    return new Promise((resolve, reject) => {
      this.child.send(message as Exclude<Json, null>, (error) => (error ? reject(error) : resolve()));
    });
  }

  #take(name: string): Signal | undefined {
    const index = this.#signals.findIndex((one) => one.signal === name);
    if (index !== -1) return this.#signals.splice(index, 1)[0];
    if (this.exit) throw new Error(`${this.name} ended (${describe(this.exit)}) before "${name}":\n${this.#output}`);
    return undefined;
  }

  #receive(message: unknown): void {
    if (!isSignal(message)) return;
    this.#signals.push(message);
    this.#news.wake();
  }

  #keep(chunk: Buffer): void {
    this.#output = (this.#output + chunk.toString()).slice(-65_536);
  }
}

/** On a machine with much else to do, a process may need long to start. */
const startMs = 120_000;

/** Starts `entry`, a `.js` or `.ts` file, and waits for its signal `ready`. */
export async function spawnNode(entry: string | URL, options: SpawnOptions = {}): Promise<NodeProcess> {
  const child = new NodeProcess(entry, options);
  try {
    await child.signal('ready', startMs);
    return child;
  } catch (error) {
    await child.kill9();
    throw error;
  }
}

/** For the child: sends a named signal to the process that spawned it. */
export function signalParent(signal: string, value?: Json): void {
  process.send?.({ signal, ...(value === undefined ? {} : { value }) } satisfies Signal);
}

function isSignal(message: unknown): message is Signal {
  return typeof message === 'object' && message !== null && 'signal' in message && typeof message.signal === 'string';
}

function describe(exit: Exit): string {
  return exit.signal ?? `code ${exit.code}`;
}
