import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterDeployment } from '../../../support/servers/cluster-deployment.js';
import type { Fault } from '../nemesis.js';

/** Moves the slot of one of `keys` to another primary, one key at a time with `everyMs` between. */
export function moveSlot(cluster: ClusterDeployment, keys: readonly string[], everyMs = 20): Fault {
  return {
    kind: 'move-slot',
    async inject(random) {
      const slot = await cluster.slotOf(random.pick(keys));
      const from = await cluster.ownerOf(slot);
      const primaries = (await cluster.shards()).map((shard) => shard.primary);
      const to = random.pick(primaries.filter((primary) => primary !== from));
      const moving = cluster.migrateSlot(slot, from, to, { beforeKey: () => pause(everyMs) });
      // A failure shows when the fault is healed.
      moving.catch(() => undefined);
      return { detail: { slot, from: from.name, to: to.name }, heal: () => moving };
    },
  };
}
