// The package as users get it: packed, installed in an empty project, and used from ES modules, from CommonJS
// and from strict TypeScript that also checks the declarations it imports.

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture, root } from '../steps.mjs';

const consumers = fileURLToPath(new URL('consumers/', import.meta.url));
/** What TypeScript 5 does for `module: commonjs` when nothing else is said. */
const oldResolution = ['--ignoreConfig', '--noEmit', '--strict', '--target', 'es2022', '--types', 'node', '--module', 'commonjs', '--moduleResolution', 'node10', '--ignoreDeprecations', '6.0', '--pretty', 'false'];
const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

export async function findings() {
  const dir = mkdtempSync(path.join(tmpdir(), 'drover-consumer-'));
  try {
    const installFault = await installPacked(dir);
    if (installFault) return [installFault];
    for (const file of ['esm.mjs', 'commonjs.cjs', 'strict.ts', 'required.cts', 'tsconfig.json']) copyFileSync(path.join(consumers, file), path.join(dir, file));
    const node = (...args) => capture(process.execPath, args, { cwd: dir });
    return [
      ...missingExports(path.join(dir, 'node_modules/drover')),
      ...fault('an ES module', await node('esm.mjs')),
      ...fault('a CommonJS module', await node('commonjs.cjs')),
      ...fault('strict TypeScript', await node(compiler, '-p', '.', '--pretty', 'false')),
      ...fault('TypeScript that does not know `exports`', await node(compiler, ...oldResolution, 'required.cts')),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function installPacked(dir) {
  const packed = await capture('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', dir]);
  if (packed.code !== 0) return `npm pack failed:\n${packed.output.trim()}`;
  const tarball = packed.output.trim().split('\n').at(-1);
  writeFileSync(path.join(dir, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  // Without scripts: the package has to work where they are forbidden.
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  const packages = [`./${tarball}`, `@types/node@${manifest.devDependencies['@types/node']}`];
  const installed = await capture('npm', ['install', ...options, ...packages], { cwd: dir });
  return installed.code === 0 ? undefined : `npm install of the package failed:\n${installed.output.trim()}`;
}

function missingExports(installed) {
  return Object.entries(manifest.exports)
    .flatMap(([name, targets]) => (typeof targets === 'string' ? [[name, targets]] : Object.values(targets).map((file) => [name, file])))
    .filter(([, file]) => !existsSync(path.join(installed, file)))
    .map(([name, file]) => `exports "${name}" names ${file}, which is not in the package`);
}

const fault = (who, { code, output }) => (code === 0 ? [] : [`${who} cannot use the package:\n${output.trim()}`]);
