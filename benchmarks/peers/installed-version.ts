import { readFile } from 'node:fs/promises';

/** The version of an installed package, also of one that does not export its package.json. */
export async function installedVersion(name: string): Promise<string> {
  const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  const manifest = JSON.parse(await readFile(file, 'utf8')) as { version: string };
  return manifest.version;
}
