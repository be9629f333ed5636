import type { Fault } from '../nemesis.js';
import type { Proxy } from '../proxy/start-proxy.js';
import type { Supplier } from './supplier.js';

/** Resets every connection and refuses new ones: for clients, Redis is gone. */
export function refuseConnections(proxy: Supplier<Proxy>): Fault {
  return {
    kind: 'refuse-connections',
    async inject() {
      const door = await proxy();
      door.refuse();
      const connections = door.cutAll();
      return { detail: { connections }, heal: () => door.accept() };
    },
  };
}
