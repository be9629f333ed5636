import type { RedisServer } from '../../../support/servers/redis-server.js';
import { until } from '../../../support/servers/until.js';
import type { Fault } from '../nemesis.js';
import type { Supplier } from './supplier.js';

/** A script that runs until SCRIPT KILL, so that everyone else is told BUSY. */
export function busyScript(server: Supplier<RedisServer>): Fault {
  return {
    kind: 'busy-script',
    async inject() {
      const struck = await server();
      const control = await struck.control();
      // The older of the two names of this setting, which every version still knows.
      await control.config('SET', 'lua-time-limit', 50);
      const runner = await struck.anotherControl();
      const running = runner.eval('while true do end', 0).catch(() => undefined);
      await until('Redis is busy', async () => !(await serves(struck)));
      const heal = async (): Promise<void> => {
        await until('the script is killed', async () => {
          await control.call('SCRIPT', 'KILL').catch(() => undefined);
          return serves(struck);
        });
        await running;
        runner.disconnect();
        await control.config('SET', 'lua-time-limit', 5_000);
      };
      return { detail: { server: struck.name }, heal };
    },
  };
}

async function serves(server: RedisServer): Promise<boolean> {
  const control = await server.control();
  return control.ping().then(
    () => true,
    (error: Error) => {
      if (error.message.startsWith('BUSY')) return false;
      throw error;
    },
  );
}
