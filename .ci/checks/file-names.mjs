// Files are kebab-case and named after the noun or verb inside; a name that fits anything says nothing.

import { filesIn } from '../fingerprint.mjs';

const places = ['src', 'lua', 'test', 'benchmarks', 'examples'];
const code = /\.(ts|mts|cts|mjs|cjs|js|lua)$/;
const saysNothing = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'types', 'interfaces', 'lib']);

export function findings() {
  return places
    .flatMap(filesIn)
    .filter((file) => code.test(file) && !file.includes('node_modules/'))
    .flatMap((file) => {
      const names = file.split('/').slice(1).map((part) => part.replace(/\..*$/, ''));
      const found = [];
      for (const name of names) {
        if (saysNothing.has(name)) found.push(`${file}: "${name}" does not say what is inside`);
        if (!/^_?[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) found.push(`${file}: "${name}" is not kebab-case`);
      }
      return found;
    });
}
