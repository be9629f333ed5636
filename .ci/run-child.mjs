// Runs a program in the foreground and outlives it, to clean up after it whatever ends it.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { root } from './steps.mjs';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Resolves with the exit code; a program that a signal ended counts as 128 + its number, as in a shell. */
export function runChild(command, args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: 'inherit' });
    let interruptedBy;
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the child as well; the second one is the user's last word.
      if (signal !== 'SIGINT' || interruptedBy) child.kill(interruptedBy ? 'SIGKILL' : signal);
      interruptedBy = signal;
    };
    for (const signal of signals) process.on(signal, forward);
    const end = (settle) => (value) => {
      for (const signal of signals) process.off(signal, forward);
      settle(value);
    };
    child.once('error', end(reject));
    child.once('close', (code, signal) => end(resolve)(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
