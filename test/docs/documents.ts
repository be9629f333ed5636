import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's own pages, and what tests read out of them. */

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Paths of README.md and of everything in docs/, from the root. */
export const pages: readonly string[] = [
  'README.md',
  ...readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md')).sort().map((file) => `docs/${file}`),
];

export const readPage = (page: string): string => readFileSync(join(root, page), 'utf8');

export interface Snippet {
  page: string;
  /** The line of the page on which its code begins. */
  line: number;
  code: string;
  /** What a comment right above says of it, e.g. `runs against Redis`. */
  note: string | undefined;
}

/** The code blocks of one language. */
export function snippets(page: string, language: string): Snippet[] {
  const text = readPage(page);
  const blocks = text.matchAll(/(?:^<!-- test: (.*) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm);
  return [...blocks].filter(([, , named]) => named === language).map((block) => {
    const [whole, note, , code = ''] = block;
    const before = text.slice(0, block.index + whole.indexOf('```'));
    return { page, line: before.split('\n').length + 1, code, note };
  });
}

/** The text under a heading, down to the next of the same or a higher level. */
export function section(page: string, heading: string): string {
  const lines = readPage(page).split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (start < 0) throw new Error(`${page} has no heading "${heading}".`);
  const level = levelOf(lines[start]);
  const length = lines.slice(start + 1).findIndex((line) => level >= levelOf(line));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** How deep a heading is; a line that is none is deeper than any. */
const levelOf = (line = ''): number => /^#+(?= )/.exec(line)?.[0].length ?? Infinity;

/** The rows of all tables in a text, cell by cell, without headings. */
export function rows(text: string): string[][] {
  const lines = text.split('\n');
  return lines
    .filter((line, i) => line.startsWith('|') && !isRule(line) && !isRule(lines[i + 1] ?? ''))
    .map((line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

const isRule = (line: string): boolean => /^\|[-| ]+\|$/.test(line);

/** What stands in `code` in a cell. */
export const codes = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** The names in `code` in the first cells of the tables of a text. */
export const firstCodes = (text: string): string[] => rows(text).flatMap(([first]) => codes(first));
