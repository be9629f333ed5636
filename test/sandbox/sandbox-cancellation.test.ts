import { describe, expect, it } from 'vitest';
import { LeaseLostError } from '../../src/core/errors.js';
import { JobHost } from './job-host.js';
import { failure, kinds, openSandbox, run } from './open-sandbox.js';

describe.each(kinds)('cancelling a job in a $kind', (options) => {
  it('fires the signal of the handler with the reason, and keeps the child', async () => {
    const sandbox = openSandbox(options);
    const who = await run(sandbox, 'who');
    const job = new JobHost('stop when cancelled');
    const controller = new AbortController();
    const running = failure(sandbox.run(job, 'token', controller.signal));
    await job.heard('started');
    controller.abort(new LeaseLostError('job-1', 'renew'));
    const error = await running;
    expect(error).toBeInstanceOf(LeaseLostError);
    expect(job.calls).toContainEqual(['log', expect.stringContaining('cancelled: LeaseLostError Missing lock')]);
    expect(await run(sandbox, 'who')).toBe(who);
  });

  it('lets a handler finish within the grace', async () => {
    const job = new JobHost('stop when cancelled', 'finish anyway');
    const controller = new AbortController();
    const running = openSandbox(options).run(job, 'token', controller.signal);
    await job.heard('started');
    controller.abort();
    expect(await running).toBe('finished');
  });

  it.each(['ignore cancellation', 'block the thread'])('kills a child whose handler does: %s', async (name) => {
    const sandbox = openSandbox({ ...options, killGraceMs: 100 });
    const who = await run(sandbox, 'who');
    const job = new JobHost(name);
    const controller = new AbortController();
    const running = failure(sandbox.run(job, 'token', controller.signal));
    await job.heard('started');
    const reason = new Error('enough');
    controller.abort(reason);
    const error = await running;
    expect(error).toMatchObject({ name: 'ChildExitError', message: expect.stringContaining('100 ms after it was cancelled') });
    expect((error as Error).cause).toBe(reason);
    expect(await run(sandbox, 'who')).not.toBe(who);
  });

  it('before it starts needs no child', async () => {
    const sandbox = openSandbox(options);
    const reason = new Error('too late');
    expect(await failure(sandbox.run(new JobHost('echo'), undefined, AbortSignal.abort(reason)))).toBe(reason);
    expect(sandbox.children).toBe(0);
  });

  it('while it waits for a child rejects at once', async () => {
    const sandbox = openSandbox(options);
    const first = new JobHost('ignore cancellation');
    const running = failure(run(sandbox, first));
    await first.heard('started');
    const controller = new AbortController();
    const waiting = failure(sandbox.run(new JobHost('echo'), 'token', controller.signal));
    const reason = new Error('no more');
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    await sandbox.close(true);
    expect(await running).toMatchObject({ name: 'ChildExitError' });
  });

  it('while its child starts rejects at once, and the child serves the next job', async () => {
    const sandbox = openSandbox(options);
    const controller = new AbortController();
    const starting = failure(sandbox.run(new JobHost('echo'), 'token', controller.signal));
    controller.abort('stop');
    expect(await starting).toBe('stop');
    expect(await run(sandbox, 'echo', 1)).toBe(1);
    expect(sandbox.children).toBe(1);
  });
});
