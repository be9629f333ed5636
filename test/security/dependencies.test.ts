import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** What users get with Drover: no more than this, and exactly this. */

interface Locked {
  version: string;
  integrity?: string;
  license?: string;
  dev?: boolean;
  optional?: boolean;
  hasInstallScript?: boolean;
  dependencies?: Record<string, string>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
const manifest = read('package.json') as { dependencies: Record<string, string>; devDependencies: Record<string, string>; scripts: Record<string, string> };
const { packages } = read('package-lock.json') as { packages: Record<string, Locked> };

const shipped = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev);
const licences = ['MIT', 'ISC', 'BSD-3-Clause', 'Apache-2.0'];

test('every version is exact, also of what only development needs', () => {
  for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies })) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});

test('four packages are asked for, and fewer than forty come', () => {
  expect(Object.keys(manifest.dependencies).sort()).toEqual(['cron-parser', 'ioredis', 'msgpackr', 'pino']);
  expect(shipped.length).toBeLessThan(40);
});

test('nothing of Drover runs at its installation', () => {
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']) expect(manifest.scripts).not.toHaveProperty(name);
});

test('one optional package has an install script, which is not needed', () => {
  const scripted = shipped.filter(([, { hasInstallScript }]) => hasInstallScript);
  expect(scripted.map(([path, { optional }]) => [path, optional])).toEqual([['node_modules/msgpackr-extract', true]]);
});

describe.each(shipped)('%s', (path, locked) => {
  test('has integrity and a known licence, and is installed in the version that is locked', () => {
    expect(locked.integrity).toMatch(/^sha512-/);
    expect(licences).toContain(locked.license);
    const file = join(path, 'package.json');
    // The prebuilt parts for other systems are not installed.
    if (!existsSync(join(root, file))) return expect(locked.optional).toBe(true);
    const installed = read(file) as { version: string; license?: string };
    expect(installed).toMatchObject({ version: locked.version, license: locked.license });
  });
});
