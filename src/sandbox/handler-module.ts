import { InvalidInputError } from '../core/errors.js';
import type { SandboxedJobProcessor } from './sandboxed-job.js';

/**
 * The function that the module exports: by default, or as `module.exports`. Rejects with what the module throws, and
 * with an InvalidInputError INVALID_HANDLER when it exports none or Node cannot load its kind.
 */
export async function loadHandler(file: string): Promise<SandboxedJobProcessor> {
  const exported: unknown = await load(file);
  // `export default` compiled to CommonJS arrives as the `default` of a `default`.
  const candidates = [exported, defaultOf(exported), defaultOf(defaultOf(exported))];
  const handler = candidates.find((candidate) => typeof candidate === 'function');
  if (!handler) throw refuse('The module exports no function, neither by default nor as module.exports.');
  return handler as SandboxedJobProcessor;
}

async function load(file: string): Promise<unknown> {
  try {
    return await import(file);
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_UNKNOWN_FILE_EXTENSION')) throw cause;
    const hint = 'Compile it, or run Node with a loader for it, such as `--import tsx`.';
    throw refuse('This Node cannot load files of this kind by itself.', { hint, cause });
  }
}

function defaultOf(exported: unknown): unknown {
  return typeof exported === 'object' && exported !== null && 'default' in exported ? exported.default : undefined;
}

function refuse(message: string, detail: { hint?: string; cause?: unknown } = {}): InvalidInputError {
  return new InvalidInputError('INVALID_HANDLER', { field: 'processor', message, ...detail });
}
