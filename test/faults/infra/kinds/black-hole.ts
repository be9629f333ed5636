import type { Fault } from '../nemesis.js';
import type { Proxy } from '../proxy/start-proxy.js';
import type { Supplier } from './supplier.js';

/** Connections fall silent with open sockets: in a random direction, those of now or those to come as well. */
export function blackHole(proxy: Supplier<Proxy>): Fault {
  return {
    kind: 'black-hole',
    async inject(random) {
      const door = await proxy();
      const direction = random.pick(['both', 'requests', 'replies'] as const);
      const future = random.chance(0.3);
      const silent = random.pick(['release', 'cut'] as const);
      const connections = door.blackhole({ direction, future });
      return { detail: { direction, future, afterwards: silent, connections }, heal: () => door.endBlackhole({ silent }) };
    },
  };
}
