import { defineScript, integer, list } from '../script.js';
import { lua } from '../lua.generated.js';

export interface PromoteCall {
  limit: number;
  /** Also jobs that are not due yet. */
  everything: boolean;
  /** Packed ids, or undefined for the soonest. */
  ids?: Buffer | undefined;
}

/** Moves delayed jobs into `wait`. */
export const promote = defineScript({
  source: lua.promote,
  keys: ['meta', 'wait', 'delayed', 'state', 'sessions', 'marker', 'events'],
  // What is due may be promoted by anyone, and as often as one likes.
  once: (call: PromoteCall) => call.everything,
  args: (call: PromoteCall) => [call.limit, call.everything ? 1 : 0, call.ids ?? ''],
  reply: (raw) => {
    const [count, dueAt] = list(raw);
    return { count: integer(count), dueAt: integer(dueAt) };
  },
});
