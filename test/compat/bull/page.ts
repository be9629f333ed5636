import { sectionOf, type Section } from '../surface/page.js';
import { bull } from './library.js';
import { innerParts, undeclared } from './undeclared.js';

/** Bull's half of docs/compatibility.md. */
export function bullSection(): Section {
  const { summary, differences, names: declared } = sectionOf(bull);
  const names = undeclared();
  const inner = names.filter((name) => innerParts.has(name)).length;
  return {
    summary: [...summary, `Another ${names.length} it has at run time and does not declare: ${names.length - inner} are the same, ${inner} are how Bull works inside.`],
    differences,
    names: [
      declared.trimEnd(),
      '',
      '### Bull: not declared',
      '',
      'Public names that Bull has at run time and does not declare. A test looks for each.',
      '',
      '| name | in Drover |',
      '|-|-|',
      ...names.map((name) => `| \`${name}\` | ${innerParts.has(name) ? 'left out: how Bull works inside' : 'same'} |`),
    ].join('\n'),
  };
}
