import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/core/errors.js';
import { JobHost } from './job-host.js';
import { failure, fixture, kinds, openSandbox, run } from './open-sandbox.js';

type Parent = ChildProcessByStdio<null, Readable, Readable>;

const startParent = (args: string[], flags: string[] = []): Parent =>
  spawn(process.execPath, [...flags, fileURLToPath(fixture('parent.mjs')), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

describe('a child process', () => {
  it.each([
    ['SIGKILL', true],
    ['SIGSEGV', false],
  ])('killed by %s tells the signal', async (signal, outOfMemory) => {
    const error = await failure(run(openSandbox(), 'kill self', signal));
    expect(error).toMatchObject({ signal, exitCode: null, outOfMemory });
    expect((error as Error).message).toContain(`exited with signal ${signal}`);
  });

  it('that aborts tells that its heap may have been full', async () => {
    expect(await failure(run(openSandbox(), 'abort'))).toMatchObject({ signal: 'SIGABRT', outOfMemory: true });
  });

  it('leaves signals to the group to its parent', async () => {
    const sandbox = openSandbox();
    expect(await run(sandbox, 'survive SIGTERM', 'SIGTERM')).toBe('alive');
  });

  it('that gives up its channel fails the job', async () => {
    expect(await failure(run(openSandbox(), 'disconnect'))).toMatchObject({ name: 'ChildExitError', exitCode: 1 });
  });

  it('never stops because nobody reads its output', async () => {
    const sandbox = openSandbox({ workerForkOptions: { silent: true } });
    expect(await run(sandbox, 'print much')).toBe('printed');
  });

  it('that cannot be started fails the job', async () => {
    const sandbox = openSandbox({ workerForkOptions: { execPath: '/no/such/node' } });
    const error = await failure(run(sandbox, 'echo'));
    expect(error).toMatchObject({ name: 'ChildExitError', cause: { code: 'ENOENT' } });
    expect(await failure(run(sandbox, 'echo'))).toMatchObject({ name: 'ChildExitError' });
  });

  it('takes the options of fork', async () => {
    const sandbox = openSandbox({ workerForkOptions: { execArgv: ['--title=sandboxed'], serialization: 'json' } });
    expect(await run(sandbox, 'echo', 1n)).toBe(1n);
  });

  it('needs its channel', () => {
    const refused = (): unknown => openSandbox({ workerForkOptions: { stdio: ['inherit', 'inherit', 'inherit'] } });
    expect(refused).toThrow(InvalidInputError);
    expect(refused).toThrow(/workerForkOptions\.stdio/);
  });

  it.each(['ignore cancellation', 'stop when cancelled'])('ends when its parent dies (%s)', async (name) => {
    const parent = startParent(['process', name]);
    await once(parent.stdout, 'data');
    parent.kill('SIGKILL');
    // The child shares this pipe: it ends when both are gone.
    await once(parent.stdout.resume(), 'close');
  });

  it('can be started from evaluated code', async () => {
    const code = `process.argv.splice(1, 0, 'x'); await import(${JSON.stringify(fixture('parent.mjs').href)})`;
    const args = ['--input-type=module', '-e', code, 'process', 'echo', 'evaluated'];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    expect(await text(parent.stdout)).toContain('result: evaluated');
  });
});

describe('a worker thread', () => {
  it('that exceeds its resource limits fails the job as out of memory', async () => {
    const sandbox = openSandbox({ useWorkerThreads: true, workerThreadsOptions: { resourceLimits: { maxOldGenerationSizeMb: 24 } } });
    const error = await failure(run(sandbox, 'eat memory'));
    expect(error).toMatchObject({ name: 'ChildExitError', outOfMemory: true, message: expect.stringContaining('out of memory') });
    expect(await run(sandbox, 'echo', 'next')).toBe('next');
  });

  it('takes the options of Worker', async () => {
    const sandbox = openSandbox({ useWorkerThreads: true, workerThreadsOptions: { workerData: { region: 'eu' }, stdout: true } });
    expect(await run(sandbox, 'workerData')).toEqual({ region: 'eu' });
    expect(await run(sandbox, 'print much')).toBe('printed');
  });

  it('that cannot be started fails the job', async () => {
    const sandbox = openSandbox({ useWorkerThreads: true, workerThreadsOptions: { execArgv: ['--no-such-flag'] } });
    expect(await failure(run(sandbox, 'echo'))).toMatchObject({ code: 'ERR_WORKER_INVALID_EXEC_ARGV' });
  });
});

describe.each(kinds)('the parent of a $kind', ({ kind }) => {
  it('shows what the handler prints, and ends though an idle child is left', async () => {
    const parent = startParent([kind, 'print', 'hello']);
    const [out, err] = await Promise.all([text(parent.stdout), text(parent.stderr)]);
    expect(out).toContain('out: hello');
    expect(out).toContain('result: undefined');
    expect(err).toBe('err: hello\n');
    expect(parent.exitCode ?? (await once(parent, 'exit'))[0]).toBe(0);
  });

  it('shows all of much that the handler prints, before it ends', async () => {
    const parent = startParent([kind, 'print much']);
    const out = await text(parent.stdout);
    expect(out.split('\n').filter((line) => line.startsWith('xxx'))).toHaveLength(20_000);
    expect(out).toContain('result: printed');
  });

  it('hands its loader of TypeScript on', async () => {
    const parent = startParent([kind, 'any', '1', './typed.ts'], ['--import', fixture('typescript-loader.mjs').href]);
    expect(await text(parent.stdout)).toBe('result: ts 1\n');
  });

  it('never sees an unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    try {
      const sandbox = openSandbox({ useWorkerThreads: kind === 'thread', killGraceMs: 0 });
      const job = new JobHost('forget a call');
      job.refusal = new Error('refused');
      await run(sandbox, job);
      await failure(run(sandbox, 'exit', 1));
      await failure(run(sandbox, 'throw aside'));
      const blocked = failure(run(sandbox, 'ignore cancellation'));
      await sandbox.close(true);
      await blocked;
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});
