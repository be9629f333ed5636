import type { KeepJobs } from './job-options.js';

/** What happens to a finished job. */
export type Retention =
  /** Forgotten at once. */
  | { kind: 'forget' }
  /** Kept under the rule of the whole set. */
  | { kind: 'keep' }
  /** Kept for its own time in ms; -1 for ever. */
  | { kind: 'keepFor'; ageMs: number };

/** A rule for the finished jobs of one set. */
export interface RetentionRule {
  retention: Retention;
  /** How many the set keeps when a job of this rule ends, -1 for all. */
  count: number;
  /** The age in ms at which the set's jobs are swept, -1 for never. */
  ageMs: number;
}

const defaultCount = 100_000;

export const defaultCompletedAgeMs = 24 * 60 * 60 * 1000;
export const defaultFailedAgeMs = 30 * defaultCompletedAgeMs;

/** Reads `removeOnComplete` or `removeOnFail`; without it the set's default age and 100,000 jobs hold. */
export function retentionRule(rule: boolean | number | KeepJobs | undefined, defaultAgeMs: number): RetentionRule {
  if (rule === undefined) return { retention: { kind: 'keep' }, count: defaultCount, ageMs: defaultAgeMs };
  if (rule === true || rule === 0) return { retention: { kind: 'forget' }, count: -1, ageMs: -1 };
  if (rule === false) return { retention: { kind: 'keepFor', ageMs: -1 }, count: -1, ageMs: -1 };
  if (typeof rule === 'number') return { retention: { kind: 'keepFor', ageMs: -1 }, count: rule, ageMs: -1 };
  if (rule.count === 0) return { retention: { kind: 'forget' }, count: -1, ageMs: -1 };
  const ageMs = rule.age === undefined ? -1 : rule.age * 1000;
  return { retention: { kind: 'keepFor', ageMs }, count: rule.count ?? -1, ageMs };
}

/** The same rule given for a whole worker: its age is swept from the set, so its jobs carry none of their own. */
export function workerRule(rule: boolean | number | KeepJobs | undefined, defaultAgeMs: number): RetentionRule {
  const own = retentionRule(rule, defaultAgeMs);
  return own.retention.kind === 'keepFor' ? { ...own, retention: { kind: 'keep' } } : own;
}
