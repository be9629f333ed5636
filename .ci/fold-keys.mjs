// Puts `KEYS[n]` where a script names a key. A local that functions use costs Redis an upvalue in each of them, at
// every call; the name is for readers only.

import { opaque } from './minify-lua.mjs';

/** `local a, b = KEYS[1], KEYS[2]`, over as many lines as it takes. */
const declaration = /^local ([\w\s,]+?)\s*=\s*(KEYS\[\d+\](?:\s*,\s*KEYS\[\d+\])*)[ \t]*$/m;

/** Whatever gives a name another meaning: a parameter, a local, a variable of a loop. */
const binding = /\bfunction\b[^(\n]*\(([^)]*)\)|\blocal\s+(?!function\b)([\w\s,]+?)(?=\s*(?:=|\n|$))|\bfor\s+([\w\s,]+?)\s*(?:=|\bin\b)/g;

/** The source with its keys in place. Throws when something else in the script has the name of a key. */
export function foldKeys(source, script) {
  const found = declaration.exec(source);
  if (!found) return source;
  const places = new Map(names(found[1]).map((name, i) => [name, names(found[2])[i]]));
  const rest = source.slice(0, found.index) + source.slice(found.index + found[0].length);
  return mapCode(rest, (code) => {
    refuseShadows(code, places, script);
    return code.replace(/(?<![\w.:])([A-Za-z_]\w*)\b(?!\s*=(?!=))/g, (name) => places.get(name) ?? name);
  });
}

const names = (list) => list.split(',').map((name) => name.trim());

function refuseShadows(code, places, script) {
  for (const [, ...lists] of code.matchAll(binding)) {
    for (const name of names(lists.find((list) => list !== undefined) ?? '')) {
      if (places.has(name)) throw new Error(`lua/${script}: "${name}" is a key, and something else has the same name`);
    }
  }
}

/** Applies `change` to what lies between comments and strings. */
function mapCode(source, change) {
  let text = '';
  let from = 0;
  for (const match of source.matchAll(opaque)) {
    text += change(source.slice(from, match.index)) + match[0];
    from = match.index + match[0].length;
  }
  return text + change(source.slice(from));
}
