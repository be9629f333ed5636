import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPage, root, snippets } from '../../docs/documents.js';
import { capture, project, setUpProject, setUpTimeout } from './program.js';

beforeAll(setUpProject, setUpTimeout);

interface Manifest {
  name: string;
  version: string;
  dependencies: Record<string, string>;
  overrides: Record<string, string>;
}
const manifestIn = (...path: string[]): Manifest => JSON.parse(readFileSync(join(...path, 'package.json'), 'utf8')) as Manifest;

describe('docs/migration-from-bullmq.md says what the project of these tests does:', () => {
  const page = 'docs/migration-from-bullmq.md';
  const [application, shim] = snippets(page, 'json').map(({ code }) => JSON.parse(code) as Manifest);

  test('its dependencies, but for where Drover comes from, and its overrides', () => {
    const ours = manifestIn(project);
    const { version } = manifestIn(root);
    const packed = Object.entries(application?.dependencies ?? {}).map(([name, spec]) => [name, spec.replace(`npm:drover@^${version}`, 'file:drover.tgz').replace(`^${version}`, 'file:drover.tgz')]);
    expect(packed).toHaveLength(3);
    expect(ours.dependencies).toMatchObject(Object.fromEntries(packed));
    expect(ours.overrides).toMatchObject(application?.overrides ?? {});
  });

  test('the package that stands for bull', () => {
    const [code] = snippets(page, 'js').map((snippet) => snippet.code);
    expect(manifestIn(project, 'bull')).toEqual(shim);
    expect(readFileSync(join(project, 'bull/index.js'), 'utf8')).toBe(code);
    expect(readFileSync(join(project, 'bull/index.d.ts'), 'utf8')).toBe(code);
    expect(readPage(page)).toContain('`bull/index.d.ts` has the same two lines');
  });
});

test('the names bullmq and bull lead to Drover as it is packed', () => {
  const { resolve } = createRequire(join(project, 'built/board.js'));
  expect(resolve('bullmq')).toBe(join(project, 'node_modules/bullmq/dist/index.js'));
  expect(manifestIn(project, 'node_modules/bullmq').name).toBe('drover');
  expect(resolve('bull')).toBe(join(project, 'bull/index.js'));
});

test.each([
  ['an ES module', 'module', `import Bull from 'bull'; import * as all from 'bull'; const ways = [Bull, all.default];`],
  ['CommonJS', 'commonjs', `const Bull = require('bull'); const ways = [Bull, Bull.default];`],
])('bull is callable with and without new from %s, and its queues are instances', async (_name, type, loading) => {
  const code = `${loading}
    const [made, called] = [new Bull('a', process.env.REDIS_URL), Bull('a', process.env.REDIS_URL)];
    console.log(ways.every((way) => way === Bull), made instanceof Bull, called instanceof Bull, typeof Bull.Job);
    Promise.all([made.close(), called.close()]);`;
  expect(await capture(['--input-type', type, '--eval', code])).toEqual('true true true function\n');
});

test('the classes that bull-board compares with are the ones that applications make', async () => {
  const installed = createRequire(join(project, 'package.json'));
  const drover = (await import(pathToFileURL(installed.resolve('bullmq')).href)) as { Queue: object };
  expect((installed('bullmq') as { Queue: object }).Queue).toBe(drover.Queue);
});
