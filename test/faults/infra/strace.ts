import { once } from 'node:events';
import { onPath } from '../../support/servers/binary.js';
import { GuardedProcess } from '../../support/servers/guarded-process.js';

/** A strace that meddles with a running process. */
export interface Strace {
  /** Lets the process go; resolves when nothing is injected any more. */
  detach(): Promise<void>;
}

/** Attaches to all threads of `pid`; resolves when the injections of `args` are in effect. */
export async function attachStrace(pid: number, args: readonly string[]): Promise<Strace> {
  const strace = new GuardedProcess('strace', ['-f', '-o', '/dev/null', ...args, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await attached(strace);
  // Whatever it says later must not fill the pipe.
  strace.child.stderr?.resume();
  return {
    detach: async () => {
      strace.child.kill('SIGINT');
      await strace.exited;
    },
  };
}

let reason: Promise<string | undefined> | undefined;

/** Why strace cannot inject errors into a process here, or undefined. */
export function straceUnavailable(): Promise<string | undefined> {
  reason ??= tryStrace();
  return reason;
}

async function tryStrace(): Promise<string | undefined> {
  if (!onPath('strace')) return 'strace is not installed';
  const victim = new GuardedProcess(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
  try {
    const strace = await attachStrace(victim.pid, ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO']);
    await strace.detach();
    return undefined;
  } catch (error) {
    return `strace may not attach: ${error instanceof Error ? error.message.trim() : String(error)}`;
  } finally {
    await victim.kill9();
  }
}

async function attached(strace: GuardedProcess): Promise<void> {
  let said = '';
  const { stderr } = strace.child;
  if (!stderr) throw new Error('strace has no standard error');
  while (!/attached/.test(said)) {
    const [chunk] = (await Promise.race([once(stderr, 'data'), strace.exited.then(() => [undefined])])) as [Buffer | undefined];
    if (chunk === undefined) throw new Error(`strace ended: ${said}`);
    said += chunk.toString();
  }
}
