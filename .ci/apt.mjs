// Programs from the system's packages, for machines that are made to run tests: Debian or Ubuntu, and root.

import { accessSync, constants, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { say, step } from './steps.mjs';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Installs a package, without starting a service of it. Answers whether that was possible. */
export async function installWithApt(name) {
  if (process.getuid?.() !== 0 || !inPath('apt-get')) return false;
  say(`installing the package ${name}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  await withoutStartingServices(async () => {
    await step('package lists', 'apt-get', ['update', ...wait], { env });
    await step(name, 'apt-get', ['install', '-y', '--no-install-recommends', ...wait, name], { env });
  });
  return true;
}

/** Debian asks this file before it starts a freshly installed service; 101 means "do not". */
async function withoutStartingServices(run) {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const remove = () => isOurs && rmSync(policy, { force: true });
  // An interrupted run must not leave a machine on which no service starts any more.
  const abandon = () => {
    remove();
    process.exit(130);
  };
  for (const signal of signals) process.once(signal, abandon);
  try {
    await run();
  } finally {
    for (const signal of signals) process.off(signal, abandon);
    remove();
  }
}

/** The path of a program. */
export function inPath(name) {
  return (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((dir) => path.join(dir, name))
    .find(isProgram);
}

export function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
