import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

/** Gives a delayed job another due time; answers it, or 0 when the job is not delayed, -1 when there is none. */
export const reschedule = defineScript({
  source: lua.reschedule,
  keys: ['meta', 'job', 'delayed', 'state', 'marker', 'events'],
  args: (call: { id: string; delayMs: number }) => [call.id, call.delayMs],
  reply: (raw) => integer(raw),
});
