// Installs what package-lock.json says, unless it is there already.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fingerprint, isStamped, stamp } from './fingerprint.mjs';
import { exclusively } from './lock.mjs';
import { root, say, step } from './steps.mjs';

const stampFile = 'node_modules/.drover-installed';

export async function install() {
  if (isInstalled()) return;
  await exclusively('install', async () => {
    if (isInstalled()) return;
    say('installing dependencies');
    await step('dependencies', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    stamp(stampFile, lockHash());
  });
}

const lockHash = () => fingerprint('package.json', 'package-lock.json');

function isInstalled() {
  if (isStamped(stampFile, lockHash())) return true;
  if (!matchesLock()) return false;
  stamp(stampFile, lockHash());
  return true;
}

/** Whether node_modules, as npm itself recorded it, holds what the lockfile asks for: an `npm install` by hand did the work. */
function matchesLock() {
  const wanted = readPackages('package-lock.json');
  const present = readPackages('node_modules/.package-lock.json');
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([name, { version, optional, peer }]) => {
    if (name === '') return isDeclaredAsIn(wanted[name]);
    const found = present[name];
    return found ? found.version === version : Boolean(optional || peer);
  });
}

/** A package.json that was edited after the lockfile is for `npm ci` to complain about. */
function isDeclaredAsIn(locked) {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const sorted = (object) => JSON.stringify(Object.entries(object ?? {}).sort());
  return sorted(dependencies) === sorted(locked.dependencies) && sorted(devDependencies) === sorted(locked.devDependencies);
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(path.join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}
