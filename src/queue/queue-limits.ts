import { MAX_DELAY_MS } from '../core/backoff.js';
import { checkValue, wholeNumber } from '../core/check.js';
import { integer } from '../redis/script.js';
import type { Job } from './job.js';
import { QueueGetters } from './queue-getters.js';

/** What holds back a whole queue: how many jobs may be active at once, and how many may start in a time. */
export class QueueLimits<EachJob extends Job = Job> extends QueueGetters<EachJob> {
  /** At most `concurrency` jobs are active at once over all workers. */
  async setGlobalConcurrency(concurrency: number): Promise<number> {
    checkValue(concurrency, wholeNumber(1, 2 ** 31), 'concurrency');
    await this.storeSettings({ concurrency });
    return 1;
  }

  async removeGlobalConcurrency(): Promise<number> {
    return this.#dropSettings('concurrency');
  }

  /** At most `max` jobs start in any `duration` ms over all workers, whatever their own limiters say. */
  async setGlobalRateLimit(max: number, duration: number): Promise<number> {
    checkValue(max, wholeNumber(1, 2 ** 31), 'max');
    checkValue(duration, wholeNumber(1, MAX_DELAY_MS, 'milliseconds'), 'duration');
    await this.storeSettings({ max, duration });
    return 1;
  }

  async removeGlobalRateLimit(): Promise<number> {
    return this.#dropSettings('max', 'duration');
  }

  /** No job starts for `ms` milliseconds, on any worker. */
  async rateLimit(ms: number): Promise<void> {
    checkValue(ms, wholeNumber(0, MAX_DELAY_MS, 'milliseconds'), 'ms');
    await this.storeSettings({ limitedTill: Math.ceil(this.connection.now + ms) });
  }

  /** Ends a limit set with {@link rateLimit}, and forgets the starts that count against the others. */
  async removeRateLimitKey(): Promise<number> {
    const removed = await this.#dropSettings('limitedTill', 'rateCount');
    await this.connection.command('del', [this.keys.key('rate')], 'remove the rate limit');
    return Math.min(1, removed);
  }

  /** @internal */
  protected async storeSettings(values: Record<string, number>): Promise<void> {
    await this.connection.command('hset', [this.keys.key('meta'), ...Object.entries(values).flat()], 'store settings');
    await this.connection.command('zadd', [this.keys.key('marker'), 0, '0'], 'wake workers');
  }

  async #dropSettings(...fields: string[]): Promise<number> {
    const removed = integer(await this.connection.command('hdel', [this.keys.key('meta'), ...fields], 'remove settings'));
    await this.connection.command('zadd', [this.keys.key('marker'), 0, '0'], 'wake workers');
    return removed;
  }
}
