import type { Bench } from './bench.js';
import type { Point } from '../lua/instrument.js';

export interface Coverage {
  statements: { hit: number; all: number };
  branches: { hit: number; all: number };
  lines: { hit: number; all: number };
  missed: Point[];
}

/** What of the Lua was come by. A line counts when all its statements were. */
export function coverageOf({ points, hits }: Bench): Coverage {
  const share = (kind: Point['kind']): { hit: number; all: number } => {
    const all = points.all.filter((point) => point.kind === kind);
    return { hit: all.filter(({ id }) => hits.has(id)).length, all: all.length };
  };
  const missed = points.all.filter(({ id }) => !hits.has(id));
  const lineOf = ({ file, line }: Point): string => `${file}:${line}`;
  const statements = points.all.filter(({ kind }) => kind === 'statement');
  const all = new Set(statements.map(lineOf));
  const missedLines = new Set(missed.filter(({ kind }) => kind === 'statement').map(lineOf));
  return { statements: share('statement'), branches: share('branch'), lines: { hit: all.size - missedLines.size, all: all.size }, missed };
}

export function shownCoverage({ statements, branches, lines, missed }: Coverage): string {
  const part = (name: string, { hit, all }: { hit: number; all: number }): string => `${name} ${hit} of ${all} (${((hit / all) * 100).toFixed(1)} %)`;
  return [
    `Lua reached: ${part('lines', lines)}, ${part('statements', statements)}, ${part('ways past an if', branches)}`,
    ...missed.map(({ file, line, column, kind, text }) => `  not reached: lua/${file}:${line}:${column + 1} (${kind}) ${text}`),
  ].join('\n');
}
