import type { Redis } from 'ioredis';

const stepsPerCall = 100_000;

/** Looks up what is not there: each look moves one bucket of a table that grows. */
const look = "for i = 1, ARGV[2] do redis.call(ARGV[1], KEYS[1], '?') end";

/** How the size of a key is asked, and something in its hash table; other types have none, or none that grows slowly. */
const commands: Record<string, { size: string; look: string }> = {
  hash: { size: 'HLEN', look: 'HEXISTS' },
  zset: { size: 'ZCARD', look: 'ZSCORE' },
  set: { size: 'SCARD', look: 'SISMEMBER' },
};

/**
 * Lets Redis finish growing its hash tables. A table that is full is replaced by one twice as large, and its entries
 * move there one bucket with each operation on the key: after a fill of 5 million jobs, during 4 million operations.
 * Until then each operation costs two to three times as much, whichever queue it belongs to.
 */
export async function letTablesGrow(redis: Redis): Promise<void> {
  for (const key of await redis.keys('*')) {
    const command = commands[await redis.type(key)];
    if (!command) continue;
    const size = Number(await redis.call(command.size, key));
    for (let steps = 0; steps < size; steps += stepsPerCall) await redis.eval(look, 1, key, command.look, stepsPerCall);
  }
}
