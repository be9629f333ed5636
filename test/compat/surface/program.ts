import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** A TypeScript program over this repository in which some files are not those on the disk. */

export const root = fileURLToPath(new URL('../../..', import.meta.url));

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: ['node'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  baseUrl: root,
  ignoreDeprecations: '6.0',
  paths: {
    drover: ['./src/index.ts'], 'drover/bull': ['./src/compat/bull/index.ts'],
    bullmq: ['./node_modules/bullmq/dist/esm/index.d.ts'], bull: ['./node_modules/bull/index.d.ts'],
  },
};

/** The declarations of the libraries that are compared with; only these are rewritten. */
const published = ['node_modules/bullmq/dist/esm/', 'node_modules/bull/index.d.ts'].map((name) => path.join(root, name));

export type Rewrite = (file: ts.SourceFile) => string;

/** Programs with the same options can share what was parsed. */
const parsed = new Map<string, ts.SourceFile>();

/** Compiles `files` (names relative to the root, with their texts); `rewrite` changes what the other library's declarations say. */
export function compile(files: ReadonlyMap<string, string>, rewrite: Rewrite, paths: Record<string, string[]> = {}): ts.Program {
  const texts = new Map([...files].map(([name, text]) => [path.join(root, name), text]));
  const merged = { ...options, paths: { ...options.paths, ...paths } };
  const host = ts.createCompilerHost(merged);
  const read = host.readFile.bind(host);
  host.fileExists = (name) => texts.has(name) || ts.sys.fileExists(name);
  host.readFile = (name) => texts.get(name) ?? read(name);
  host.getSourceFile = (name, languageVersion) => {
    const text = host.readFile(name);
    if (text === undefined) return undefined;
    const known = parsed.get(name);
    const file = known?.text === text ? known : ts.createSourceFile(name, text, languageVersion, true);
    parsed.set(name, file);
    return published.some((start) => name.startsWith(start)) ? ts.createSourceFile(name, rewrite(file), languageVersion, true) : file;
  };
  return ts.createProgram([...texts.keys()], merged, host);
}

/**
 * Cuts out of a library's declarations what is no part of its surface: private and protected members, by which TypeScript
 * would hold two classes of the same shape apart. What `isDifferent` (`Name` or `Name.member`) goes too: a type becomes
 * `any`, a member is gone.
 */
export function onlyPublic(isDifferent: (name: string) => boolean): Rewrite {
  return (file) => {
    const changes = statementsOf(file).flatMap((node): Change[] => {
      if (isTyping(node) && node.name && isDifferent(node.name.text)) return [[node.getStart(), node.end, anyType(node)]];
      if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) return [];
      const owner = node.name?.text ?? '';
      const gone = [...node.members].filter((member) => isHidden(member) || isDifferent(`${owner}.${nameOf(member)}`));
      const promises = ts.isClassDeclaration(node) ? (node.heritageClauses ?? []).filter(({ token }) => token === ts.SyntaxKind.ImplementsKeyword) : [];
      return [...gone, ...promises].map((part): Change => [part.pos, part.end, '']);
    });
    return changes.sort((a, b) => b[0] - a[0]).reduce((text, [from, to, by]) => text.slice(0, from) + by + text.slice(to), file.text);
  };
}

/** Bull declares everything within one namespace. */
function statementsOf(file: ts.SourceFile): ts.Statement[] {
  return file.statements.flatMap((node) => {
    const body = ts.isModuleDeclaration(node) ? node.body : undefined;
    return body && ts.isModuleBlock(body) ? [...body.statements] : [node];
  });
}

type Change = [from: number, to: number, by: string];
type Typing = ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeAliasDeclaration | ts.EnumDeclaration;

function isTyping(node: ts.Node): node is Typing {
  return ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isEnumDeclaration(node);
}

function anyType(node: Typing): string {
  const parameters = !ts.isEnumDeclaration(node) && node.typeParameters ? `<${node.typeParameters.map((each) => each.getText()).join(', ')}>` : '';
  return `export type ${node.name?.text ?? ''}${parameters} = any;`;
}

export function isHidden(node: ts.Declaration): boolean {
  return (ts.getCombinedModifierFlags(node) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0;
}

function nameOf(member: ts.ClassElement | ts.TypeElement): string {
  if (ts.isConstructorDeclaration(member)) return 'constructor';
  const name = member.name?.getText().replaceAll(/^'|'$/g, '') ?? '';
  const isStatic = ts.canHaveModifiers(member) && (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Static) !== 0;
  return isStatic ? `static ${name}` : name;
}
