import type { RedisServer } from '../../../support/servers/redis-server.js';
import type { Fault } from '../nemesis.js';
import type { Supplier } from './supplier.js';

/** CLIENT KILL TYPE normal: the server itself throws its clients out. */
export function clientKill(server: Supplier<RedisServer>): Fault {
  return {
    kind: 'client-kill',
    async inject() {
      const control = await (await server()).control();
      const killed = Number(await control.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'));
      return { detail: { killed }, heal: () => undefined };
    },
  };
}
