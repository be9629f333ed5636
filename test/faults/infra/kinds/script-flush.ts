import { setTimeout as pause } from 'node:timers/promises';
import type { RedisServer } from '../../../support/servers/redis-server.js';
import type { Fault } from '../nemesis.js';
import type { Supplier } from './supplier.js';

/** SCRIPT FLUSH again and again, every 100 ms unless told otherwise. */
export function scriptFlush(server: Supplier<RedisServer>, everyMs = 100): Fault {
  return {
    kind: 'script-flush',
    async inject() {
      const control = await (await server()).control();
      const stop = new AbortController();
      await control.script('FLUSH');
      const flushing = (async () => {
        while (await pause(everyMs, true, { signal: stop.signal }).catch(() => false)) await control.script('FLUSH');
      })();
      // A failure shows when the fault is healed.
      flushing.catch(() => undefined);
      return {
        heal: async () => {
          stop.abort();
          await flushing;
        },
      };
    },
  };
}
