// Lets `npx vitest` work by itself: without a REDIS_URL it opens a private Redis, as `npm test` does.
// With DROVER_TEST_ACL=1 the tests connect as the users that docs/redis-layout.md grants each role.

import { openRoles } from './acl.mjs';
import { openRedis } from './redis.mjs';

export default async function setup() {
  const redis = process.env.REDIS_URL ? undefined : await openRedis();
  Object.assign(process.env, redis?.env);
  const users = process.env.DROVER_TEST_ACL ? await openRoles(process.env.REDIS_URL) : undefined;
  if (users) process.env.DROVER_TEST_USERS = users.template;
  return async () => {
    const denials = (await users?.denials()) ?? [];
    await redis?.stop();
    if (denials.length === 0) return;
    const lines = denials.map(({ username, reason, context, object, count }) => `${username} was denied ${reason} ${object} (${context}), ${count} times`);
    throw new Error(`The documented permissions do not suffice:\n${lines.join('\n')}`);
  };
}
