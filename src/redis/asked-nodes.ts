import type { Cluster, Redis } from 'ioredis';

/** Where a cluster said to ask for a slot that is on the move: told once, asked once. */
export class AskedNodes {
  readonly #addresses = new Map<number, string>();

  /** Notes the address, if the error is one that names it. */
  note({ message }: Error): void {
    const [, slot, address] = /^ASK (\d+) (\S+)/.exec(message) ?? [];
    if (address !== undefined) this.#addresses.set(Number(slot), address);
  }

  /** The node to ask for this slot; undefined for the one that owns it. */
  take(cluster: Cluster, slot: number): Redis | undefined {
    const address = this.#addresses.get(slot);
    this.#addresses.delete(slot);
    return cluster.nodes('master').find(({ options }) => `${options.host}:${options.port}` === address);
  }
}
