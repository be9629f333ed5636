import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { forget, guard } from './guardian.js';
import { until } from './until.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child process that is killed with its parent and can be killed, frozen and thawed for certain. */
export class GuardedProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Settles when the process has ended; never rejects. */
  readonly exited: Promise<Exit>;
  #exit: Exit | undefined;

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(command, args, options);
    // Node reports a failed start, a failed signal and a failed message here; each shows at its own caller.
    this.child.on('error', () => undefined);
    if (this.child.pid === undefined) throw new Error(`cannot start ${command}: is it installed?`);
    this.pid = this.child.pid;
    guard(this.pid);
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        forget(this.pid);
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** kill -9; resolves when the kernel has reaped the process. */
  async kill9(): Promise<void> {
    if (this.running) this.child.kill('SIGKILL');
    await this.exited;
  }

  /** Asks the process to end, and resolves when it has; kills it if it has not within `graceMs`. */
  async terminate(graceMs = 10_000): Promise<Exit> {
    if (!this.running) return this.exited;
    this.child.kill('SIGCONT');
    this.child.kill('SIGTERM');
    const impatience = setTimeout(() => this.child.kill('SIGKILL'), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(impatience);
    }
  }

  /** SIGSTOP; resolves when the process stands still. */
  async freeze(): Promise<void> {
    this.child.kill('SIGSTOP');
    await until(`process ${this.pid} is stopped`, () => !this.running || stateOf(this.pid) === 'T');
  }

  /** SIGCONT; resolves when the process may run again. */
  async thaw(): Promise<void> {
    this.child.kill('SIGCONT');
    await until(`process ${this.pid} goes on`, () => !this.running || stateOf(this.pid) !== 'T');
  }
}

/** The state letter that the kernel gives a process: `T` stopped, `S` sleeping, `R` running, … */
function stateOf(pid: number): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command name, in parentheses, may itself contain spaces and parentheses.
  return stat.slice(stat.lastIndexOf(')') + 2)[0];
}
