import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Writes a result with its date as JSON; answers the file's name within the project. */
export function saveResult(name: string, result: object): string {
  const folder = fileURLToPath(new URL('./results/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const date = new Date().toISOString();
  const file = `${date.slice(0, 16).replace('T', '-').replace(':', '')}-${name}.json`;
  writeFileSync(join(folder, file), `${JSON.stringify({ date, kind: name.replace(/-\d+$/, ''), ...result }, undefined, 2)}\n`);
  return `test/faults/results/${file}`;
}
