// Puts lua/*.lua into src/redis/lua.generated.ts, so that the package carries its scripts as code and reads
// no file when it is imported. `--check` writes nothing and fails when the generated file is not current.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { foldKeys } from './fold-keys.mjs';
import { minifyLua } from './minify-lua.mjs';
import { isEntryPoint, root } from './steps.mjs';

const target = path.join(root, 'src/redis/lua.generated.ts');
const luaDir = path.join(root, 'lua');

/** change-delay.lua is `lua.changeDelay`. */
export const scriptName = (file) => path.basename(file, '.lua').replace(/-(\w)/g, (_, letter) => letter.toUpperCase());

export const scriptFiles = () => readdirSync(luaDir).filter((file) => file.endsWith('.lua')).sort();

/** The source of a script with its `-- include shared/<name>.lua` lines replaced, each file once. */
export function expandIncludes(file, seen = new Set()) {
  return readFileSync(path.join(luaDir, file), 'utf8').replace(/^[ \t]*-- include (\S+)[ \t]*$/gm, (_, included) => {
    if (!/^shared\/[\w-]+\.lua$/.test(included)) throw new Error(`lua/${file}: cannot include ${included}: only shared/<name>.lua`);
    if (seen.has(included)) return '';
    seen.add(included);
    return expandIncludes(included, seen);
  });
}

function generate() {
  const scripts = scriptFiles().map((file) => [scriptName(file), minifyLua(foldKeys(expandIncludes(file), file))]);
  const names = scripts.map(([name]) => `'${name}'`).join(' | ') || 'never';
  const sources = scripts.map(([name, source]) => `  ${name}: \`${source.replace(/[\\`]|\$(?=\{)/g, '\\$&')}\`,\n`);
  return `// Generated from lua/ by "npm run build"; do not edit.

export type ScriptName = ${names};

export const lua: Readonly<Record<ScriptName, string>> = {
${sources.join('')}};
`;
}

function current() {
  try {
    return readFileSync(target, 'utf8');
  } catch {
    return undefined;
  }
}

export const isCurrent = () => current() === generate();

/** Writes the generated file, unless it is current: its time of change decides what is built anew. */
export function embedLua() {
  const text = generate();
  if (current() === text) return;
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(target, text);
}

if (isEntryPoint(import.meta.url)) {
  if (!process.argv.includes('--check')) embedLua();
  else if (!isCurrent()) {
    console.error('src/redis/lua.generated.ts is not current: run "npm run build"');
    process.exitCode = 1;
  }
}
