import { either, oneOf, plainObject, shape, wholeNumber, type Check } from './check.js';

/**
 * When a call that adds or ends jobs counts as done.
 *
 * - `memory`: once the primary has answered. What a crash or failover leaves of it is up to the server's own settings.
 * - `{ replicated: n }`: once n replicas (1 to 100) have confirmed that they hold it as well.
 * - `fsynced`, or `{ fsynced: true }`: once it is on the primary's disk.
 *
 * `timeoutMs` is how long the confirmation may take, 1 to 10,000 ms, by default 3,000.
 */
export type Durability = 'memory' | 'fsynced' | { replicated: number; timeoutMs?: number } | { fsynced: true; timeoutMs?: number };

/** What has to be confirmed, and how long that may take. */
export interface Confirmation {
  /** How many replicas have to hold it; 0 for the primary's disk. */
  readonly replicas: number;
  readonly timeoutMs: number;
}

export const defaultConfirmMs = 3_000;

const timeoutMs = wholeNumber(1, 10_000, 'milliseconds');
const replicated = shape({ replicated: wholeNumber(1, 100, 'replicas'), timeoutMs }, ['replicated']);
const fsynced = shape({ fsynced: oneOf(true), timeoutMs }, ['fsynced']);
const detailed: Check = (value, path) =>
  (plainObject(value) && '{ replicated } or { fsynced: true }') ?? ('fsynced' in (value as object) ? fsynced : replicated)(value, path);

/** The check of the option `durability`. */
export const durabilityCheck: Check = either(oneOf('memory', 'fsynced'), detailed);

/** What a durability asks for; undefined for `memory`, which asks for nothing. */
export function confirmationOf(durability: Durability = 'memory'): Confirmation | undefined {
  if (durability === 'memory') return undefined;
  if (durability === 'fsynced') return { replicas: 0, timeoutMs: defaultConfirmMs };
  return { replicas: 'replicated' in durability ? durability.replicated : 0, timeoutMs: durability.timeoutMs ?? defaultConfirmMs };
}
