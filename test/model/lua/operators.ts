import { parse, type Chunk, type Expression, type Node, type Statement } from 'luaparse';
import { inserted, rangeOf, type Instrumented, type Point } from './instrument.js';

/** One wrong sign in an expanded script: what is written there instead of an operator or a number. */
export interface Slip {
  /** The statement around it. */
  readonly point: Point;
  readonly from: number;
  readonly to: number;
  readonly wrong: string;
}

/** The same slip wherever its file is included. */
export interface Mutant {
  readonly point: Point;
  readonly place: string;
  readonly slips: ReadonlyMap<Instrumented, Slip>;
}

const wrongOperators: Readonly<Record<string, string>> = {
  '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '~=', '~=': '==', and: 'or', or: 'and', '+': '-', '-': '+', '*': '/', '/': '*', not: '', true: 'false', false: 'true',
};

/** Every operator, number and truth value of the scripts, each once, replaced by a wrong one. */
export function mutantsOf(scripts: Iterable<Instrumented>): Mutant[] {
  const byPlace = new Map<string, { point: Point; slips: Map<Instrumented, Slip> }>();
  for (const script of scripts) {
    for (const slip of slipsOf(script)) {
      const { point, from, to, wrong } = slip;
      const offset = from - (script.pieces.find((piece) => piece.point === point)?.from ?? 0);
      const place = `lua/${point.file}:${point.line}:${point.column + 1}+${offset} ${script.plain.slice(from, to)} → ${wrong || 'nothing'} in ${point.text}`;
      const known = byPlace.get(place) ?? { point, slips: new Map() };
      byPlace.set(place, known);
      known.slips.set(script, slip);
    }
  }
  return [...byPlace].map(([place, { point, slips }]) => ({ place, point, slips }));
}

/** The script with the slip in it. */
export function slipped({ plain, insertions }: Instrumented, { from, to, wrong }: Slip): string {
  return inserted(plain.slice(0, from) + ' '.repeat(to - from) + plain.slice(to), [...insertions, { at: from, text: ` ${wrong} ` }]);
}

function slipsOf(script: Instrumented): Slip[] {
  const slips: Slip[] = [];
  const points = new Map(script.pieces.map(({ from, point }) => [from, point]));
  const visit = (node: Chunk | Node, around: Point | undefined): void => {
    const point = isPlaced(node) ? (points.get(rangeOf(node)[0]) ?? around) : around;
    const slip = point && slipIn(script.plain, node as Statement | Expression);
    if (slip) slips.push({ point, ...slip });
    for (const [field, value] of Object.entries(node)) {
      if (field === 'loc' || field === 'range') continue;
      for (const part of Array.isArray(value) ? (value as unknown[]) : [value as unknown]) {
        if (typeof part === 'object' && part !== null && 'type' in part) visit(part as Node, point);
      }
    }
  };
  visit(parse(script.plain, { luaVersion: '5.1', ranges: true, comments: false }), undefined);
  return slips;
}

const isPlaced = (node: Chunk | Node): node is Node => node.type.endsWith('Statement') || node.type === 'FunctionDeclaration';

function slipIn(plain: string, node: Statement | Expression): Omit<Slip, 'point'> | undefined {
  switch (node.type) {
    case 'BinaryExpression': case 'LogicalExpression': return operatorBetween(plain, node);
    case 'UnaryExpression': return node.operator === 'not' ? { from: rangeOf(node)[0], to: rangeOf(node)[0] + 'not'.length, wrong: '' } : undefined;
    case 'NumericLiteral': return { from: rangeOf(node)[0], to: rangeOf(node)[1], wrong: String(node.value + 1) };
    case 'BooleanLiteral': return { from: rangeOf(node)[0], to: rangeOf(node)[1], wrong: String(!node.value) };
    default: return undefined;
  }
}

function operatorBetween(plain: string, { left, right, operator }: { left: Expression; right: Expression; operator: string }): Omit<Slip, 'point'> | undefined {
  const wrong = wrongOperators[operator];
  const from = plain.indexOf(operator, rangeOf(left)[1]);
  if (wrong === undefined || from < 0 || from >= rangeOf(right)[0]) return undefined;
  return { from, to: from + operator.length, wrong };
}
