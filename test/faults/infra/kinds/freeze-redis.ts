import type { RedisServer } from '../../../support/servers/redis-server.js';
import type { Fault } from '../nemesis.js';
import type { Supplier } from './supplier.js';

/** SIGSTOP of the server. */
export function freezeRedis(server: Supplier<RedisServer>): Fault {
  return {
    kind: 'freeze-redis',
    async inject() {
      const struck = await server();
      await struck.freeze();
      return { detail: { server: struck.name }, heal: () => struck.thaw() };
    },
  };
}
