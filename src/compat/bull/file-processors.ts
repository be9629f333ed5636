import { existsSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Sandbox, type SandboxJobData, type SandboxJobHost } from '../../index.js';
import type { Handler } from './handlers.js';
import type { Job } from './job.js';

const extensions = ['.js', '.ts', '.flow', '.cjs', '.mjs', '.mts', '.cts'];

/** What a file's handler says of a job that it discarded. `child-processor.ts` sets it. */
const discardMark = 'discardedJob';

/** Processes for the queues that share theirs, by file. */
const shared = new Map<string, { sandbox: Sandbox; users: number }>();

/** The files that process a queue's jobs, each in processes of its own. */
export class FileProcessors {
  readonly #own = new Map<string, Sandbox>();
  readonly #share: boolean;

  constructor(share: boolean) {
    this.#share = share;
  }

  /** Throws when there is no such file. `.js` may be left out. */
  open(given: string | URL): Handler {
    const path = resolve(typeof given === 'string' ? given : fileURLToPath(given));
    const file = extensions.includes(extname(path)) ? path : `${path}.js`;
    if (!existsSync(file)) throw new Error(`File ${file} does not exist`);
    const sandbox = this.#sandbox(file);
    return (job, signal) => run(sandbox, file, job, signal);
  }

  async close(force: boolean): Promise<void> {
    const closing = [...this.#own].map(async ([file, sandbox]) => {
      const common = this.#share ? shared.get(file) : undefined;
      if (common && --common.users > 0) return;
      shared.delete(file);
      await sandbox.close(force);
    });
    this.#own.clear();
    await Promise.all(closing);
  }

  #sandbox(file: string): Sandbox {
    const known = this.#own.get(file);
    if (known) return known;
    const common = this.#share ? shared.get(file) : undefined;
    // The worker's concurrency bounds how many there are.
    const sandbox = common?.sandbox ?? new Sandbox(childProcessor(), { maxChildren: Infinity });
    if (this.#share) shared.set(file, { sandbox, users: (common?.users ?? 0) + 1 });
    this.#own.set(file, sandbox);
    return sandbox;
  }
}

async function run(sandbox: Sandbox, file: string, job: Job, signal: AbortSignal): Promise<unknown> {
  try {
    return await sandbox.run(hostOf(job, file), job.inner.token, signal);
  } catch (error) {
    if (error instanceof Error && discardMark in error) {
      delete error[discardMark];
      await job.discard();
    }
    throw error;
  }
}

/** What the file's handler reaches of its job. The methods that Bull does not have are never called. */
function hostOf(job: Job, processorFile: string): SandboxJobHost {
  const none = (): Promise<never> => Promise.reject(new TypeError('Bull’s jobs have no such method'));
  const facts: SandboxJobData & { processorFile: string } = {
    ...(job.toJSON() as unknown as SandboxJobData), queueName: job.queue.name, attemptsStarted: job.inner.attemptsStarted, processorFile,
  };
  return {
    asSandbox: () => facts,
    log: (row) => job.log(row),
    updateProgress: (progress) => job.progress(progress),
    updateData: (data) => job.update(data),
    moveToDelayed: none, moveToWait: none, moveToWaitingChildren: none,
    getChildrenValues: none, getIgnoredChildrenFailures: none, getDependenciesCount: none,
  };
}

/** The compiled module beside this one; when this is the TypeScript source, the one in `dist`. */
function childProcessor(): URL {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return new URL('./child-processor.js', here);
  const built = new URL('./child-processor.js', here.replace(/\/src\/(?=compat\/bull\/[^/]*$)/, '/dist/'));
  return existsSync(built) ? built : new URL('./child-processor.ts', here);
}
