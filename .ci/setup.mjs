// From a fresh clone to something that runs: dependencies, build, Redis. Each step is skipped when it is done.

import { buildIfStale } from './build.mjs';
import { install } from './install.mjs';
import { openRedis } from './redis.mjs';
import { runChild } from './run-child.mjs';
import { SetupError } from './steps.mjs';

const oldestNode = [20, 19];

export async function setUp() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    throw new SetupError(`Drover needs Node.js ${oldestNode.join('.')} or newer; this is ${process.versions.node}.`);
  }
  await install();
  await buildIfStale();
}

/** Sets up, opens a Redis, runs `args` with Node, and closes the Redis. Resolves with the exit code. */
export async function runWithRedis(args, { env } = {}) {
  await setUp();
  const redis = await openRedis();
  try {
    return await runChild(process.execPath, args, { ...process.env, ...redis.env, ...env });
  } finally {
    await redis.stop();
  }
}

/** A TypeScript entry point of the project, without a build of its own. */
export const runTypeScript = (entry, args) => runWithRedis(['--import', 'tsx', entry, ...args]);
