import { readLetters } from '../letters.js';
import { defineScript, list, text } from '../script.js';
import type { StateSet } from '../../core/states.js';
import { lua } from '../lua.generated.js';

export interface CleanCall {
  set: StateSet;
  limit: number;
  /** The highest score, `+inf`, or `ago:<ms>` for a time before now. */
  till: string;
  /** The lowest score. Default `-inf`. */
  from?: string;
  /** The event to announce per job; '' for none. */
  event: string;
}

/** Removes the first jobs of one state: a step of clean, drain and obliterate. */
export const clean = defineScript({
  source: lua.clean,
  keys: [
    'set', 'meta', 'job', 'wait', 'delayed', 'run', 'state', 'outcome', 'history', 'progress', 'logs', 'expire',
    'dedup', 'outbox', 'pending', 'orphans', 'sessions', 'marker', 'events',
  ],
  // Whoever empties a whole set does not mind to be told less.
  once: (call: CleanCall) => call.till !== '+inf',
  choose: (call: CleanCall) => ({ set: call.set }),
  args: (call: CleanCall) => [call.limit, call.till, call.event, call.from ?? '-inf'],
  reply: (raw) => {
    const [ids, letters] = list(raw);
    return { ids: list(ids).map(text), letters: readLetters(letters) };
  },
});
