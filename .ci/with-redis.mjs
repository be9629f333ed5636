// Runs any Node program of the project with a private Redis, without a set-up:
//   node .ci/with-redis.mjs --import tsx some-script.ts

import { openRedis } from './redis.mjs';
import { runChild } from './run-child.mjs';
import { main } from './steps.mjs';

await main(async (args) => {
  const redis = await openRedis();
  try {
    return await runChild(process.execPath, args, { ...process.env, ...redis.env });
  } finally {
    await redis.stop();
  }
});
