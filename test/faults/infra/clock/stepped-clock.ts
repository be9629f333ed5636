import { execFile } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onPath } from '../../../support/servers/binary.js';
import { temporaryDirectory } from '../../../support/servers/guardian.js';

const run = promisify(execFile);
const source = fileURLToPath(new URL('./shim.c', import.meta.url));

let library: Promise<string> | undefined;

/** Why no clock can be stepped here, or undefined. */
export function steppedClockUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'LD_PRELOAD needs Linux';
  return onPath('gcc') ? undefined : 'gcc is not installed';
}

/** A wall clock for any number of processes that can be set forwards and backwards while they run. */
export class SteppedClock {
  /** The environment under which a process, Redis or Node, follows this clock. */
  readonly env: Readonly<Record<string, string>>;
  readonly #file: number;

  private constructor(libraryFile: string) {
    const path = join(temporaryDirectory('clock'), 'offset');
    this.#file = openSync(path, 'w');
    this.set(0);
    this.env = { LD_PRELOAD: libraryFile, DROVER_CLOCK_FILE: path };
  }

  /** Compiles the shim, once for all clocks of this process. */
  static async start(): Promise<SteppedClock> {
    library ??= compile();
    return new SteppedClock(await library);
  }

  /** From now on the clock is `offsetMs` away from the true time. */
  set(offsetMs: number): void {
    const nanoseconds = Buffer.alloc(8);
    nanoseconds.writeBigInt64LE(BigInt(Math.round(offsetMs * 1_000)) * 1_000n);
    writeSync(this.#file, nanoseconds, 0, 8, 0);
  }

  /** Right again, for ever. */
  stop(): void {
    this.set(0);
    closeSync(this.#file);
  }
}

async function compile(): Promise<string> {
  const file = join(temporaryDirectory('clock-shim'), 'shim.so');
  await run('gcc', ['-O2', '-shared', '-fPIC', '-o', file, source, '-ldl']);
  return file;
}
