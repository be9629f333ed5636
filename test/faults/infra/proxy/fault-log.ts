import type { Request } from './request-head.js';

/** Everything that a proxy can do to its traffic, by rule or at once. */
export type FaultName =
  | 'dropRequest'
  | 'dropReply'
  | 'cutRequest'
  | 'cutReply'
  | 'delayRequest'
  | 'delayReply'
  | 'trickleRequest'
  | 'trickleReply'
  | 'error'
  | 'blackhole'
  | 'cutConnection'
  | 'refuse';

/** Counts what passed and what was done to it, by script or else by command. */
export class FaultLog {
  readonly #requests = new Map<string, number>();
  readonly #faults = new Map<FaultName, Map<string, number>>();

  request({ script, command }: Request): void {
    const name = script ?? command;
    this.#requests.set(name, (this.#requests.get(name) ?? 0) + 1);
  }

  fault(fault: FaultName, target: string): void {
    const targets = this.#faults.get(fault) ?? new Map<string, number>();
    this.#faults.set(fault, targets);
    targets.set(target, (targets.get(target) ?? 0) + 1);
  }

  /** How many requests of a script or command were seen. */
  requests(target: string): number {
    return this.#requests.get(target) ?? 0;
  }

  /** How often a fault was done: to a script or command, or in all. */
  count(fault: FaultName, target?: string): number {
    const targets = this.#faults.get(fault) ?? new Map<string, number>();
    if (target !== undefined) return targets.get(target) ?? 0;
    return [...targets.values()].reduce((sum, count) => sum + count, 0);
  }

  /** All counts as plain data, e.g. `{requests: {settle: 9}, faults: {dropReply: {settle: 1}}}`. */
  toJSON(): { requests: Record<string, number>; faults: Record<string, Record<string, number>> } {
    const faults = [...this.#faults].map(([fault, targets]) => [fault, Object.fromEntries(targets)] as const);
    return { requests: Object.fromEntries(this.#requests), faults: Object.fromEntries(faults) };
  }
}
