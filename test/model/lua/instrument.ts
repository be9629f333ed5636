import { parse, type Chunk, type Node, type Statement } from 'luaparse';
import { expandScript, type SourceLine } from './expand-script.js';

/** A place whose execution is counted: a statement, or the way past an `if` without `else`. */
export interface Point {
  readonly id: number;
  readonly kind: 'statement' | 'branch';
  /** Under `lua/`. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** A statement of an expanded script by the offsets of its text. */
export interface Piece {
  readonly point: Point;
  readonly type: Statement['type'];
  readonly from: number;
  readonly to: number;
}

export interface Instrumented {
  readonly name: string;
  /** As it is run: every statement and way counts itself in `__hits`. */
  readonly source: string;
  /** As it was expanded. */
  readonly plain: string;
  readonly pieces: readonly Piece[];
  readonly insertions: readonly Insertion[];
}

/** Numbers the places of all scripts. A snippet that several scripts include has each place once. */
export class Points {
  readonly #byPlace = new Map<string, Point>();
  readonly all: Point[] = [];

  at(line: SourceLine, column: number, kind: Point['kind']): Point {
    const place = `${line.file}:${line.line}:${column}:${kind}`;
    const known = this.#byPlace.get(place);
    if (known) return known;
    const point: Point = { id: this.all.length + 1, kind, file: line.file, line: line.line, column, text: line.text.trim() };
    this.#byPlace.set(place, point);
    this.all.push(point);
    return point;
  }
}

export interface Insertion {
  at: number;
  text: string;
}

/** Adds the counters to a script. */
export function instrument(name: string, points: Points): Instrumented {
  const lines = expandScript(name);
  const plain = lines.map(({ text }) => text).join('\n');
  const pieces: Piece[] = [];
  const insertions: Insertion[] = [];
  const pointOf = (node: Node, kind: Point['kind'], end = false): Point => {
    const place = end ? node.loc?.end : node.loc?.start;
    const line = lines[(place?.line ?? 0) - 1];
    if (!line) throw new Error(`lua/${name}.lua: a statement without a place`);
    return points.at(line, place?.column ?? 0, kind);
  };
  walk(parse(plain, { luaVersion: '5.1', ranges: true, locations: true, comments: false }), (statement) => {
    const [from, to] = rangeOf(statement);
    const point = pointOf(statement, 'statement');
    pieces.push({ point, type: statement.type, from, to });
    insertions.push({ at: from, text: counting(point) });
    if (statement.type === 'IfStatement' && statement.clauses.at(-1)?.type !== 'ElseClause') {
      insertions.push({ at: to - 'end'.length, text: ` else ${counting(pointOf(statement, 'branch', true))}` });
    }
  });
  return { name, source: inserted(plain, insertions), plain, pieces, insertions };
}

const counting = (point: Point): string => `__hits[${point.id}]=1; `;

/** The script with one statement left out, wherever it occurs. */
export function without({ plain, pieces, insertions }: Instrumented, point: Point): string {
  const gone = pieces.filter((piece) => piece.point === point);
  const isGone = (at: number): boolean => gone.some(({ from, to }) => at >= from && at < to);
  const spaced = plain.split('').map((character, at) => (isGone(at) ? ' ' : character)).join('');
  return inserted(spaced, insertions.filter(({ at }) => !isGone(at)));
}

export function inserted(text: string, insertions: readonly Insertion[]): string {
  let result = '';
  let from = 0;
  for (const { at, text: added } of [...insertions].sort((a, b) => a.at - b.at)) {
    result += text.slice(from, at) + added;
    from = at;
  }
  return result + text.slice(from);
}

export function rangeOf(node: Node): [number, number] {
  if (!('range' in node) || !Array.isArray(node.range)) throw new Error('The Lua parser was not asked for ranges.');
  return node.range as [number, number];
}

/** Visits every statement, also those inside of functions that are values. */
function walk(node: Chunk | Node, visit: (statement: Statement) => void): void {
  for (const [field, value] of Object.entries(node)) {
    if (field === 'loc' || field === 'range') continue;
    for (const part of Array.isArray(value) ? (value as unknown[]) : [value as unknown]) {
      if (typeof part !== 'object' || part === null || !('type' in part)) continue;
      const inner = part as Node;
      if (isStatement(inner, field)) visit(inner);
      walk(inner, visit);
    }
  }
}

function isStatement(node: Node, field: string): node is Statement {
  return field === 'body' && node.type !== 'Chunk';
}
