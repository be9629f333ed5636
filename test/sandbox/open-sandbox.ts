import { onTestFinished } from 'vitest';
import { Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.js';
import { JobHost } from './job-host.js';

export const fixture = (name: string): URL => new URL(`./fixtures/${name}`, import.meta.url);

/** What every behaviour is tested with. */
export const kinds = [
  { kind: 'process', useWorkerThreads: false },
  { kind: 'thread', useWorkerThreads: true },
];

/** A sandbox that is closed when the test ends. */
export function openSandbox(options: Partial<SandboxOptions> = {}, file: string | URL = fixture('jobs.mjs')): Sandbox {
  const sandbox = new Sandbox(file, { maxChildren: 1, ...options });
  onTestFinished(() => sandbox.close(true));
  return sandbox;
}

/** Runs one job that nobody cancels. */
export function run(sandbox: Sandbox, job: JobHost | string, data?: unknown): Promise<unknown> {
  const host = typeof job === 'string' ? new JobHost(job, data) : job;
  return sandbox.run(host, 'the token', new AbortController().signal);
}

/** What the job fails with. */
export async function failure(running: Promise<unknown>): Promise<unknown> {
  return running.then(
    (value) => {
      throw new Error('The job should have failed.', { cause: value });
    },
    (error: unknown) => error,
  );
}
