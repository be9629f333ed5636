import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker, type WorkerOptions as WorkerThreadsOptions } from 'node:worker_threads';
import { marked, type ToChild } from './messages.js';

/** How a child ended. `error` is set when it never started, or a thread died of an error. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  error?: Error;
}

export interface LinkListener {
  onMessage(raw: unknown): void;
  /** Called once, after the last message. */
  onExit(exit: Exit): void;
}

/** One child, whatever it is made of. Sending to a child that has ended does nothing: `onExit` tells. */
export interface Link {
  /** E.g. `process 4711`. */
  readonly label: string;
  send(message: ToChild): void;
  /** Ends the child at once; `onExit` follows. */
  kill(): void;
  /** Whether this child keeps the parent's event loop alive. */
  hold(alive: boolean): void;
}

/** How long a process may outlive its channel, or its channel the process. */
const partingMs = 1000;

/** Throws what `fork` throws on bad options. */
export function forkLink(options: ForkOptions, listener: LinkListener): Link {
  const child = fork(childEntry(), { execArgv: inheritedFlags(), ...options, serialization: 'advanced' });
  new ProcessWatch(child, listener);
  // With `silent`, nobody reads these pipes; a full one would stop the child.
  child.stdout?.resume();
  child.stderr?.resume();
  return {
    label: `process ${child.pid ?? 'without id'}`,
    send: (message) => {
      // Without a callback a closed channel would raise an 'error' event.
      if (child.connected) child.send(marked(message), () => {});
    },
    kill: () => child.kill('SIGKILL'),
    hold: (alive) => {
      if (alive) child.ref();
      else child.unref();
      if (alive) child.channel?.ref();
      else child.channel?.unref();
    },
  };
}

/** Throws what `new Worker` throws on bad options. */
export function threadLink(options: WorkerThreadsOptions, listener: LinkListener): Link {
  const thread = new Worker(childEntry(), { ...options, eval: false });
  let error: Error | undefined;
  thread.on('message', (raw) => listener.onMessage(raw));
  thread.on('messageerror', (cause) => {
    error ??= cause;
    void thread.terminate();
  });
  thread.on('error', (cause: unknown) => (error ??= cause instanceof Error ? cause : new Error(String(cause))));
  thread.on('exit', (code) => listener.onExit({ code, signal: null, ...(error && { error }) }));
  if (options.stdout) thread.stdout.resume();
  if (options.stderr) thread.stderr.resume();
  return {
    label: `thread ${thread.threadId}`,
    send: (message) => thread.postMessage(marked(message)),
    kill: () => void thread.terminate(),
    hold: (alive) => (alive ? thread.ref() : thread.unref()),
  };
}

/**
 * Tells the end of a process once. A process may exit before its last messages have been read, and may close its
 * channel without exiting: the end is when both have happened, neither being waited for without bound.
 */
class ProcessWatch {
  readonly #child: ChildProcess;
  readonly #listener: LinkListener;
  #exit: Exit | undefined;
  #timer: NodeJS.Timeout | undefined;
  #told = false;

  constructor(child: ChildProcess, listener: LinkListener) {
    this.#child = child;
    this.#listener = listener;
    child.on('message', (raw) => listener.onMessage(raw));
    child.on('exit', (code, signal) => this.#exited({ code, signal }));
    child.on('disconnect', () => this.#disconnected());
    child.on('error', (error) => this.#failed(error));
  }

  #exited(exit: Exit): void {
    this.#exit = exit;
    if (this.#child.connected) this.#within(() => this.#tell(exit));
    else this.#tell(exit);
  }

  #disconnected(): void {
    if (this.#exit) this.#tell(this.#exit);
    else this.#within(() => this.#child.kill('SIGKILL'));
  }

  #failed(error: Error): void {
    if (this.#child.pid === undefined) this.#tell({ code: null, signal: null, error });
    else this.#child.kill('SIGKILL');
  }

  #within(act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, partingMs);
  }

  #tell(exit: Exit): void {
    clearTimeout(this.#timer);
    if (this.#told) return;
    this.#told = true;
    this.#listener.onExit(exit);
  }
}

/** The compiled entry file beside this module; when this is the TypeScript source, the one in `dist`. */
function childEntry(): string {
  const here = import.meta.url;
  if (!here.endsWith('.ts')) return fileURLToPath(new URL('./child.js', here));
  const built = fileURLToPath(new URL('./child.js', here.replace(/\/src\/(?=sandbox\/[^/]*$)/, '/dist/')));
  // Without a build the source itself will do, if the parent runs under a loader that the children inherit.
  return existsSync(built) ? built : fileURLToPath(new URL('./child.ts', here));
}

/** The parent's flags, less those about evaluated code and Node's own runners; every child's inspector gets a port of its own. */
function inheritedFlags(): string[] {
  const flags: string[] = [];
  for (let at = 0; at < process.execArgv.length; at++) {
    const flag = process.execArgv[at] ?? '';
    if (/^(-e|-p|-pe|--eval|--print|--input-type)$/.test(flag)) at++;
    else if (/^--(eval|print|input-type|test|watch)(=|$)/.test(flag)) continue;
    else flags.push(flag.replace(/^(--inspect(?:-brk|-wait)?)(=.*)?$/, '$1=0').replace(/^--inspect-port=.*/, '--inspect-port=0'));
  }
  return flags;
}
