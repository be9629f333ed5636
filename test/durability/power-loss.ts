import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { attachStrace } from '../faults/infra/strace.js';
import type { RedisServer } from '../support/servers/redis-server.js';

/** Watches what a server has certainly brought to disk, so that everything else can be taken away. */
export interface Outage {
  /** Ends the server as a loss of power does: the append-only file keeps what was synced, and no more. */
  strike(): Promise<{ lostBytes: number }>;
}

/** Watches the append-only file of a server from now on; what it holds already counts as synced. */
export async function awaitOutage(server: RedisServer): Promise<Outage> {
  const file = appendOnlyFile(server);
  const log = join(server.folder, 'syscalls');
  const before = statSync(file).size;
  const strace = await attachStrace(server.pid, ['-o', log, '-s', '0', '-e', 'trace=write,fdatasync', '-P', file]);
  return {
    async strike() {
      await server.kill9();
      await strace.detach();
      const kept = before + syncedBytes(readFileSync(log, 'utf8'));
      const lostBytes = statSync(file).size - kept;
      truncateSync(file, kept);
      return { lostBytes };
    },
  };
}

/** How many bytes had been written when the file was last synced. */
function syncedBytes(log: string): number {
  let written = 0;
  let synced = 0;
  for (const line of log.split('\n')) {
    const [, count] = /write(?:\(| resumed).*= (\d+)$/.exec(line) ?? [];
    if (count !== undefined) written += Number(count);
    else if (/fdatasync.*= 0$/.test(line)) synced = written;
  }
  return synced;
}

/** The file to which the server appends now: the last increment since Redis 7, the only one before. */
function appendOnlyFile(server: RedisServer): string {
  const files = readdirSync(server.folder, { recursive: true, encoding: 'utf8' });
  const current = files.filter((file) => /\.incr\.aof$|^appendonly\.aof$/.test(file)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  if (current === undefined) throw new Error(`${server.name} has no append-only file`);
  return join(server.folder, current);
}
