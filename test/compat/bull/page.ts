import { sectionOf } from '../surface/page.js';
import { bull } from './library.js';
import { innerParts, undeclared } from './undeclared.js';

/** Bull's half of docs/compatibility.md. */
export function bullSection(): string {
  const names = undeclared();
  const inner = names.filter((name) => innerParts.has(name));
  return [
    sectionOf(bull).trimEnd(),
    '',
    '### Bull: not declared',
    '',
    `Another ${names.length} public names Bull has at run time and does not declare: ${names.length - inner.length} are the same,`,
    `${inner.length} are left out. A test looks for each.`,
    '',
    '| name | in Drover |',
    '|-|-|',
    ...names.map((name) => `| \`${name}\` | ${innerParts.has(name) ? 'left out: how Bull works inside' : 'same'} |`),
    '',
  ].join('\n');
}
