import type { RateLimiter, RedisClient } from './declarations.js';

/**
 * When a job of a group may start: at once, or after the `max`-th start before it is `duration` ms old. A job that has
 * to wait gets its place now, so that however many wait, each is put off once.
 *
 * KEYS  the group's last `max` starts, planned ones too · the places of the jobs that wait, by id
 * ARGV  id · max · duration
 * REPLY 0 to start now, else when in ms by Redis's clock
 */
const place = `
local starts, places, id = KEYS[1], KEYS[2], ARGV[1]
local max, duration = tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mine = tonumber(redis.call('HGET', places, id))
if mine then
  if mine > now then return string.format('%.0f', mine) end
  redis.call('HDEL', places, id)
  return '0'
end
local before = tonumber(redis.call('LINDEX', starts, -max))
local at = before and math.max(now, before + duration) or now
local text = string.format('%.0f', at)
redis.call('RPUSH', starts, text)
redis.call('LTRIM', starts, -max, -1)
redis.call('PEXPIRE', starts, at - now + duration)
if at == now then return '0' end
redis.call('HSET', places, id, text)
redis.call('PEXPIRE', places, at - now + duration + 60000)
return text
`;

/** Bull's `limiter.groupKey`: a rate for each value at a path of the data, over all workers. */
export class GroupLimit {
  readonly #limiter: RateLimiter;
  readonly #path: string[];
  readonly #client: RedisClient;
  readonly #keyOf: (name: string) => string;

  constructor(limiter: RateLimiter, groupKey: string, client: RedisClient, keyOf: (name: string) => string) {
    this.#limiter = limiter;
    this.#path = groupKey.split('.');
    this.#client = client;
    this.#keyOf = keyOf;
  }

  /** When the job may start: 0 for now, else in ms by Redis's clock. Jobs without a value share a group. */
  async placeOf(id: string, data: unknown): Promise<number> {
    const group = this.#keyOf(`limiter:${this.#groupOf(data)}`);
    return Number(await this.#client.eval(place, 2, group, `${group}:places`, id, this.#limiter.max, this.#limiter.duration));
  }

  #groupOf(data: unknown): string {
    let value = data;
    for (const name of this.#path) {
      value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
    }
    return String(value);
  }
}
