import type { AdvancedSettings } from './declarations.js';

/** The settings of a queue with every default filled in, within the engine's bounds. */
export type Settings = Required<{ [name in keyof AdvancedSettings]: NonNullable<AdvancedSettings[name]> }>;

export function completeSettings(given: AdvancedSettings): Settings {
  const lockDuration = Math.max(100, given.lockDuration ?? 30_000);
  return {
    lockDuration,
    lockRenewTime: Math.max(1, Math.round(given.lockRenewTime ?? lockDuration / 2)),
    stalledInterval: given.stalledInterval ?? 30_000,
    maxStalledCount: given.maxStalledCount ?? 1,
    guardInterval: given.guardInterval ?? 5_000,
    retryProcessDelay: Math.max(1, given.retryProcessDelay ?? 5_000),
    drainDelay: Math.min(3_600, Math.max(0.001, given.drainDelay ?? 5)),
    backoffStrategies: given.backoffStrategies ?? {},
    isSharedChildPool: given.isSharedChildPool ?? false,
  };
}
