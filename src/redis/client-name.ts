import type { QueueKeys } from './keys.js';

/** What the connection of a QueueEvents ends its name with. */
export const QUEUE_EVENT_SUFFIX = ':qe';

/** The name of a queue's connection in `CLIENT LIST`, which takes printable ASCII without blanks only. */
export function clientName(keys: QueueKeys, suffix = ''): string {
  return `${keys.prefix}:${Buffer.from(keys.queue).toString('base64')}${suffix}`.replace(/[^\x21-\x7e]/g, '_');
}
