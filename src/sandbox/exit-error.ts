import type { Exit } from './link.js';

/** A sandboxed child ended, or had to be ended, while it held a job. */
export class ChildExitError extends Error {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** True when the way the child ended looks as if it had run out of memory. */
  readonly outOfMemory: boolean;

  constructor(message: string, exit: Exit, options: { outOfMemory?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ChildExitError';
    this.exitCode = exit.code;
    this.signal = exit.signal;
    this.outOfMemory = options.outOfMemory ?? false;
  }
}

/** What a child said before it went. */
export interface Crash {
  thrown: unknown;
  /** The same in one line. */
  text: string;
}

/** The error for a child that ended by itself before `what`. */
export function exitedBefore(what: string, { label, exit, crash }: { label: string; exit: Exit; crash: Crash | undefined }): ChildExitError {
  const cause = crash ? crash.thrown : exit.error;
  const memory = crash ? undefined : memoryHint(exit);
  const how = exit.signal ? `exited with signal ${exit.signal}` : `exited with code ${exit.code ?? 'unknown'}`;
  const why = crash?.text ?? memory ?? exit.error?.message;
  const message = `The sandboxed ${label} ${how} before ${what}${why ? `: ${why}` : '.'}`;
  return new ChildExitError(message, exit, { outOfMemory: memory !== undefined, cause });
}

/** The error for a child that the parent ended. */
export function killed(label: string, exit: Exit, kill: { why: string; cause?: unknown }): ChildExitError {
  return new ChildExitError(`The sandboxed ${label} was killed: it ${kill.why}.`, exit, { cause: kill.cause });
}

/** What the ways to die of memory look like from outside; 128 + n is how a shell reports signal n. */
function memoryHint(exit: Exit): string | undefined {
  if (exit.error && 'code' in exit.error && exit.error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return 'out of memory, by the resourceLimits of the thread.';
  }
  if (exit.signal === 'SIGKILL' || exit.code === 137) {
    return 'likely out of memory; the kernel or the container ends processes like this.';
  }
  if (exit.signal === 'SIGABRT' || exit.code === 134) {
    return 'likely out of memory; V8 aborts like this when its heap is full (--max-old-space-size).';
  }
  return undefined;
}
