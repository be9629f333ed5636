import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InvalidInputError, LeaseLostError, StateError } from '../../src/core/errors.js';
import { JobHost } from './job-host.js';
import { failure, fixture, kinds, openSandbox, run } from './open-sandbox.js';

describe.each(kinds)('a job in a $kind', (options) => {
  it('reaches the handler with its facts, the token and a signal', async () => {
    const job = new JobHost('facts', { to: 'a@b.c' }, { parent: { id: '7', queueKey: 'q' }, attemptsMade: 2 });
    const seen = await run(openSandbox(options), job);
    expect(seen).toEqual({ ...job.asSandbox(), token: 'the token', aborted: false });
  });

  it('carries every kind of value there and back', async () => {
    const sandbox = openSandbox(options);
    const falsy = [undefined, null, 0, -0, '', false, NaN, 0n];
    for (const value of falsy) expect(await run(sandbox, 'echo', value)).toBe(value);
    const rich = {
      date: new Date(86_400_000),
      big: 2n ** 80n,
      buffer: Buffer.from([0, 255, 10]),
      floats: new Float64Array([1.5, NaN]),
      map: new Map([['key', new Set(['a'])]]),
      pattern: /a+/gi,
      text: 'ß\0😀',
      list: [undefined, null, [-0]],
    };
    const back = await run(sandbox, 'echo', rich);
    expect(back).toStrictEqual(rich);
    expect((back as typeof rich).buffer).toBeInstanceOf(Buffer);
  });

  it('carries large values', async () => {
    const large = Buffer.alloc(8 * 1024 * 1024, 7);
    const back = await run(openSandbox(options), 'echo', large);
    expect(large.equals(back as Buffer)).toBe(true);
  });

  it('reaches the queue through the methods of the job', async () => {
    const job = new JobHost('call every method');
    const replies = await run(openSandbox(options), job);
    expect(replies).toEqual([1, undefined, undefined, undefined, undefined, true, { 'q:1': 12n }, { 'q:2': 'no' }, { failed: 2 }]);
    expect(job.calls).toEqual([
      ['log', 'a row'],
      ['updateProgress', { percent: 50 }],
      ['updateData', { changed: new Date(0) }],
      ['moveToDelayed', 1234, 'the token'],
      ['moveToWait', 'my token'],
      ['moveToWaitingChildren', 'the token', { child: 1 }],
      ['getDependenciesCount', { failed: true }],
    ]);
  });

  it('sees its own updates of progress and data', async () => {
    expect(await run(openSandbox(options), 'keep copies', 'old')).toEqual([70, 'new']);
  });

  it('is told when the queue refuses a call', async () => {
    const job = new JobHost('catch a refusal');
    job.refusal = new LeaseLostError('job-1', 'update its progress');
    expect(await run(openSandbox(options), job)).toMatchObject({ name: 'LeaseLostError', code: 'LEASE_LOST' });
  });

  it('may leave a call behind whose failure then harms nobody', async () => {
    const sandbox = openSandbox(options);
    const job = new JobHost('forget a call');
    job.refusal = new Error('refused');
    const who = await run(sandbox, job);
    expect(await run(sandbox, 'who')).toBe(who);
  });

  it('fails when it passes something that cannot travel', async () => {
    expect(await failure(run(openSandbox(options), 'log a function'))).toMatchObject({ message: expect.stringContaining('could not be cloned') });
  });

  it('cannot use the job of an earlier run', async () => {
    const sandbox = openSandbox(options);
    await run(sandbox, 'remember');
    const error = await failure(run(sandbox, 'use the previous job'));
    expect(error).toBeInstanceOf(StateError);
    expect(error).toMatchObject({ code: 'WRONG_STATE', message: expect.stringContaining('job.log()') });
  });

  it('fails when its result cannot travel', async () => {
    const error = await failure(run(openSandbox(options), 'return a function'));
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ code: 'INVALID_DATA', field: 'returnvalue' });
    expect(await failure(run(openSandbox(options), 'return a promise inside'))).toMatchObject({ code: 'INVALID_DATA', field: 'returnvalue.a.b', message: expect.stringContaining('`await` is missing') });
  });

  it('brings what toJSON answers, in its progress, data and result', async () => {
    const job = new JobHost('return toJSON');
    expect(await run(openSandbox(options), job)).toEqual({ price: '1.00', list: [2] });
    expect(job.calls).toEqual([['updateProgress', { at: 'there' }], ['updateData', { now: '1.00' }]]);
  });

  it('cannot pollute the prototypes of the parent', async () => {
    const sandbox = openSandbox(options);
    await run(sandbox, 'return pollution');
    await run(sandbox, 'echo', JSON.parse('{"__proto__":{"polluted":1}}'));
    const error = await failure(run(sandbox, 'fail polluting'));
    expect(error).toMatchObject({ message: 'polluting' });
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect((error as Error).constructor).toBe(Error);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('prints as the parent would', async () => {
    expect(await run(openSandbox(options), 'print', 'hello')).toBeUndefined();
  });
});

