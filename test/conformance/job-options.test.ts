import path from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { scenariosOf } from './programs.js';
import { ofBullJobs, ofBullmqJobs } from './shown-options.js';

/** The names of the options that a library's declarations have, `Owner.name`. */
function declared(entry: string, owners: readonly string[]): string[] {
  const file = path.resolve('node_modules', entry);
  const program = ts.createProgram([file], { skipLibCheck: true, noEmit: true, moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext, types: [] });
  const checker = program.getTypeChecker();
  const found = new Map<string, ts.Symbol>();
  for (const source of program.getSourceFiles().filter(({ fileName }) => fileName.includes(path.dirname(file)))) collect(source);
  function collect(node: ts.Node): void {
    if ((ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) && owners.includes(node.name.text)) {
      const symbol = checker.getSymbolAtLocation(node.name);
      if (symbol) found.set(node.name.text, symbol);
    }
    ts.forEachChild(node, collect);
  }
  return owners.flatMap((owner) => {
    const symbol = found.get(owner);
    if (!symbol) throw new Error(`${entry} declares no ${owner}`);
    const type = checker.getDeclaredTypeOfSymbol(symbol);
    const members = (type.isUnion() ? type.types : [type]).flatMap((each) => each.getProperties().map(({ name }) => name));
    return [...new Set(members)].map((member) => `${owner}.${member}`);
  });
}

const libraries = [
  { library: 'bullmq', entry: 'bullmq/dist/esm/index.d.ts', owners: ['JobsOptions', 'BackoffOptions', 'KeepJobs', 'DeduplicationOptions', 'ParentOptions', 'RepeatOptions'], shown: ofBullmqJobs },
  { library: 'bull', entry: 'bull/index.d.ts', owners: ['JobOptions', 'BackoffOptions', 'KeepJobsOptions', 'DebounceOptions', 'RepeatOptions', 'CronRepeatOptions', 'EveryRepeatOptions'], shown: ofBullJobs },
] as const;

test.each(libraries)('every option of a job of $library has a program that shows its effect, or a reason why not', ({ library, entry, owners, shown }) => {
  expect(Object.keys(shown).sort()).toEqual(declared(entry, owners).sort());
  const programs = Object.keys(scenariosOf[library]);
  for (const [option, by] of Object.entries(shown)) {
    if ('program' in by) expect(programs, option).toContain(by.program);
    else expect(by.reason, option).toMatch(/\w/);
  }
});
