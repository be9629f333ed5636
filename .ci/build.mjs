// lua/ and src/ into dist/. `npm run build` always builds; the other commands build when something changed.

import { renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { embedLua } from './embed-lua.mjs';
import { fingerprint, isStamped, stamp } from './fingerprint.mjs';
import { install } from './install.mjs';
import { exclusively } from './lock.mjs';
import { isEntryPoint, main, root, step } from './steps.mjs';

const stampFile = 'dist/.built-from';
export const sources = ['src', 'lua', 'package.json', 'package-lock.json', 'tsconfig.base.json', 'tsconfig.build.json'];

/** Builds dist when it was not built from the sources as they are. */
export async function buildIfStale() {
  embedLua();
  if (isStamped(stampFile, fingerprint(...sources))) return;
  await exclusively('build', async () => {
    const from = fingerprint(...sources);
    if (!isStamped(stampFile, from)) await build(from);
  });
}

async function build(from) {
  const fresh = `dist-${process.pid}`;
  try {
    await step('build', process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', fresh]);
    stamp(`${fresh}/${path.basename(stampFile)}`, from);
    // Swapped whole, so that nobody imports half a build, and files of sources that are gone go with them.
    rmSync(path.join(root, 'dist'), { recursive: true, force: true });
    renameSync(path.join(root, fresh), path.join(root, 'dist'));
  } finally {
    rmSync(path.join(root, fresh), { recursive: true, force: true });
  }
}

if (isEntryPoint(import.meta.url)) {
  await main(async () => {
    await install();
    embedLua();
    await exclusively('build', () => build(fingerprint(...sources)));
  });
}
