import type { Redis } from 'ioredis';
import { scriptNames } from '../workload/script-names.js';

/** What the measuring itself calls, and what does nothing but wait or compile. */
const ignored = new Set(['config', 'slowlog', 'script', 'info', 'bzpopmin', 'client', 'hello', 'select', 'ping']);

/** How long one script, or one plain command that a client sends, held Redis, over all its calls. */
export interface ScriptTime {
  readonly script: string;
  /** How many took longer than a millisecond. */
  calls: number;
  longestMs: number;
  /** The median of the step in which it was highest: what a call takes that nothing came in between. */
  medianMs: number;
  /** What was going on in the longest call. */
  during: string;
}

/** The slowest call of one step. */
export interface StepTime {
  readonly script: string;
  readonly ms: number;
  readonly medianMs: number;
  /** What Redis's main thread worked for each script call of the step: on a busy machine the only time to go by. */
  readonly cpuMs: number;
}

/** Lower, and the commands inside of scripts would be logged as well, which slows these down several times. */
const thresholdUs = 1_000;

/** More calls than one step makes: the slow log must not forget any. */
const mostEntries = 1_000_000;

/** Times every call of a server that takes longer than a millisecond, by its slow log: what Redis itself measured, without waiting and network. */
export class ScriptTimes {
  readonly #redis: Redis;
  readonly #times = new Map<string, ScriptTime>();

  private constructor(redis: Redis) {
    this.#redis = redis;
  }

  static async start(redis: Redis): Promise<ScriptTimes> {
    await redis.config('SET', 'slowlog-max-len', mostEntries);
    await redis.config('SET', 'slowlog-log-slower-than', -1);
    return new ScriptTimes(redis);
  }

  /** Runs `work` and enters what each script took meanwhile. Answers the longest call of this step. */
  async during(step: string, work: () => Promise<unknown>): Promise<StepTime | undefined> {
    await this.#redis.slowlog('RESET');
    await this.#redis.config('SET', 'slowlog-log-slower-than', thresholdUs);
    const [cpuBefore, callsBefore] = [await this.#cpuMs(), await this.#scriptCalls()];
    await work();
    const cpuMs = (await this.#cpuMs()) - cpuBefore;
    await this.#redis.config('SET', 'slowlog-log-slower-than', -1);
    const entries = (await this.#redis.slowlog('GET', -1)) as [number, number, number, string[]][];
    const calls = new Map<string, number[]>();
    for (const [, , durationUs, [command = '', sha = '']] of entries) {
      if (ignored.has(command.toLowerCase())) continue;
      const script = /^evalsha$/i.test(command) ? (scriptNames[sha] ?? 'another script') : command.toUpperCase();
      const known = calls.get(script);
      if (known) known.push(durationUs / 1_000);
      else calls.set(script, [durationUs / 1_000]);
    }
    const steps = [...calls].map(([script, times]) => this.#enter(script, times.sort((a, b) => a - b), step));
    const [longest] = steps.sort((a, b) => b.ms - a.ms);
    return longest && { ...longest, cpuMs: cpuMs / ((await this.#scriptCalls()) - callsBefore) };
  }

  /** Per script, the longest first. */
  get all(): ScriptTime[] {
    return [...this.#times.values()].sort((a, b) => b.longestMs - a.longestMs);
  }

  async #cpuMs(): Promise<number> {
    const info = await this.#redis.info('cpu');
    return ['user', 'sys'].reduce((sum, kind) => sum + 1_000 * Number(new RegExp(`used_cpu_${kind}_main_thread:([\\d.]+)`).exec(info)?.[1] ?? 0), 0);
  }

  async #scriptCalls(): Promise<number> {
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(await this.#redis.info('commandstats'))?.[1] ?? 0);
  }

  #enter(script: string, sorted: readonly number[], during: string): Omit<StepTime, 'cpuMs'> {
    const known = this.#times.get(script) ?? { script, calls: 0, longestMs: 0, medianMs: 0, during };
    this.#times.set(script, known);
    const [ms, medianMs] = [sorted.at(-1) ?? 0, sorted[sorted.length >> 1] ?? 0];
    known.calls += sorted.length;
    known.medianMs = Math.max(known.medianMs, medianMs);
    if (ms > known.longestMs) Object.assign(known, { longestMs: ms, during });
    return { script, ms, medianMs };
  }
}
