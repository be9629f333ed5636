import { readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { compile, onlyPublic, root } from './program.js';
import { compareSurfaces, type Library } from './surface.js';

export interface Expectations {
  /** Some names that have to be found, so that the reading itself is proved. */
  names: string[];
  atLeast: number;
  /** What the compiler cannot tell apart once the left out names are cut out, or at all. */
  alsoDiffer?: ReadonlySet<string>;
  /** Code that the library's users wrote, and the library's own declarations. */
  code: string;
  declarations: string;
  /** Where Drover's are. */
  entry: string;
}

/** The compiler needs seconds, and many more on a machine that does something else as well. */
const compilerMs = 180_000;

/** Holds a library's table of differences against the compiler, in both directions. */
export function expectSurface(library: Library, { names, atLeast, alsoDiffer = new Set(), code, declarations, entry }: Expectations): void {
  const { differences } = library;
  const findings = compareSurfaces(library);
  const found = new Map(findings.map((finding) => [finding.name, finding]));

  test('is read from its declarations', () => {
    expect([...found.keys()]).toEqual(expect.arrayContaining(names));
    expect(findings.length).toBeGreaterThan(atLeast);
  });

  test('is there with a type that fits, or is in the table of differences', () => {
    const untold = findings.filter(({ name, owner, verdict }) => verdict !== 'same' && !(name in differences) && !(owner in differences));
    expect(untold.map(({ name, verdict, because }) => `${name} ${verdict}: ${because ?? ''}`)).toEqual([]);
  });

  test('that is in the table is one that the library has', () => {
    expect(Object.keys(differences).filter((name) => !found.has(name))).toEqual([]);
  });

  test('that the table calls left out is not there, and one that it calls better is', () => {
    const wrong = Object.entries(differences).filter(([name, { verdict }]) =>
      (found.get(name)?.verdict === 'missing') !== (verdict === 'left out') && !name.endsWith('<…>'));
    expect(wrong).toEqual([]);
  });

  test('that the table calls better does differ, or stands for what differs', () => {
    const undone = Object.entries(differences).filter(([name, { verdict }]) => verdict === 'better' && !name.endsWith('<…>')).map(([name]) => name);
    const still = new Set(compareSurfaces(library, (name) => differences[name]?.verdict === 'left out')
      .filter(({ verdict }) => verdict === 'differs').flatMap(({ name, owner }) => [name, owner]));
    expect(undone.filter((name) => !still.has(name) && !alsoDiffer.has(name))).toEqual([]);
  }, compilerMs);

  test.each([[library.title, declarations], ['Drover', entry]])('used as its users do compiles against %s', (_library, declared) => {
    const text = readFileSync(path.join(root, code), 'utf8');
    const program = compile(new Map([[code, text]]), onlyPublic(() => false), { ...library.paths, [library.package]: [declared] });
    const file = program.getSourceFile(path.join(root, code));
    expect(file).toBeDefined();
    expect(program.getSemanticDiagnostics(file).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
  }, compilerMs);
}
