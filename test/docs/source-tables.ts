import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { root } from './documents.js';

/**
 * The names of options that a source file checks, read from its text, so that no table has to be public for a test.
 * The options of `shape({…})` are named with their path: `limiter.max`.
 */
export function checkedOptions(file: string, table: string): string[] {
  const names: string[] = [];
  visitOptions(constant(file, table), '', (name) => names.push(name));
  return names;
}

/**
 * The bounds of each option that has simple ones, as the documents write them: `1 to 2^42`, `1 to 256 characters`.
 * Only `wholeNumber(a, b)` and `textUpTo(n)` are simple.
 */
export function checkedBounds(file: string, table: string): Map<string, string> {
  const bounds = new Map<string, string>();
  visitOptions(constant(file, table), '', (name, check) => {
    const text = boundsOf(resolved(file, check));
    if (text !== undefined) bounds.set(name, text);
  });
  return bounds;
}

/** The words of a literal list, e.g. of `const OPTIONS = ['a', 'b'] as const`. */
export function listedWords(file: string, list: string): string[] {
  const value = constant(file, list);
  if (!ts.isArrayLiteralExpression(value)) throw new Error(`${list} in ${file} is no literal list.`);
  return value.elements.filter(ts.isStringLiteralLike).map((element) => element.text);
}

function visitOptions(table: ts.Expression, path: string, visit: (name: string, check: ts.Expression) => void): void {
  if (!ts.isObjectLiteralExpression(table)) throw new Error('A table of checks should be an object literal.');
  for (const property of table.properties) {
    if (!ts.isPropertyAssignment(property) && !ts.isShorthandPropertyAssignment(property)) continue;
    const name = `${path}${property.name.getText()}`;
    const check = ts.isPropertyAssignment(property) ? property.initializer : property.name;
    const inner = shapeOf(check);
    if (inner) visitOptions(inner, `${name}.`, visit);
    else visit(name, check);
  }
}

function boundsOf(check: ts.Expression): string | undefined {
  if (!ts.isCallExpression(check)) return undefined;
  const [first, second] = check.arguments.map((argument) => written(argument.getText()));
  switch (check.expression.getText()) {
    case 'textUpTo': return `1 to ${first} characters`;
    case 'wholeNumber': return second === undefined ? undefined : second === 'anything' ? `from ${first}` : `${first} to ${second}`;
    default: return undefined;
  }
}

/** A number of the sources as the documents write it. */
function written(number: string): string {
  const power = /^2 \*\* (\d+)( - 1)?$/.exec(number);
  if (power) return `2^${power[1]}${power[2] ? ' − 1' : ''}`;
  if (number === 'MAX_DELAY_MS') return '2^42';
  if (number === 'MAX_PRIORITY') return '2,097,151';
  if (number === 'Number.MAX_SAFE_INTEGER') return 'anything';
  return Number(number.replaceAll('_', '')).toLocaleString('en-US');
}

/** What a name stands for in its file; anything else as it is. */
function resolved(file: string, value: ts.Expression): ts.Expression {
  return ts.isIdentifier(value) ? (findConstant(file, value.text) ?? value) : value;
}

/** The object inside `shape({…})`. */
function shapeOf(value: ts.Expression): ts.Expression | undefined {
  const isShape = ts.isCallExpression(value) && value.expression.getText() === 'shape';
  return isShape ? value.arguments[0] : undefined;
}

/** The value of a top-level constant, without `as const` and without a `shape(…)` or `either(…)` around it. */
function constant(file: string, name: string): ts.Expression {
  const found = findConstant(file, name);
  if (!found) throw new Error(`${file} has no constant ${name}.`);
  return unwrapped(found);
}

function findConstant(file: string, name: string): ts.Expression | undefined {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ES2022, true);
  const declarations = source.statements.filter(ts.isVariableStatement).flatMap((statement) => [...statement.declarationList.declarations]);
  return declarations.find((each) => each.name.getText() === name)?.initializer;
}

function unwrapped(value: ts.Expression): ts.Expression {
  if (ts.isAsExpression(value)) return unwrapped(value.expression);
  if (!ts.isCallExpression(value)) return value;
  const shape = shapeOf(value) ?? value.arguments.map(shapeOf).find((inner) => inner !== undefined);
  return shape ?? value;
}