describe.each(kinds)('the handler file of a $kind', (options) => {
  it.each([
    ['module.mjs', 'esm 1'],
    ['exports.cjs', 'cjs 1'],
    ['compiled.cjs', 'compiled 1'],
    ['commonjs/plain.js', 'js 1'],
  ])('may be %s', async (file, result) => {
    expect(await run(openSandbox(options, fixture(file)), 'any', 1)).toBe(result);
  });

  it.each([
    ['no-handler.mjs', 'no-handler.mjs could not be loaded: The module exports no function, neither by default nor as module.exports: only "handler" by name. Pass a function'],
    ['a-class.mjs', 'a-class.mjs could not be loaded: The module exports a class, not a function. Pass a function'],
    ['broken.mjs', 'broken.mjs could not be loaded: RangeError: no configuration. Correct the file; the stack of `cause`'],
    ['imports-missing.mjs', 'gone.mjs'],
  ])('is refused when it is %s', async (file, message) => {
    const sandbox = openSandbox(options, fixture(file));
    for (let attempt = 1; attempt <= 2; attempt++) {
      const error = await failure(run(sandbox, 'any'));
      expect(error).toBeInstanceOf(InvalidInputError);
      expect(error).toMatchObject({ code: 'INVALID_HANDLER', message: expect.stringContaining(message) });
    }
  });

  it('is refused with the line of a syntax error', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'drover-handler-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const loading = (name: string, code: string): Promise<unknown> => {
      writeFileSync(join(directory, name), code);
      return failure(run(openSandbox(options, join(directory, name)), 'any'));
    };
    const says = (text: string): object => ({ code: 'INVALID_HANDLER', message: expect.stringContaining(text) });
    expect(await loading('a.mjs', 'export default (job) => {\n  return job.data +;\n};\n')).toMatchObject(says("a.mjs could not be loaded: Line 2 has a syntax error: Unexpected token ';'. Correct the syntax."));
    expect(await loading('b.cjs', 'module.exports = (job) => {\n  return job.data +;\n};\n')).toMatchObject(says("b.cjs could not be loaded: Line 2 has a syntax error: Unexpected token ';'."));
    expect(await loading('c.mjs', "import './a.mjs';\nexport default () => 1;\n")).toMatchObject(says("c.mjs could not be loaded: A module that it imports has a syntax error: Unexpected token ';'."));
  });

  it('may crash its child', async () => {
    const error = await failure(run(openSandbox(options, fixture('crashing.mjs')), 'any'));
    expect(error).toMatchObject({ name: 'ChildExitError', message: expect.stringContaining('before it could take a job: RangeError') });
  });

  it('has a deadline for being loaded', async () => {
    const sandbox = openSandbox({ ...options, startTimeoutMs: 300 }, fixture('never-loaded.mjs'));
    expect(await failure(run(sandbox, 'any'))).toMatchObject({ name: 'ChildExitError', message: expect.stringContaining('within 300 ms') });
  });
});
