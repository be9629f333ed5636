import { checkName } from '../core/check.js';
import { QueueKeys } from '../redis/keys.js';
import { isCluster, type RedisClient } from '../redis/options.js';
import { defaultPrefix } from './queue-base.js';

/**
 * Removes every key of a queue, whatever its jobs are at, then ends the client; for the clean-up after tests. It looks
 * through all keys of the server, so a queue in service is better removed with `queue.obliterate()`.
 * `prefix` is that of the queue, by default `drover`.
 */
export async function removeAllQueueData(client: RedisClient, queueName: string, prefix = defaultPrefix): Promise<void> {
  checkName(queueName, 'queueName');
  checkName(prefix, 'prefix');
  const match = `${literally(new QueueKeys(prefix, queueName).base)}*`;
  // A cluster's nodes are known once one of them has answered.
  await client.ping();
  for (const node of isCluster(client) ? client.nodes('master') : [client]) {
    for await (const keys of node.scanStream({ match, count: 1000 }) as AsyncIterable<string[]>) {
      if (keys.length > 0) await node.unlink(...keys);
    }
  }
  await client.quit();
}

/** A pattern of `SCAN` that stands for this text alone. */
function literally(text: string): string {
  return text.replace(/[\\*?[\]^]/g, '\\$&');
}
