// Blocks of documentation pages that are written from result files.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root, SetupError } from './steps.mjs';

export const count = (number) => Number(number).toLocaleString('en');

const row = (...cells) => `| ${cells.join(' | ')} |`;

export const table = (head, rows) => [row(...head), row(...head.map(() => '---')), ...rows.map((cells) => row(...cells))].join('\n');

/** Puts `text` between `<!-- generated: name -->` and `<!-- /generated -->` of a page. */
export function fill(page, name, text) {
  const file = path.join(root, page);
  const block = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(\n<!-- /generated -->)`);
  const before = readFileSync(file, 'utf8');
  if (!block.test(before)) throw new SetupError(`${page} has no place for ${name}`);
  writeFileSync(file, before.replace(block, (_, begin, end) => `${begin}\n${text}\n${end}`));
}
