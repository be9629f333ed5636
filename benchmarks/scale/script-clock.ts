import type { Probe } from '../measure.js';

const thresholdUs = 200;
const scriptCommands = new Set(['eval', 'evalsha', 'fcall']);

/** The longest time that any script held Redis, read from its slow log. */
export class ScriptClock {
  private constructor(
    private readonly probe: Probe,
    private readonly previous: readonly string[],
  ) {}

  static async start(probe: Probe): Promise<ScriptClock> {
    const previous: unknown = await probe.redis.config('GET', 'slowlog-*');
    await probe.redis.config('SET', 'slowlog-log-slower-than', thresholdUs);
    await probe.redis.config('SET', 'slowlog-max-len', 100_000);
    return new ScriptClock(probe, Array.isArray(previous) ? previous.map(String) : []);
  }

  async reset(): Promise<void> {
    await this.probe.redis.slowlog('RESET');
  }

  /** In ms, since the last reset; the threshold if no script was slower than that. */
  async longestMs(): Promise<number> {
    const entries = (await this.probe.redis.slowlog('GET', -1)) as [number, number, number, string[]][];
    const durations = entries.filter(([, , , command]) => scriptCommands.has((command[0] ?? '').toLowerCase())).map(([, , duration]) => duration);
    return durations.reduce((longest, duration) => Math.max(longest, duration), thresholdUs) / 1_000;
  }

  async stop(): Promise<void> {
    for (let index = 0; index + 1 < this.previous.length; index += 2) {
      await this.probe.redis.config('SET', this.previous[index] ?? '', this.previous[index + 1] ?? '');
    }
    await this.probe.redis.slowlog('RESET');
  }
}
