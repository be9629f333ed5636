// The `defineScript({ source: lua.x, keys: [...] })` calls of a file, as far as checks need them.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../steps.mjs';

const { default: ts } = await import('typescript');

/** `{ source, keys }` of each definition; `keys` is undefined when it is no literal list of names. */
export function readDefinitions(file) {
  const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.ES2022, true);
  const found = [];
  const visit = (node) => {
    if (isDefinition(node)) found.push(read(node.arguments[0]));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const isDefinition = (node) =>
  ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === 'defineScript' &&
  node.arguments[0] !== undefined && ts.isObjectLiteralExpression(node.arguments[0]);

function read(object) {
  const source = property(object, 'source');
  const keys = plain(property(object, 'keys'));
  const isLiteral = keys && ts.isArrayLiteralExpression(keys) && keys.elements.every(ts.isStringLiteralLike);
  return {
    source: source && ts.isPropertyAccessExpression(source) ? source.name.text : source?.getText(),
    keys: isLiteral ? keys.elements.map((element) => element.text) : undefined,
  };
}

const property = (object, name) => object.properties.find((each) => each.name?.getText() === name)?.initializer;

/** Without `as const`. */
const plain = (node) => (node && ts.isAsExpression(node) ? node.expression : node);
