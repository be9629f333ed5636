import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RedisServer } from '../../../support/servers/redis-server.js';
import { until } from '../../../support/servers/until.js';
import type { Fault } from '../nemesis.js';
import { attachStrace, straceUnavailable } from '../strace.js';
import type { Supplier } from './supplier.js';

/**
 * Makes the disk of a server with an append-only file fail: its `fdatasync`, or its `write` to that file.
 *
 * With `appendfsync always` Redis ends at once, otherwise it refuses writes. When the fault ends, it is started again
 * if it has ended or if its `fdatasync` failed.
 */
export function diskError(server: Supplier<RedisServer>): Fault {
  return {
    kind: 'disk-error',
    unavailable: straceUnavailable,
    async inject(random) {
      const struck = await server();
      const call = random.pick(['fdatasync', 'write'] as const);
      const error = random.pick(['EIO', 'ENOSPC'] as const);
      // Redis writes to sockets as well: only the file is to fail. It syncs nothing but files.
      const only = call === 'write' ? ['-P', appendOnlyFile(struck)] : [];
      const strace = await attachStrace(struck.pid, ['-e', `trace=${call}`, '-e', `inject=${call}:error=${error}`, ...only]);
      const heal = async (): Promise<void> => {
        await strace.detach();
        // While it refuses writes there is nothing to sync, so Redis would never find out that syncing works again.
        if (call === 'fdatasync') await struck.terminate();
        if (!struck.running) await struck.start();
        await until(`${struck.name} writes again`, async () => {
          await (await struck.control()).del('drover:disk-error');
          return true;
        });
      };
      return { detail: { call, error }, heal };
    },
  };
}

/** The file to which the server appends now: the last increment since Redis 7, the only one before. */
function appendOnlyFile(server: RedisServer): string {
  const files = readdirSync(server.folder, { recursive: true, encoding: 'utf8' });
  const current = files.filter((file) => /\.incr\.aof$|^appendonly\.aof$/.test(file)).sort(byNumber).at(-1);
  if (current === undefined) throw new Error(`${server.name} has no append-only file`);
  return join(server.folder, current);
}

function byNumber(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}
