import { readFile } from 'node:fs/promises';

const page = new URL('../docs/performance.md', import.meta.url);
const heading = '## Not yet reached';

/** Why a row is not met and what to try next, by its label, as docs/performance.md tells it. */
export async function knownReasons(): Promise<ReadonlyMap<string, string>> {
  const [, section = ''] = (await readFile(page, 'utf8')).split(`${heading}\n`);
  const [table = ''] = section.split('\n## ');
  const rows = table.matchAll(/^\| ([^|]+?) \| (.+?) \|$/gm);
  return new Map([...rows].map(([, label = '', reason = '']) => [label, reason]));
}
