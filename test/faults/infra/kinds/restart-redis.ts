import type { RedisServer } from '../../../support/servers/redis-server.js';
import type { Fault } from '../nemesis.js';
import type { Supplier } from './supplier.js';

/** kill -9 of the server, which comes back with what its append-only file holds. */
export function restartRedis(server: Supplier<RedisServer>): Fault {
  return {
    kind: 'restart-redis',
    async inject() {
      const struck = await server();
      await struck.kill9();
      const heal = async (): Promise<void> => {
        if (!struck.running) await struck.start({ until: 'listening' });
        await struck.ready();
      };
      return { detail: { server: struck.name }, heal };
    },
  };
}
