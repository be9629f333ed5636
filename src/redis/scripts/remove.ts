import { packStrings } from '../../core/script-packer.js';
import { defineScript, integer, list } from '../script.js';
import { lua } from '../lua.generated.js';

export type Removal = 'removed' | 'missing' | 'held';

/** Takes jobs out of the queue, unless a worker holds them. */
export const remove = defineScript({
  source: lua.remove,
  keys: [
    'meta', 'job', 'wait', 'delayed', 'active', 'parents', 'completed', 'failed', 'run', 'state',
    'outcome', 'history', 'progress', 'logs', 'expire', 'dedup', 'outbox', 'marker', 'events',
  ],
  args: (call: { ids: readonly string[] }) => [packStrings(call.ids)],
  reply: (raw): Removal[] => list(raw).map((flag) => (flag === 1 ? 'removed' : integer(flag) < 0 ? 'held' : 'missing')),
});
