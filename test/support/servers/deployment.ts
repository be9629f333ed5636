import type { RedisServer } from './redis-server.js';

/** Starts several things at once; if one fails, stops the others before it throws. */
export async function startAll<T extends { stop(): Promise<void> }>(starts: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(starts);
  const failure = settled.find((result) => result.status === 'rejected');
  const started = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (!failure) return started;
  await stopAll(started);
  throw failure.reason;
}

export async function stopAll(started: readonly { stop(): Promise<void> }[]): Promise<void> {
  await Promise.all(started.map((one) => one.stop()));
}

/** The server that listens on `port`. */
export function serverAt(servers: readonly RedisServer[], port: number): RedisServer {
  const server = servers.find((one) => one.port === port);
  if (!server) throw new Error(`no server of this deployment listens on port ${port}`);
  return server;
}
