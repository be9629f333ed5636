import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Gives Redis a processor of its own, as far as this machine has two: a slow log counts by the clock, and so also the
 * time in which the collector threads of this process had the processor instead.
 */
export class Processors {
  /** What the server has to be started with. */
  static readonly serverConfig: Record<string, string> = availableParallelism() > 1 && process.platform === 'linux' ? { server_cpulist: '0' } : {};

  readonly #serverPid: number;
  readonly #before: number | undefined;

  constructor(serverPid: number) {
    this.#serverPid = serverPid;
    const others = availableParallelism() - 1;
    if (others > 0 && process.platform === 'linux') execFileSync('taskset', ['-acp', `1-${others}`, String(process.pid)]);
    this.#before = this.#waitedMs();
  }

  /** How long Redis was ready to work and had no processor. Undefined where the system does not tell. */
  get heldUpMs(): number | undefined {
    const now = this.#waitedMs();
    return now === undefined || this.#before === undefined ? undefined : now - this.#before;
  }

  #waitedMs(): number | undefined {
    try {
      return Number(readFileSync(`/proc/${this.#serverPid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
    } catch {
      return undefined;
    }
  }
}
