import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { keyNames } from '../../src/redis/keys.js';
import { stateSets } from '../../src/core/states.js';
import { codes, firstCodes, readPage, root, rows, section } from './documents.js';

const layout = 'docs/redis-layout.md';
const luaDir = join(root, 'lua');
const scripts = readdirSync(luaDir).filter((file) => file.endsWith('.lua')).map((file) => file.replace('.lua', ''));
const lua = [...scripts, ...readdirSync(join(luaDir, 'shared')).map((file) => `shared/${file.replace('.lua', '')}`)]
  .map((name) => readFileSync(join(luaDir, `${name}.lua`), 'utf8')).join('\n');
const unique = (names: Iterable<string>): string[] => [...new Set(names)].sort();
const matches = (pattern: RegExp, text = lua): string[] => unique([...text.matchAll(pattern)].map(([, name = '']) => name));

describe('docs/redis-layout.md', () => {
  test('has every key of a queue', () => {
    // The books of a parent are a key each: children:<id>.
    expect(unique(firstCodes(section(layout, 'Keys')))).toEqual(unique([...keyNames, 'children']));
  });

  test('has every field of meta that a script names', () => {
    const fields = [
      ...matches(/redis\.call\('H(?:GET|SET|DEL|EXISTS|INCRBY)', meta, '(\w+)'/g),
      ...[...lua.matchAll(/redis\.call\('HMGET', meta, ([^)]*)\)/g)].flatMap(([, list = '']) => matches(/'(\w+)'/g, list)),
    ];
    expect(firstCodes(section(layout, 'meta'))).toEqual(expect.arrayContaining(unique(fields)));
  });

  test('has every fact that a script names', () => {
    const known = matches(/\bknown\.(\w+)/g);
    expect(firstCodes(section(layout, 'Facts'))).toEqual(expect.arrayContaining(known));
  });

  test('has every kind of change that a script announces', () => {
    const kinds = matches(/(?:moved|notes|arrived)\[[^\]]*\](?:, \w+)? = \{ '([\w-]+)'/g);
    expect(kinds.length).toBeGreaterThan(5);
    expect(firstCodes(section(layout, 'Events'))).toEqual(expect.arrayContaining(kinds));
  });

  test('has every field of an event entry', () => {
    const decoder = readFileSync(join(root, 'src/events/decode.ts'), 'utf8');
    const fields = matches(/^ {2}(\w+): \(value/gm, decoder);
    expect(fields.length).toBeGreaterThan(3);
    expect(firstCodes(section(layout, 'Events'))).toEqual(expect.arrayContaining([...fields, 'names', 'results']));
  });

  test('permits every command that the sources send beside the scripts', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const sources = files.map((file) => readFileSync(join(root, 'src', file), 'utf8')).join('\n');
    const sent = matches(/command\(\s*'(\w+)'/g, sources);
    const permitted = matches(/\+(\w+)/g, section(layout, 'Permissions'));
    expect(sent.length).toBeGreaterThan(10);
    expect(permitted).toEqual(expect.arrayContaining(sent));
  });

  test('links only to scripts that exist', () => {
    expect(scripts).toEqual(expect.arrayContaining(matches(/scripts\.md#([\w-]+)/g, readPage(layout))));
  });
});

describe('docs/states.md', () => {
  const transitions = rows(section('docs/states.md', 'Transitions'));

  test('names only scripts that exist', () => {
    const named = transitions.flatMap(([, , script]) => codes(script)).filter((name) => !name.includes(':') && !name.includes('.'));
    expect(scripts).toEqual(expect.arrayContaining(named));
  });

  test('has every script that moves a job between states', () => {
    const moving = scripts.filter((script) => movesJobs(readFileSync(join(luaDir, `${script}.lua`), 'utf8')));
    expect(transitions.flatMap(([, , script]) => codes(script))).toEqual(expect.arrayContaining(moving));
  });

  test('has every state', () => {
    const states = rows(readPage('docs/states.md')).filter((row) => row.length === 4).flatMap(([, set]) => codes(set));
    expect(states).toEqual(expect.arrayContaining([...stateSets]));
  });
});

/** True for a script that puts jobs into a state set or takes them out, by itself rather than through what it includes. */
function movesJobs(script: string): boolean {
  return [...stateSets, 'set'].some((set) => new RegExp(`'Z(?:ADD|REM|POPMIN)', ${set},`).test(script));
}

test('docs/scripts.md and the permissions are what lua/ says', () => {
  // Throws with the names of the pages when they are not: run "node .ci/docs.mjs".
  execFileSync(process.execPath, ['.ci/docs.mjs', '--check'], { cwd: root, stdio: 'pipe' });
});
