// One line per step of a set-up; what the step printed is shown only when it fails.

import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** An expected failure: its message is all that the user needs to see. */
export class SetupError extends Error {}

/** Runs `command` in the project and resolves with its exit code and everything it printed. */
export function capture(command, args, { cwd = root, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? 1, signal, output }));
  });
}

/** Runs one step of the set-up under a title; throws a SetupError that carries its log when it fails. */
export async function step(title, command, args, options) {
  const startedAt = Date.now();
  const { code, output } = await capture(command, args, options);
  if (code !== 0) throw new SetupError(`${title}: failed\n\n${output.trim()}\n\n${title}: "${[command, ...args].join(' ')}" ended with code ${code}`);
  say(`${title} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
}

export function say(line) {
  process.stderr.write(`· ${line}\n`);
}

/** Whether Node was started with this module, and did not just import it. */
export const isEntryPoint = (moduleUrl) => process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(moduleUrl);

/** The frame of every entry point: a SetupError prints its message alone, anything else its stack. */
export async function main(run) {
  try {
    process.exitCode = await run(process.argv.slice(2));
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : error);
    process.exitCode = 1;
  }
}
