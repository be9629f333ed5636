import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { pages, root, snippets } from './documents.js';

/** What short snippets may use without saying where it comes from; what a snippet declares itself goes first. */
const assumed = `
declare const connection: import('drover').ConnectionOptions;
declare const queue: import('drover').Queue;
declare const worker: import('drover').Worker;
declare const job: import('drover').Job;
`;

test('every TypeScript snippet of the documents compiles under the strict options of the project', () => {
  const files = new Map([[join(root, 'docs/assumed.d.ts'), assumed]]);
  for (const page of pages) {
    for (const { line, code } of snippets(page, 'ts')) files.set(join(root, `${page}.${line}.ts`), '\n'.repeat(line - 1) + code);
  }
  expect(files.size).toBeGreaterThan(3);
  expect(faults(files)).toEqual([]);
});

/** Compiles files that exist in memory only, and answers what the compiler says of them: `README.md:31 …`. */
function faults(files: ReadonlyMap<string, string>): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const settings: ts.CompilerOptions = {
    ...options, moduleDetection: ts.ModuleDetectionKind.Force, noUnusedLocals: false, noUnusedParameters: false, incremental: false,
  };
  delete settings.tsBuildInfoFile;
  const host = ts.createCompilerHost(settings);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.readFile = (file) => files.get(file) ?? readFile(file);
  host.getSourceFile = (file, target, ...rest) => {
    const text = files.get(file);
    return text === undefined ? getSourceFile(file, target, ...rest) : ts.createSourceFile(file, text, target, true);
  };
  const program = ts.createProgram([...files.keys()], settings, host);
  return [...files.keys()].flatMap((file) => {
    const source = program.getSourceFile(file);
    return ts.getPreEmitDiagnostics(program, source).map(({ start = 0, messageText }) => {
      const place = file.slice(root.length).replace(/\.\d+\.ts$/, '');
      const line = source ? source.getLineAndCharacterOfPosition(start).line + 1 : 0;
      return `${place}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    });
  });
}
