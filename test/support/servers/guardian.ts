import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Cleans up after this process however it ends, kill -9 included.
 *
 * A tiny shell in a session of its own listens on a pipe. When the pipe closes, this process is gone:
 * the shell then kills every process still registered and removes the directory.
 */
const watch = `
pids=' '
while read -r verb pid; do
  case $verb in
    guard) pids="$pids$pid " ;;
    forget) case $pids in *" $pid "*) pids="\${pids%% $pid *} \${pids#* $pid }" ;; esac ;;
  esac
done
for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
for try in 1 2 3 4 5; do rm -rf "$1" 2>/dev/null && exit 0; done
`;

interface Guardian {
  readonly shell: ChildProcess;
  readonly root: string;
}

let guardian: Guardian | undefined;

function theGuardian(): Guardian {
  guardian ??= startGuardian();
  return guardian;
}

function startGuardian(): Guardian {
  const root = mkdtempSync(join(tmpdir(), 'drover-test-'));
  const shell = spawn('/bin/sh', ['-c', watch, 'drover-guardian', root], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  shell.unref();
  // The pipe to a child is a socket in Node; it must not keep this process alive.
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  return { shell, root };
}

/** Makes sure that `pid` does not outlive this process. */
export function guard(pid: number): void {
  theGuardian().shell.stdin?.write(`guard ${pid}\n`);
}

/** Takes a process that has ended off the list, so that a reused pid is never killed. */
export function forget(pid: number): void {
  theGuardian().shell.stdin?.write(`forget ${pid}\n`);
}

/** A new empty directory that goes away with this process at the latest. */
export function temporaryDirectory(name: string): string {
  return mkdtempSync(join(theGuardian().root, `${name}-`));
}
