import { packStrings } from '../../core/script-packer.js';
import { readLetters } from '../letters.js';
import { defineScript, list, type RawReply } from '../script.js';
import { lua } from '../lua.generated.js';

export type Removal = 'removed' | 'missing' | 'held' | 'spared';

/** Jobs that are not to be removed: those with children, or those that have ended. */
export type RemoveOnly = 'childless' | 'unfinished' | '';

/** Takes jobs out of the queue, unless a worker holds them. */
export const remove = defineScript({
  source: lua.remove,
  keys: [
    'meta', 'job', 'wait', 'delayed', 'active', 'parents', 'completed', 'failed', 'run', 'state', 'outcome',
    'history', 'progress', 'logs', 'expire', 'dedup', 'outbox', 'pending', 'orphans', 'sessions', 'marker', 'events',
  ],
  once: () => true,
  args: (call: { ids: readonly string[]; only: RemoveOnly }) => [packStrings(call.ids), call.only],
  reply: (raw) => {
    const [flags, letters] = list(raw);
    return { removals: list(flags).map(removal), letters: readLetters(letters) };
  },
});

function removal(flag: RawReply): Removal {
  switch (flag) {
    case 1: return 'removed';
    case 0: return 'missing';
    case -1: return 'held';
    default: return 'spared';
  }
}
