import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as bullmq from 'bullmq';
import * as drover from 'drover';
import ts from 'typescript';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { redisUrl } from '../../support/behaviour.js';
import { compile, onlyPublic, root } from '../surface/program.js';

const page = 'docs/migration-from-bullmq.md';
const snippets = [...readFileSync(path.join(root, page), 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);
const { hostname, port } = new URL(redisUrl);
const connection = { host: hostname, port: Number(port) };

/** Runs a snippet as a module of its own, on the server of this run. Answers what it prints. */
async function run(code: string): Promise<unknown[]> {
  const here = code.replaceAll("{ host: '127.0.0.1', port: 6379 }", JSON.stringify(connection));
  const body = here.replaceAll(/^import \{(.*)\} from '(.*)';$/gm, (_line, names: string, from: string) => `const {${names.replaceAll(' as ', ': ')}} = modules['${from}'];`);
  const script = ts.transpileModule(`(async (modules: any) => {${body}})`, { compilerOptions: { target: ts.ScriptTarget.ES2022 } }).outputText.replace(/^"use strict";\s*/, '');
  const printed: unknown[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: unknown) => void printed.push(line));
  try {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- it is this repository's own page
    await (new Function(`return ${script}`)() as (modules: object) => Promise<void>)({ drover, bullmq });
  } finally {
    log.mockRestore();
  }
  return printed;
}

describe(page, () => {
  beforeEach(async () => {
    for (const queue of [new drover.Queue('mails', { connection }), new bullmq.Queue('mails', { connection })]) {
      await queue.obliterate({ force: true });
      await queue.close();
    }
  });

  test('has snippets that compile', () => {
    const files = new Map(snippets.map((code, i) => [`test/compat/bullmq/snippet-${i}.ts`, code]));
    const program = compile(files, onlyPublic(() => false));
    expect([...files.keys()].flatMap((name) => program.getSemanticDiagnostics(program.getSourceFile(path.join(root, name)))
      .map(({ messageText }) => `${name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`))).toEqual([]);
  });

  test('shows a queue as BullMQ’s users know it', async () => {
    expect(await run(snippets[0] ?? '')).toEqual(['sent to ann@example.org']);
  });

  test('moves what is left in BullMQ’s queue', async () => {
    const from = new bullmq.Queue('mails', { connection });
    await from.add('welcome', { to: 'ann' }, { priority: 3, attempts: 4 });
    await from.add('later', { to: 'bob' }, { delay: 60_000 });
    await from.close();
    await run(snippets[1] ?? '');
    const queue = new drover.Queue('mails', { connection });
    const [prioritized, delayed] = [await queue.getPrioritized(), await queue.getDelayed()];
    await queue.close();
    expect(prioritized.map(({ name, data, priority, opts }) => ({ name, data: data as unknown, priority, attempts: opts.attempts })))
      .toEqual([{ name: 'welcome', data: { to: 'ann' }, priority: 3, attempts: 4 }]);
    expect(delayed[0]?.delay).toBeGreaterThan(50_000);
  });

  test('shows a map of jobs', async () => {
    expect(await run(snippets[2] ?? '')).toEqual(['m-ann']);
  });

  test('has no other snippets', () => expect(snippets).toHaveLength(3));
});
