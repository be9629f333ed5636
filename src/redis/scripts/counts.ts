import { defineScript, integer, list } from '../script.js';
import { lua } from '../lua.generated.js';

/** How many jobs are in each state, at one instant. */
export const counts = defineScript({
  source: lua.counts,
  keys: ['meta', 'wait', 'delayed', 'active', 'parents', 'completed', 'failed'],
  args: (_call: Record<string, never>) => [],
  reply: (raw) => {
    const [waiting = 0, prioritized = 0, delayed = 0, active = 0, parents = 0, completed = 0, failed = 0, paused = 0] =
      list(raw).map(integer);
    return { waiting, prioritized, delayed, active, 'waiting-children': parents, completed, failed, isPaused: paused === 1 };
  },
});
