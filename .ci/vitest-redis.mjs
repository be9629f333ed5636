// Lets `npx vitest` work by itself: without a REDIS_URL it opens a private Redis, as `npm test` does.

import { openRedis } from './redis.mjs';

export default async function setup() {
  if (process.env.REDIS_URL) return;
  const { env, stop } = await openRedis();
  Object.assign(process.env, env);
  return stop;
}
