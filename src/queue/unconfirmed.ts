import type { Shortfall } from '../core/errors.js';

/** What is stored and not confirmed: which jobs, and the least that any of their calls had. */
export class Unconfirmed {
  readonly ids: string[] = [];
  #worst: Shortfall | undefined;

  note(ids: readonly string[], shortfall: Shortfall): void {
    this.ids.push(...ids);
    if (!this.#worst || shortfall.confirmed < this.#worst.confirmed) this.#worst = shortfall;
  }

  /** Undefined when everything is confirmed. */
  get shortfall(): Shortfall | undefined {
    return this.#worst;
  }
}
