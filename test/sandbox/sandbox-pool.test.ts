import { describe, expect, it } from 'vitest';
import { ClosedError } from '../../src/core/errors.js';
import { JobHost } from './job-host.js';
import { failure, kinds, openSandbox, run } from './open-sandbox.js';

const held = (): { job: JobHost; release: () => void } => {
  const job = new JobHost('wait for release', 'released');
  let release = (): void => {};
  job.logged = new Promise<void>((resolve) => (release = resolve));
  return { job, release };
};

describe.each(kinds)('the pool of each $kind', (options) => {
  it('starts a child when a job needs one, and uses it again', async () => {
    const sandbox = openSandbox({ ...options, maxChildren: 3 });
    expect(sandbox.children).toBe(0);
    const who = await run(sandbox, 'who');
    expect(await run(sandbox, 'who')).toBe(who);
    expect(sandbox.children).toBe(1);
  });

  it('runs jobs side by side up to its bound, the rest in turn', async () => {
    const sandbox = openSandbox({ ...options, maxChildren: 2 });
    const jobs = [held(), held(), held()];
    const results = jobs.map(({ job }) => run(sandbox, job));
    await Promise.all(jobs.slice(0, 2).map(({ job }) => job.heard('waiting')));
    expect(sandbox.children).toBe(2);
    expect(jobs[2]?.job.calls).toEqual([]);
    for (const { release } of jobs) release();
    expect(await Promise.all(results)).toEqual(['released', 'released', 'released']);
    expect(sandbox.children).toBe(2);
  });

  it('follows a bound that is raised', async () => {
    const sandbox = openSandbox(options);
    const [first, second] = [held(), held()];
    const results = [run(sandbox, first.job), run(sandbox, second.job)];
    await first.job.heard('waiting');
    sandbox.maxChildren = 2;
    await second.job.heard('waiting');
    first.release();
    second.release();
    expect(await Promise.all(results)).toEqual(['released', 'released']);
  });

  it('replaces a child after as many jobs as it is good for', async () => {
    const sandbox = openSandbox({ ...options, maxJobsPerChild: 2 });
    const served = [];
    for (let count = 0; count < 4; count++) served.push(await run(sandbox, 'who'));
    expect(new Set(served).size).toBe(2);
    expect(served[0]).toBe(served[1]);
  });

  it('lets a child go that has been idle for long', async () => {
    const sandbox = openSandbox({ ...options, idleTimeoutMs: 20 });
    const who = await run(sandbox, 'who');
    await expect.poll(() => sandbox.children, { timeout: 10_000 }).toBe(0);
    expect(await run(sandbox, 'who')).not.toBe(who);
  });
});

describe.each(kinds)('closing the sandbox of each $kind', (options) => {
  it('waits for running jobs, and refuses new ones', async () => {
    const sandbox = openSandbox(options);
    const { job, release } = held();
    const running = run(sandbox, job);
    const waiting = failure(run(sandbox, 'echo'));
    await job.heard('waiting');
    const closing = sandbox.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    expect(await failure(run(sandbox, 'echo'))).toBeInstanceOf(ClosedError);
    release();
    expect(await running).toBe('released');
    await closing;
    expect(sandbox.children).toBe(0);
    await sandbox.close();
  });

  it('kills after its deadline', async () => {
    const sandbox = openSandbox({ ...options, closeTimeoutMs: 100 });
    const job = new JobHost('block the thread');
    const running = failure(run(sandbox, job));
    await job.heard('started');
    await sandbox.close();
    expect(sandbox.children).toBe(0);
    expect(await running).toMatchObject({ name: 'ChildExitError', message: expect.stringContaining('100 ms after the sandbox was closed') });
  });

  it('by force kills at once, also while another close waits', async () => {
    const sandbox = openSandbox({ ...options, closeTimeoutMs: Infinity });
    const job = new JobHost('ignore cancellation');
    const running = failure(run(sandbox, job));
    await job.heard('started');
    const patient = sandbox.close();
    await sandbox.close(true);
    await patient;
    expect(await running).toMatchObject({ name: 'ChildExitError', message: expect.stringContaining('closed by force') });
  });

  it('does not wait for a child that still starts', async () => {
    const sandbox = openSandbox(options);
    const starting = failure(run(sandbox, 'echo'));
    await sandbox.close();
    expect(await starting).toBeInstanceOf(ClosedError);
    expect(sandbox.children).toBe(0);
  });
});
