import { defineScript, integer, list } from '../script.js';
import { lua } from '../lua.generated.js';

export interface SweepCall {
  /** -1: no age limit. */
  completedAgeMs: number;
  failedAgeMs: number;
  limit: number;
  sessionAgeMs: number;
}

/** Retention by age, and the end of sessions and deduplication ids nobody uses any more. */
export const sweep = defineScript({
  source: lua.sweep,
  keys: [
    'meta', 'job', 'completed', 'failed', 'state', 'outcome', 'history', 'progress', 'logs', 'expire', 'sessions',
    'dedup', 'pending', 'orphans',
  ],
  args: (call: SweepCall) => [call.completedAgeMs, call.failedAgeMs, call.limit, call.sessionAgeMs],
  reply: (raw) => {
    const [forgotten, more] = list(raw);
    return { forgotten: integer(forgotten), more: more === 1 };
  },
});
