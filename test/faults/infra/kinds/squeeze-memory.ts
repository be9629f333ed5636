import type { RedisServer } from '../../../support/servers/redis-server.js';
import type { Fault } from '../nemesis.js';
import type { Supplier } from './supplier.js';

/** Sets `maxmemory` so low that 105 % of it is in use. */
export function squeezeMemory(server: Supplier<RedisServer>): Fault {
  return {
    kind: 'squeeze-memory',
    async inject() {
      const struck = await server();
      const control = await struck.control();
      const [, before = '0'] = (await control.config('GET', 'maxmemory'));
      const used = Number((await struck.info('memory')).get('used_memory'));
      const maxmemory = Math.floor(used / 1.05);
      await control.config('SET', 'maxmemory', maxmemory);
      const heal = async (): Promise<void> => {
        await (await struck.control()).config('SET', 'maxmemory', before);
      };
      return { detail: { maxmemory, used }, heal };
    },
  };
}
