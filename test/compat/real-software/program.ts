import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { Queue } from 'drover';
import { onTestFinished } from 'vitest';
import { root } from '../../docs/documents.js';
import { redisUrl, uniqueName } from '../../support/behaviour.js';

export const project = join(root, 'test/compat/real-software/project');
/** What a first run may take: installing other people's software and, for the browser, Debian's package of it. */
export const setUpTimeout = 300_000;

/** Sets up the project, once for all files that need it. */
export async function setUpProject(): Promise<void> {
  const child = spawn(process.execPath, [join(root, '.ci/real-software.mjs')], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[number | null]>]);
  if (code !== 0) throw new Error(errors);
}

/** What Node prints when it is run within the project. */
export async function capture(args: string[]): Promise<string> {
  const child = spawn(process.execPath, args, { cwd: project, env: { ...process.env, REDIS_URL: redisUrl }, stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return said + errors;
}

/** A program of the project in a process of its own. */
export interface Program {
  /** The prefix of its queues, which is removed when the test ends. */
  readonly prefix: string;
  /** Its next line. */
  line(): Promise<string>;
  /** The lines that follow, when it has ended by itself. */
  rest(): Promise<string[]>;
  signal(name: NodeJS.Signals): void;
  /** Closes its standard input. */
  endInput(): void;
  readonly ended: Promise<{ code: number | null; signal: string | null; errors: string }>;
}

export function startProgram(file: string, args: string[] = [], env: NodeJS.ProcessEnv = {}): Program {
  const prefix = uniqueName('real');
  const child = spawn(process.execPath, [join(project, 'built', file), ...args], {
    cwd: project, env: { ...process.env, REDIS_URL: redisUrl, PREFIX: prefix, ...env }, stdio: 'pipe',
  });
  const errors = text(child.stderr);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = once(child, 'close').then(async ([code, signal]) => ({ code: code as number | null, signal: signal as string | null, errors: await errors }));
  return {
    prefix, ended,
    async line() {
      const { value, done } = await lines.next() as IteratorResult<string, undefined>;
      if (done) throw new Error(`${file} has ended: ${await errors}`);
      return value;
    },
    async rest() {
      const said: string[] = [];
      for await (const line of { [Symbol.asyncIterator]: () => lines }) said.push(line);
      return said;
    },
    signal: (name) => void child.kill(name),
    endInput: () => void child.stdin.end(),
  };
}

/** The same, ended with the test at the latest. */
export function runProgram(...args: Parameters<typeof startProgram>): Program {
  const program = startProgram(...args);
  onTestFinished(async () => {
    program.signal('SIGKILL');
    await program.ended;
  });
  return program;
}

/** A queue of a program as Drover sees it, obliterated when the test ends. */
export function queueOf(program: Program, name: string): Queue {
  const queue = new Queue(name, { connection: redisUrl, prefix: program.prefix });
  onTestFinished(async () => {
    await queue.obliterate({ force: true });
    await queue.close();
  });
  return queue;
}
