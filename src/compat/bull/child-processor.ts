// Runs in the child processes of `file-processors.ts`. It imports nothing of Drover's, so that a child starts fast.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { SandboxedJob } from '../../index.js';

type Loaded = (job: object) => Promise<unknown>;

const require = createRequire(import.meta.url);
const loaded = new Map<string, Promise<Loaded>>();

/** Runs the handler that the job's `processorFile` exports, on a job with Bull's methods. */
export default async function processInChild(job: SandboxedJob & { processorFile?: string }): Promise<unknown> {
  const { processorFile = '', ...facts } = job;
  const handler = await handlerOf(processorFile);
  const view = bullJob(facts as SandboxedJob);
  try {
    return await handler(view);
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    throw view.isDiscarded() ? Object.assign(error, { discardedJob: true }) : error;
  }
}

function handlerOf(file: string): Promise<Loaded> {
  let handler = loaded.get(file);
  if (!handler) {
    handler = load(file);
    loaded.set(file, handler);
    handler.catch(() => loaded.delete(file));
  }
  return handler;
}

async function load(file: string): Promise<Loaded> {
  const exported = await moduleOf(file).catch((cause: unknown) => {
    throw new Error(`Error loading process file ${file}. ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const handler = [exported, defaultOf(exported), defaultOf(defaultOf(exported))].find((each) => typeof each === 'function') as ((job: object, done?: unknown) => unknown) | undefined;
  if (!handler) throw new Error(`Error loading process file ${file}. It exports no function.`);
  if (handler.length > 1) return promisify<object, unknown>(handler as (job: object, done: (error: Error | null, value: unknown) => void) => void);
  return async (job) => handler(job);
}

/** By `require`, so that loaders which hook into it work as they do with Bull; what only `import` can load, by that. */
async function moduleOf(file: string): Promise<unknown> {
  try {
    return require(file) as unknown;
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_REQUIRE_ESM' || code === 'ERR_REQUIRE_ASYNC_MODULE') return import(pathToFileURL(file).href);
    throw error;
  }
}

function defaultOf(exported: unknown): unknown {
  return typeof exported === 'object' && exported !== null && 'default' in exported ? exported.default : undefined;
}

/** The facts with Bull's methods; `progress` is read and written by the same one. */
function bullJob(facts: SandboxedJob): { isDiscarded(): boolean } {
  let progress: unknown = facts.progress;
  let discarded = false;
  const job = {
    ...facts,
    progress: (value?: unknown) => {
      if (value === undefined) return progress;
      progress = value;
      return facts.updateProgress(value);
    },
    update: (data: unknown) => {
      job.data = data;
      return facts.updateData(data);
    },
    discard: () => {
      discarded = true;
      return Promise.resolve();
    },
    isDiscarded: () => discarded,
  };
  return job;
}
