// Two commands started at once in one checkout must not both install or build into it.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from './steps.mjs';

// The lock lies outside the checkout, because an install removes node_modules and a build replaces dist.
const lockName = (purpose) => path.join(tmpdir(), `drover-${purpose}-${createHash('sha256').update(root).digest('hex').slice(0, 16)}.lock`);

export async function exclusively(purpose, run) {
  const lock = lockName(purpose);
  while (!acquire(lock)) await sleep(100);
  const release = () => rmSync(lock, { recursive: true, force: true });
  process.once('exit', release);
  try {
    return await run();
  } finally {
    process.off('exit', release);
    release();
  }
}

function acquire(lock) {
  try {
    mkdirSync(lock);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (isAbandoned(lock)) rmSync(lock, { recursive: true, force: true });
    return false;
  }
  writeFileSync(path.join(lock, 'pid'), String(process.pid));
  return true;
}

function isAbandoned(lock) {
  try {
    process.kill(Number(readFileSync(path.join(lock, 'pid'), 'utf8')), 0);
    return false;
  } catch (error) {
    // ENOENT: the owner is just about to write its id.
    return error.code === 'ESRCH';
  }
}
