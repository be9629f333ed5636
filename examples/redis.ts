/** What every queue and worker here has in common: which Redis, and the prefix of its keys there. */
const { REDIS_URL = 'redis://127.0.0.1:6379', QUEUE_PREFIX = 'examples' } = process.env;

export const redis = { connection: { url: REDIS_URL }, prefix: QUEUE_PREFIX };
