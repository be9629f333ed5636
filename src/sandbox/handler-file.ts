import { existsSync, realpathSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inspect } from 'node:util';
import { InvalidInputError } from '../core/errors.js';

const extensions = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts'];

/** `data:`, `http:` and the like; one letter alone is a Windows drive. */
const scheme = /^[a-z][a-z0-9+.-]+:/i;

/**
 * The file URL of the module that `file` names: a path (relative to the working directory; `.js` may be left out) or
 * a `file:` URL. Symbolic links are resolved now, so that switching a link later cannot mix two releases.
 * Throws an InvalidInputError INVALID_HANDLER when it is no existing file, or not one of a module's kinds.
 */
export function handlerFile(file: string | URL): string {
  const path = pathOf(file);
  const real = existing(path) ?? (extensions.includes(extname(path)) ? undefined : existing(`${path}.js`));
  if (real === undefined) throw refuse(existsSync(path) ? `${inspect(path)} is no file.` : `There is no file ${inspect(path)}.`);
  if (!extensions.includes(extname(real))) {
    throw refuse(`The handler file ${inspect(real)} must end in one of ${extensions.join(', ')}.`);
  }
  return pathToFileURL(real).href;
}

function pathOf(file: string | URL): string {
  if (typeof file === 'string' && file !== '' && !scheme.test(file)) return resolve(file);
  try {
    return fileURLToPath(file);
  } catch (cause) {
    throw refuse(`A handler file is given as a path or a file: URL, not as ${inspect(String(file).slice(0, 100))}.`, cause);
  }
}

/** Undefined when there is no such file, or it is a directory or device. */
function existing(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    return statSync(real).isFile() ? real : undefined;
  } catch {
    return undefined;
  }
}

function refuse(message: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError('INVALID_HANDLER', { field: 'processor', message, cause });
}
