import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
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
  if (!handler) throw refuse(`The module exports no function, neither by default nor as module.exports${named(exported)}.`);
  if (isClass(handler)) throw refuse('The module exports a class, not a function.');
  return handler as SandboxedJobProcessor;
}

/** What it exports by name, which is often the handler. */
function named(exported: unknown): string {
  const names = typeof exported === 'object' && exported !== null ? Object.keys(exported).filter((name) => !/^(default|module\.exports|__esModule)$/.test(name)) : [];
  return names.length === 0 ? '' : `: only ${names.slice(0, 5).map((name) => `"${name.slice(0, 80)}"`).join(', ')}${names.length > 5 ? ' and others' : ''} by name`;
}

function isClass(exported: unknown): boolean {
  return typeof exported === 'function' && /^class\b/.test(Function.prototype.toString.call(exported));
}

async function load(file: string): Promise<unknown> {
  try {
    return await import(file);
  } catch (cause) {
    if (cause instanceof SyntaxError) throw refuse(`${whereIn(file)} ${cause.message}.`, { hint: 'Correct the syntax.', cause });
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_UNKNOWN_FILE_EXTENSION')) throw cause;
    const hint = 'Compile it, or run Node with a loader for it, such as `--import tsx`.';
    throw refuse('This Node cannot load files of this kind by itself.', { hint, cause });
  }
}

/** Where a syntax error is: of a module, Node tells only on its error output. */
function whereIn(file: string): string {
  const path = fileURLToPath(file);
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: 5_000 });
  const line = /:(\d+)\r?\n/.exec(stderr)?.[1];
  return line === undefined ? 'A module that it imports has a syntax error:' : `Line ${line} has a syntax error:`;
}

function defaultOf(exported: unknown): unknown {
  return typeof exported === 'object' && exported !== null && 'default' in exported ? exported.default : undefined;
}

function refuse(message: string, detail: { hint?: string; cause?: unknown } = {}): InvalidInputError {
  return new InvalidInputError('INVALID_HANDLER', { field: 'processor', message, ...detail });
}
