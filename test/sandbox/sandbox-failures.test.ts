import { describe, expect, it } from 'vitest';
import { UnrecoverableError } from '../../src/core/control-errors.js';
import { ChildExitError } from '../../src/sandbox/sandbox.js';
import { JobHost } from './job-host.js';
import { failure, kinds, openSandbox, run } from './open-sandbox.js';

describe.each(kinds)('an error thrown in a $kind', (options) => {
  it('comes back with its name, message, stack, properties and cause', async () => {
    const error = (await failure(run(openSandbox(options), 'fail'))) as Error & { cause: Error };
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'InvoiceError', message: 'no invoice', status: 402, at: new Date(5), code: undefined });
    expect(error.stack).toContain('jobs.mjs');
    expect(error).not.toHaveProperty('retry');
    expect(error).not.toHaveProperty('nested');
    expect(error.cause).toBeInstanceOf(TypeError);
    expect(error.cause).toMatchObject({ message: 'not a number', cause: { raw: 'x' } });
  });

  it('keeps the control class that it extends, and its own name', async () => {
    const error = await failure(run(openSandbox(options), 'fail for good'));
    expect(error).toBeInstanceOf(UnrecoverableError);
    expect(error).toMatchObject({ name: 'BadAddressError', message: 'nobody lives there' });
  });

  it('gets its class from the hook where there is one', async () => {
    class Invoice extends Error {
      override name = 'InvoiceError';
    }
    const asked: string[] = [];
    const restoreError = (name: string, fields: { message: string }): Error | undefined => {
      asked.push(name);
      return name === 'InvoiceError' ? new Invoice(fields.message) : undefined;
    };
    const error = await failure(run(openSandbox({ ...options, restoreError }), 'fail'));
    expect(error).toBeInstanceOf(Invoice);
    expect(error).toMatchObject({ status: 402, cause: { name: 'TypeError' } });
    expect(asked).toContain('TypeError');
  });

  it('survives a hook that throws', async () => {
    const restoreError = (): never => {
      throw new Error('bad hook');
    };
    expect(await failure(run(openSandbox({ ...options, restoreError }), 'fail'))).toMatchObject({ message: 'no invoice' });
  });

  it('keeps the errors of an AggregateError', async () => {
    const error = await failure(run(openSandbox(options), 'fail aggregated'));
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toEqual([expect.any(RangeError), 'second']);
  });

  it('is cut where its causes go in circles', async () => {
    expect(await failure(run(openSandbox(options), 'fail in circles'))).toMatchObject({ message: 'a', cause: { message: 'b' } });
  });

  it.each([['text'], [0], [null], [undefined], [{ code: 1 }]])('may be no error: %j', async (thrown) => {
    expect(await failure(run(openSandbox(options), 'throw', thrown))).toEqual(thrown);
  });

  it('leaves the child fit for the next job', async () => {
    const sandbox = openSandbox(options);
    const who = await run(sandbox, 'who');
    await failure(run(sandbox, 'fail'));
    expect(await run(sandbox, 'who')).toBe(who);
  });
});

describe.each(kinds)('a $kind that ends in mid-job', (options) => {
  it.each([0, 7])('by process.exit(%i) fails the job with the code', async (code) => {
    const error = await failure(run(openSandbox(options), 'exit', code));
    expect(error).toBeInstanceOf(ChildExitError);
    expect(error).toMatchObject({ exitCode: code, signal: null, outOfMemory: false });
    expect((error as Error).message).toMatch(new RegExp(`^The sandboxed ${options.kind} \\d+ exited with code ${code} before the job`));
  });

  it('is never used again', async () => {
    const sandbox = openSandbox(options);
    const who = await run(sandbox, 'who');
    const job = new JobHost('exit after a call');
    await failure(run(sandbox, job));
    expect(job.calls).toEqual([['log', 'going']]);
    expect(await run(sandbox, 'who')).not.toBe(who);
    expect(sandbox.children).toBe(1);
  });

  it.each([
    ['throw aside', 'thrown aside'],
    ['reject aside', 'rejected aside'],
  ])('by an uncaught error (%s) says which', async (name, message) => {
    const sandbox = openSandbox(options);
    const error = await failure(run(sandbox, name));
    expect(error).toBeInstanceOf(ChildExitError);
    expect(error).toMatchObject({ exitCode: 1, message: expect.stringContaining(message), cause: { name: 'InvoiceError' } });
    expect(await run(sandbox, 'echo', 'next')).toBe('next');
  });

  it('by breaking the protocol is killed', async () => {
    const broken = [
      { kind: 'no such kind' },
      { kind: 'toString' },
      { kind: 'completed', run: 1 },
      { kind: 'completed', run: 99, value: new Uint8Array() },
      { kind: 'completed', run: 1, value: new Uint8Array([1, 2, 3]) },
      { kind: 'failed', run: 1, error: new Uint8Array([255, 15, 95]) },
      { kind: 'call', run: 1, request: 1, method: 'remove', args: new Uint8Array() },
      { kind: 'call', run: 1, request: 1, method: 'log', args: new Uint8Array([255, 15, 95]) },
      { kind: 'loaded' },
    ];
    const sandbox = openSandbox({ ...options, maxChildren: 2 });
    for (const message of broken) {
      const error = await failure(run(sandbox, 'send a malformed message', message));
      expect(error).toMatchObject({ name: 'ChildExitError', message: expect.stringContaining('broke the protocol'), cause: { name: 'ProtocolError' } });
    }
    expect(sandbox.children).toBe(0);
  }, 60_000);

  it('is told from one that sends messages of its own', async () => {
    expect(await run(openSandbox(options), 'send foreign messages', 'done')).toBe('done');
  });
});
