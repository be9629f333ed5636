import type { RedisServer } from './redis-server.js';
import { controlUser } from './server-config.js';
import { until } from './until.js';

export interface MigrateSlotOptions {
  /** Awaited before each key is moved, while the slot is split between the nodes. */
  beforeKey?: (key: string, moved: number) => Promise<void> | void;
  /** Awaited when no key is left, before the slot changes its owner. */
  beforeHandover?: () => Promise<void> | void;
}

export interface SlotMove {
  readonly slot: number;
  readonly from: RedisServer;
  readonly to: RedisServer;
  /** Every node that has to learn of the new owner. */
  readonly all: readonly RedisServer[];
}

/** Moves a slot as `redis-cli --cluster reshard` does, with one MIGRATE for each key. */
export async function migrateSlot({ slot, from, to, all }: SlotMove, options: MigrateSlotOptions): Promise<void> {
  const [source, target] = await Promise.all([from.control(), to.control()]);
  const sourceId = String(await source.call('CLUSTER', 'MYID'));
  const targetId = String(await target.call('CLUSTER', 'MYID'));
  await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', sourceId);
  await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId);
  await moveKeys({ slot, from, to }, options);
  await options.beforeHandover?.();
  // The target first: were it the source, a request in between would find no owner at all.
  await target.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId);
  await source.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId);
  for (const node of all) await learnOwner(node, slot, targetId);
}

async function moveKeys({ slot, from, to }: Omit<SlotMove, 'all'>, { beforeKey }: MigrateSlotOptions): Promise<void> {
  const source = await from.control();
  for (let moved = 0; ; moved += 1) {
    const [key] = await source.cluster('GETKEYSINSLOT', slot, 1);
    if (key === undefined) return;
    await beforeKey?.(key, moved);
    // A key may be moved or deleted meanwhile: MIGRATE then answers NOKEY, and the next look finds another.
    const { username, password } = controlUser;
    await source.call('MIGRATE', to.host, to.port, key, 0, 5_000, 'AUTH2', username, password);
  }
}

async function learnOwner(node: RedisServer, slot: number, ownerId: string): Promise<void> {
  if (!node.running) return;
  const control = await node.control();
  const replication = await node.info('replication');
  // A replica refuses SETSLOT; gossip tells it.
  if (replication.get('role') !== 'master') return;
  await until(`${node.name} knows who owns slot ${slot}`, () => control.call('CLUSTER', 'SETSLOT', slot, 'NODE', ownerId));
}
