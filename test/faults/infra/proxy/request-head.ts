import { createHash } from 'node:crypto';
import { integer, lineEnd, NotRespError } from './frame-scanner.js';

/** What a request is, as far as rules care. */
export interface Request {
  /** The command in lower case, e.g. `evalsha`, `bzpopmin`, `client`. */
  readonly command: string;
  /** For commands that have them, e.g. `kill` of CLIENT KILL. */
  readonly subcommand?: string;
  /** Name of the script or function: as the caller named its SHA, else the SHA itself. */
  readonly script?: string;
  /** How many arguments follow the command. */
  readonly argumentCount: number;
  /** Set for a request in one line without RESP: where it ends. */
  readonly inlineEnd?: number;
}

/** Names of scripts by their SHA-1. */
export type ScriptNames = ReadonlyMap<string, string>;

const STAR = 42;
const DOLLAR = 36;

const withSubcommand = new Set(['client', 'script', 'cluster', 'config', 'function', 'object', 'xgroup', 'xinfo', 'acl']);
const bySha = new Set(['evalsha', 'evalsha_ro']);
const bySource = new Set(['eval', 'eval_ro']);
const byName = new Set(['fcall', 'fcall_ro']);

/**
 * Reads as much of the request at `start` as tells what it is, or undefined if too little has come yet.
 */
export function readRequestHead(data: Buffer, start: number, names: ScriptNames): Request | undefined {
  if (data[start] !== STAR) return readInline(data, start);
  const countEnd = lineEnd(data, start);
  if (countEnd === -1) return undefined;
  const argumentCount = integer(data, start + 1, countEnd) - 1;
  const first = readBulk(data, countEnd + 2);
  if (!first) return undefined;
  const command = data.toString('latin1', first.start, first.end).toLowerCase();
  if (argumentCount < 1 || !needsSecond(command)) return { command, argumentCount };
  const second = readBulk(data, first.end + 2);
  return second && describe(command, argumentCount, data.subarray(second.start, second.end), names);
}

function needsSecond(command: string): boolean {
  return withSubcommand.has(command) || bySha.has(command) || bySource.has(command) || byName.has(command);
}

function describe(command: string, argumentCount: number, second: Buffer, names: ScriptNames): Request {
  if (withSubcommand.has(command)) return { command, subcommand: second.toString('latin1').toLowerCase(), argumentCount };
  if (byName.has(command)) return { command, script: second.toString(), argumentCount };
  const sha = bySource.has(command) ? createHash('sha1').update(second).digest('hex') : second.toString('latin1').toLowerCase();
  return { command, script: names.get(sha) ?? sha, argumentCount };
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function readBulk(data: Buffer, position: number): Span | undefined {
  const headerEnd = lineEnd(data, position);
  if (headerEnd === -1) return undefined;
  if (data[position] !== DOLLAR) throw new NotRespError('a request is a list of bulk strings');
  const start = headerEnd + 2;
  const end = start + integer(data, position + 1, headerEnd);
  return end + 2 <= data.length ? { start, end } : undefined;
}

function readInline(data: Buffer, start: number): Request | undefined {
  const newline = data.indexOf('\n', start);
  if (newline === -1) return undefined;
  const words = data.toString('latin1', start, newline).trim().split(/\s+/);
  const [command = '', subcommand] = words.map((word) => word.toLowerCase());
  const more = withSubcommand.has(command) && subcommand !== undefined ? { subcommand } : {};
  return { command, ...more, argumentCount: words.length - 1, inlineEnd: newline + 1 };
}
