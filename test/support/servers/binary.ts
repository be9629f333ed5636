import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface ServerBinary {
  readonly path: string;
  readonly product: 'redis' | 'valkey';
  /** `[major, minor, patch]`. */
  readonly version: readonly [number, number, number];
}

let found: ServerBinary | undefined;

/**
 * The server to test against: `DROVER_REDIS_BIN` or `DROVER_REDIS_SERVER`, else `redis-server` or
 * `valkey-server` on the PATH.
 *
 * @throws Error if there is none.
 */
export function serverBinary(): ServerBinary {
  found ??= describe(locate());
  return found;
}

/** True if the server is at least the Redis release given; every Valkey speaks what Redis 7.2 does. */
export function isAtLeast({ version }: ServerBinary, major: number, minor = 0): boolean {
  return version[0] > major || (version[0] === major && version[1] >= minor);
}

function locate(): string {
  const named = process.env['DROVER_REDIS_BIN'] || process.env['DROVER_REDIS_SERVER'];
  if (named) return named;
  const path = onPath('redis-server') ?? onPath('valkey-server');
  if (!path) throw new Error('no redis-server or valkey-server on the PATH; set DROVER_REDIS_BIN');
  return path;
}

/** The full path of a program on the PATH, or undefined. */
export function onPath(program: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function describe(path: string): ServerBinary {
  const text = execFileSync(path, ['--version'], { encoding: 'utf8' });
  const match = /v=(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (!match) throw new Error(`${path} --version says something unknown: ${text.trim()}`);
  const product = /valkey/i.test(text) || /valkey/i.test(path) ? 'valkey' : 'redis';
  return { path, product, version: [Number(match[1]), Number(match[2]), Number(match[3])] };
}
