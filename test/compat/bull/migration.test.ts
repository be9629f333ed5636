import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import Old from 'bull';
import Bull from 'drover/bull';
import { expect, onTestFinished, test } from 'vitest';
import { root, snippets } from '../../docs/documents.js';
import { redisUrl, uniqueName } from '../../support/behaviour.js';

// That all snippets compile is tested with those of the other pages.
const [first, move] = snippets('docs/migration-from-bull.md', 'ts').map(({ code }) => code);

/** Runs a snippet as a user would: as a file of its own, in a process of its own. */
async function run(code: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'drover-docs-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, 'snippet.mts');
  // The packages are found from the project.
  await writeFile(file, code.replace("'bull'", `'${join(root, 'node_modules/bull/index.js')}'`));
  const env = { ...process.env, REDIS_URL: redisUrl, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') };
  const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  expect(errors).toBe('');
  return said;
}

async function forget(queue: Bull.Queue): Promise<void> {
  await queue.obliterate({ force: true });
  await queue.close();
}

test('the changed import is all there is to it', async () => {
  const name = uniqueName('migrated');
  const code = first?.replaceAll("'mail'", `'${name}'`) ?? '';
  expect(code).toContain(name);
  expect(await run(code)).toContain('sent to ada@example.com');
  const queue = new Bull(name, redisUrl);
  expect(await queue.getCompletedCount()).toBe(1);
  await forget(queue);
});

test('delayed jobs move over, once', async () => {
  const name = uniqueName('moved');
  const old = new Old(name, redisUrl);
  const queue = new Bull(name, redisUrl);
  await old.add('welcome', { to: 'ada' }, { delay: 60_000, attempts: 3, priority: 2 });
  const code = (move ?? '').replaceAll("'mail'", `'${name}', '${redisUrl}'`) + '\nawait Promise.all([from.close(), to.close()]);\n';
  expect(code).toContain(name);
  await run(code);
  const [job] = await queue.getDelayed();
  expect(job).toMatchObject({ name: 'welcome', data: { to: 'ada' }, opts: { attempts: 3, priority: 2 } });
  expect(job?.delay).toBeGreaterThan(50_000);
  expect(await old.getDelayedCount()).toBe(0);
  await old.obliterate({ force: true });
  await old.close();
  await forget(queue);
});
