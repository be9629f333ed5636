// Three places name the keys of a script: its header, its locals, and its definition in src/redis/scripts/.
// Nobody counts positions, so they have to agree.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { scriptFiles, scriptName } from '../embed-lua.mjs';
import { filesIn } from '../fingerprint.mjs';
import { root } from '../steps.mjs';
import { readDefinitions } from './script-definitions.mjs';

const mostLines = 130;
const sections = ['KEYS', 'ARGV', 'REPLY', 'COST'];

export function findings() {
  const scripts = scriptFiles();
  const definitions = filesIn('src/redis/scripts').filter((file) => file.endsWith('.ts'));
  return [...scripts.flatMap(scriptFaults), ...definitions.flatMap((file) => strayDefinitions(file, scripts))];
}

function scriptFaults(file) {
  const lua = readFileSync(path.join(root, 'lua', file), 'utf8');
  const verb = path.basename(file, '.lua');
  const { title, lists, missing } = readHeader(lua);
  const faults = [];
  const lines = lua.trimEnd().split('\n').length;
  if (lines > mostLines) faults.push(`has ${lines} lines, more than ${mostLines}`);
  if (!title.startsWith(`-- ${verb}: `)) faults.push(`line 1 should begin with "-- ${verb}: "`);
  for (const section of missing) faults.push(`the header has no "-- ${section}" line`);
  if (lists.KEYS) faults.push(...localFaults(lua, lists.KEYS), ...definitionFaults(file, lists.KEYS));
  return faults.map((fault) => `lua/${file}: ${fault}`);
}

/** The comment lines at the top: the title, and under each section's name its lines, continuations included. */
function readHeader(lua) {
  const lines = /^(?:--.*\n)*/.exec(lua)[0].trimEnd().split('\n');
  const text = {};
  let section;
  for (const line of lines.slice(1)) {
    const [, name, rest] = /^-- ([A-Z]+)\b(.*)$/.exec(line) ?? [];
    if (sections.includes(name)) section = name;
    else if (/^-- include /.test(line)) break;
    if (section) text[section] = `${text[section] ?? ''} ${sections.includes(name) ? rest : line.slice(2)}`;
  }
  return {
    title: lines[0] ?? '',
    lists: { KEYS: text.KEYS === undefined ? undefined : names(text.KEYS) },
    missing: sections.filter((name) => text[name] === undefined),
  };
}

const names = (list) => list.split('·').map((name) => name.trim()).filter((name) => name !== '' && name !== 'none');

function localFaults(lua, keys) {
  const faults = [];
  for (const [, locals, values] of lua.matchAll(/\blocal\s+([\w\s,]+?)\s*=\s*(KEYS\[\d+\](?:\s*,\s*KEYS\[\d+\])*)/g)) {
    const positions = [...values.matchAll(/\d+/g)].map(Number);
    locals.split(',').map((name) => name.trim()).forEach((name, index) => {
      const position = positions[index];
      const expected = keys[position - 1];
      if (name !== expected) faults.push(`local ${name} = ${position ? `KEYS[${position}]` : 'nothing'}, which the header calls ${expected ?? 'nothing'}`);
    });
  }
  for (const [, position] of lua.matchAll(/\bKEYS\[(\d+)\]/g)) {
    if (!keys[position - 1]) faults.push(`KEYS[${position}] is not in the header`);
  }
  return [...new Set(faults)];
}

function definitionFaults(file, keys) {
  const place = `src/redis/scripts/${file.replace(/\.lua$/, '.ts')}`;
  if (!existsSync(path.join(root, place))) return [`has no definition in ${place}`];
  const definition = readDefinitions(place).find(({ source }) => source === scriptName(file));
  if (!definition) return [`${place} has no defineScript({ source: lua.${scriptName(file)}, ... })`];
  if (!definition.keys) return [`${place}: keys should be a literal list of names`];
  const [header, defined] = [keys.join(' · '), definition.keys.join(' · ')];
  return header === defined ? [] : [`the header and ${place} disagree on the keys:\n  header      ${header}\n  definition  ${defined}`];
}

/** A definition whose script is gone. Files there that define no script are none of this check's business. */
function strayDefinitions(file, scripts) {
  const known = scripts.map(scriptName);
  return readDefinitions(file)
    .filter(({ source }) => !known.includes(source))
    .map(({ source }) => `${file}: there is no script for lua.${source}`);
}
