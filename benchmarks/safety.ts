import type { Probe } from './measure.js';

/** The benchmarks flush the database: one that holds anything is somebody's, and is left alone. */
export async function refuseUsedDatabase(probe: Probe): Promise<void> {
  const keys = await probe.redis.dbsize();
  if (keys > 0) throw new Error(`REDIS_URL names a database with ${keys} keys in it; the benchmarks flush theirs, so give them an empty one`);
}

const graceMs = 5_000;

/** A handle that a peer left open must not hang the run, but it must be seen. */
export function expectCleanExit(): void {
  setTimeout(() => {
    process.stderr.write(`still open ${graceMs / 1_000} s after the end: ${process.getActiveResourcesInfo().join(', ')}\n`);
    process.exit();
  }, graceMs).unref();
}

// A rejection that nobody awaits, as engines produce when they are closed, must not end the run.
process.on('unhandledRejection', (error) => process.stderr.write(`unhandled rejection: ${error instanceof Error ? error.message : String(error)}\n`));
