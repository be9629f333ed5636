import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../lua/', import.meta.url));

/** A line of an expanded script, and where it was written. */
export interface SourceLine {
  /** Under `lua/`. */
  file: string;
  /** From 1. */
  line: number;
  text: string;
}

/** The names of all scripts, without `.lua`. */
export function scriptFiles(): string[] {
  return readdirSync(folder).filter((file) => file.endsWith('.lua')).map((file) => file.slice(0, -'.lua'.length)).sort();
}

/** The lines of a script with its `-- include` lines replaced, each file once. They stay in step with their files. */
export function expandScript(name: string): SourceLine[] {
  return expand(`${name}.lua`, new Set());
}

function expand(file: string, seen: Set<string>): SourceLine[] {
  return readFileSync(folder + file, 'utf8').split('\n').flatMap((text, i) => {
    const included = /^[ \t]*-- include (\S+)[ \t]*$/.exec(text)?.[1];
    if (included === undefined) return [{ file, line: i + 1, text }];
    if (seen.has(included)) return [];
    seen.add(included);
    return expand(included, seen);
  });
}
