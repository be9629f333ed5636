// The project of test/compat/real-software: other people's software, installed as its users do it, on Drover as it is
// packed. It has a lockfile of its own, because in the project itself `bullmq` and `bull` are the real ones.
// `node .ci/real-software.mjs` sets it up, `node .ci/real-software.mjs lock` writes its lockfile anew.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildIfStale, sources } from './build.mjs';
import { fingerprint, isStamped, stamp } from './fingerprint.mjs';
import { exclusively } from './lock.mjs';
import { capture, isEntryPoint, main, root, SetupError, step } from './steps.mjs';

const project = 'test/compat/real-software/project';
const inProject = { cwd: path.join(root, project) };
const stampFile = `${project}/node_modules/.drover-installed`;
const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

/** Builds and packs Drover, installs the project and compiles its programs, as far as that is not done. */
export async function setUpRealSoftware() {
  await buildIfStale();
  await exclusively('real-software', async () => {
    const from = fingerprint(...sources, ...madeFrom);
    if (isStamped(stampFile, from)) return;
    await packDrover();
    await step('NestJS and bull-board', 'npm', ['ci', ...quiet], inProject);
    await step('their programs', process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', project]);
    stamp(stampFile, from);
  });
}

const madeFrom = ['package.json', 'package-lock.json', 'tsconfig.json', 'bull', 'nest-bullmq.ts', 'nest-bull.ts', 'board.ts'].map((file) => `${project}/${file}`);

async function packDrover() {
  const packed = await capture('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', project]);
  if (packed.code !== 0) throw new SetupError(`npm pack failed:\n${packed.output.trim()}`);
  renameSync(path.join(root, project, packed.output.trim().split('\n').at(-1)), path.join(root, project, 'drover.tgz'));
}

async function writeLockfile() {
  await buildIfStale();
  await packDrover();
  await step('lockfile', 'npm', ['install', '--package-lock-only', ...quiet], inProject);
  const file = path.join(root, project, 'package-lock.json');
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  // Drover is packed anew all the time.
  for (const found of Object.values(lock.packages)) if (found.resolved === 'file:drover.tgz') delete found.integrity;
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}

if (isEntryPoint(import.meta.url)) await main(([command]) => (command === 'lock' ? writeLockfile() : setUpRealSoftware()));
