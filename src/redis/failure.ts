import { DroverError, RedisError, type ErrorCode } from '../core/errors.js';

/** What to do about an error that Redis or the client reports. */
export type Remedy = 'load script' | 'try again' | 'report';

const byPrefix: Record<string, { remedy: Remedy; code: ErrorCode }> = {
  NOSCRIPT: { remedy: 'load script', code: 'INTERNAL' },
  LOADING: { remedy: 'try again', code: 'REDIS_UNAVAILABLE' },
  TRYAGAIN: { remedy: 'try again', code: 'REDIS_UNAVAILABLE' },
  CLUSTERDOWN: { remedy: 'try again', code: 'REDIS_UNAVAILABLE' },
  MASTERDOWN: { remedy: 'try again', code: 'REDIS_UNAVAILABLE' },
  MOVED: { remedy: 'try again', code: 'REDIS_UNAVAILABLE' },
  ASK: { remedy: 'try again', code: 'REDIS_UNAVAILABLE' },
  NOREPLICAS: { remedy: 'try again', code: 'REDIS_UNAVAILABLE' },
  READONLY: { remedy: 'try again', code: 'REDIS_READ_ONLY' },
  UNBLOCKED: { remedy: 'try again', code: 'REDIS_READ_ONLY' },
  BUSY: { remedy: 'try again', code: 'REDIS_BUSY' },
  OOM: { remedy: 'report', code: 'REDIS_OUT_OF_MEMORY' },
  MISCONF: { remedy: 'report', code: 'REDIS_NOT_PERSISTING' },
  NOPERM: { remedy: 'report', code: 'REDIS_DENIED' },
  NOAUTH: { remedy: 'report', code: 'REDIS_DENIED' },
  WRONGPASS: { remedy: 'report', code: 'REDIS_DENIED' },
  WRONGTYPE: { remedy: 'report', code: 'CORRUPT_DATA' },
  STALE: { remedy: 'report', code: 'INTERNAL' },
};

/** Words in the client's own errors that mean: the connection broke, and the call may or may not have arrived. */
const broken = /connection is closed|max retries|ECONN|EPIPE|socket|stream|not available|enableOfflineQueue|timed out/i;

/** What Redis says when a command inside a script is refused to the user: until 7.0, and since. */
const denied = /user executing the script can't (run this command|access at least one of the keys)|ACL failure in script/i;

/** What Redis says of a value above its `proto-max-bulk-len`, before it closes the connection. */
const tooLong = /Protocol error: invalid (multi)?bulk length/i;

/** What Redis says when the database of a connection does not exist. */
const noDatabase = /DB index is out of range|invalid DB index/i;

/** How an error is to be treated, and what it is called when it is reported. */
export function diagnose(error: unknown): { remedy: Remedy; code: ErrorCode } {
  const message = error instanceof Error ? error.message : String(error);
  const prefix = /^-?([A-Z]+)\b/.exec(message.replace(/^ERR (Error running script.*?: )?/, ''))?.[1] ?? '';
  if (denied.test(message)) return { remedy: 'report', code: 'REDIS_DENIED' };
  if (tooLong.test(message)) return { remedy: 'report', code: 'PAYLOAD_TOO_LARGE' };
  const inner = /@user_script.*?\b([A-Z]{3,})\b/.exec(message)?.[1] ?? '';
  return byPrefix[prefix] ?? byPrefix[inner]
    ?? (broken.test(message) ? { remedy: 'try again', code: 'OUTCOME_UNKNOWN' } : { remedy: 'report', code: 'INTERNAL' });
}

/** Whether a client was told that the database of its options does not exist. */
export function namesNoDatabase(error: unknown): boolean {
  return error instanceof Error && noDatabase.test(error.message);
}

/** The typed error for something that Redis or the client reported. What is typed already stays as it is. */
export function asRedisError(error: unknown, doing: string, code = diagnose(error).code): DroverError {
  if (error instanceof DroverError) return error;
  const said = printable(wordsOf(error));
  return new RedisError(code, { message: `Could not ${doing}: ${said}.`, cause: withoutCommand(error), ...hintOf(said) });
}

/** Who is let in is another matter than what one may do. */
function hintOf(said: string): { hint?: string } {
  if (said.startsWith('NOAUTH')) return { hint: 'This server asks for a password: give `password` (and `username`) in `connection`, or put them into its URL.' };
  if (noDatabase.test(said)) return { hint: 'Check the `db` of `connection`, and `databases` of the server.' };
  return said.startsWith('WRONGPASS') ? { hint: 'Check the `username` and `password` of `connection`.' } : {};
}

/** Servers quote arguments of commands that they do not know, and those may be a password or somebody's data. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const said = error.message.replace(/,? with args beginning with:[\s\S]*$/i, '');
  return said || (codeOf(error) ?? error.name);
}

/** ioredis hangs the whole command on its errors, with job data or the password: what is told of an error has none of it. */
function withoutCommand(error: unknown): Error {
  const bare: Error & { code?: string } = new Error(wordsOf(error));
  if (!(error instanceof Error)) return bare;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  bare.name = error.name;
  bare.stack = [`${error.name}: ${bare.message}`, ...frames].join('\n');
  const code = codeOf(error);
  if (code !== undefined) bare.code = code;
  return bare;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Server text may hold anything, also terminal escapes; a line of it is enough. */
function printable(said: string): string {
  return said.replace(/[^\x20-\x7e]+/g, ' ').trim().slice(0, 300).replace(/\.$/, '');
}
