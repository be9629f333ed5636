import type { Fault } from '../nemesis.js';
import type { Proxy } from '../proxy/start-proxy.js';
import type { Supplier } from './supplier.js';

/** Resets every connection through the proxy at once. */
export function cutConnections(proxy: Supplier<Proxy>): Fault {
  return {
    kind: 'cut-connections',
    async inject() {
      const connections = (await proxy()).cutAll();
      return { detail: { connections }, heal: () => undefined };
    },
  };
}
