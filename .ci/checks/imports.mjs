// The imports of a TypeScript file, for checks: what is named, whether types alone, and where it leads.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../steps.mjs';

const { default: ts } = await import('typescript');

/** Every import and re-export of `file`, dynamic ones too: `{ specifier, isType, line }`. */
export function importsOf(file) {
  const source = ts.createSourceFile(file, readFileSync(path.join(root, file), 'utf8'), ts.ScriptTarget.ES2022, true);
  const found = [];
  const add = (node, isType) => {
    if (!node || !ts.isStringLiteralLike(node)) return;
    found.push({ specifier: node.text, isType, line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1 });
  };
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node.importClause));
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly || onlyTypes(node.exportClause));
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && isLoad(node.expression)) add(node.arguments[0], false);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The project file that a relative specifier means, or undefined for packages. */
export function target(file, specifier) {
  if (!specifier.startsWith('.')) return undefined;
  const plain = path.posix.join(path.posix.dirname(file), specifier);
  return [plain.replace(/\.js$/, '.ts'), plain].find((candidate) => existsSync(path.join(root, candidate))) ?? plain;
}

const isTypeImport = (clause) => Boolean(clause) && (clause.isTypeOnly || (!clause.name && onlyTypes(clause.namedBindings)));

const onlyTypes = (bindings) =>
  Boolean(bindings?.elements?.length) && bindings.elements.every((element) => element.isTypeOnly);

const isLoad = (callee) => callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
