import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as controlErrors from '../../src/core/control-errors.js';
import { catalogue } from '../../src/core/errors.js';
import { codes, firstCodes, root, rows, section } from './documents.js';

const documented = rows(section('docs/errors.md', 'Codes'));

/** Every `new SomeError('CODE'` in the sources. */
function thrown(): [code: string, className: string][] {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const text = files.map((file) => readFileSync(join(root, 'src', file), 'utf8')).join('\n');
  return [...text.matchAll(/new (\w+Error)\(\s*'([A-Z_]+)'/g)].map(([, className = '', code = '']) => [code, className]);
}

describe('docs/errors.md', () => {
  test('lists the catalogue, each code with its advice', () => {
    const advice = Object.fromEntries(documented.map(([code, , text]) => [codes(code)[0], text]));
    expect(advice).toEqual(catalogue);
  });

  test('names the class that carries each code', () => {
    const classes = new Map(documented.map(([code, names]) => [codes(code)[0], codes(names)]));
    const wrong = thrown().filter(([code, className]) => !classes.get(code)?.includes(className));
    expect(wrong).toEqual([]);
  });

  test('lists the errors that a handler may throw', () => {
    const classes = Object.keys(controlErrors).filter((name) => name.endsWith('Error'));
    expect(firstCodes(section('docs/errors.md', 'What a handler may throw')).sort()).toEqual(classes.sort());
  });
});
