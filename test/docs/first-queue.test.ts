import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue } from 'drover';
import { expect, onTestFinished, test } from 'vitest';
import { redisUrl, uniqueName } from '../support/behaviour.js';
import { root, snippets } from './documents.js';

test('the first queue of the README runs its job, and ends in order when it is told to', async () => {
  const [first] = snippets('README.md', 'ts').filter(({ note }) => note === 'runs against Redis');
  const name = uniqueName('readme');
  const code = (first?.code ?? '').replaceAll("'mail'", `'${name}'`);
  expect(code).toContain(name);

  const program = await start(code, name);
  await program.says('welcome to ada@example.com');
  const queue = new Queue(name, { connection: redisUrl });
  onTestFinished(async () => {
    await queue.obliterate({ force: true });
    await queue.close();
  });
  await expect.poll(() => queue.getCompletedCount()).toBe(1);
  const [job] = await queue.getCompleted();
  expect(job?.returnvalue).toEqual({ sentAt: expect.any(Date) });

  expect(await program.end()).toEqual({ signal: 'SIGTERM', errors: '' });
});

/** Runs a snippet as a user would: as a file of its own, in a process of its own. */
async function start(code: string, name: string) {
  const dir = await mkdtemp(join(tmpdir(), 'drover-docs-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const file = join(dir, `${name}.mts`);
  await writeFile(file, code);
  const env = { ...process.env, REDIS_URL: redisUrl, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') };
  const child = spawn(process.execPath, ['--import', 'tsx', file], { cwd: root, env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (said += String(chunk)));
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
  return {
    says: (text: string) => expect.poll(() => said + errors, { timeout: 20_000 }).toContain(text),
    end: async () => {
      child.kill('SIGTERM');
      return { signal: await ended, errors };
    },
  };
}
