import type { SentinelDeployment } from '../../../support/servers/sentinel-deployment.js';
import type { Fault } from '../nemesis.js';

/** kill -9 or SIGSTOP of the primary under Sentinel; it comes back as a replica once another has been elected. */
export function failOver(deployment: SentinelDeployment): Fault {
  return {
    kind: 'fail-over',
    async inject(random) {
      const how = random.pick(['kill', 'freeze'] as const);
      const old = await (how === 'kill' ? deployment.killPrimary() : deployment.freezePrimary());
      const heal = async (): Promise<void> => {
        await deployment.waitForNewPrimary(old);
        if (!old.running) await old.start();
        await old.thaw();
        await deployment.ready();
      };
      return { detail: { how, old: old.name }, heal };
    },
  };
}
