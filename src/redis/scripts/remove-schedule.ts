import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

/** Ends a schedule; false when there is none of that id. */
export const removeSchedule = defineScript({
  source: lua.removeSchedule,
  keys: ['meta', 'schedules', 'schedule', 'scheduleRuns', 'sessions'],
  once: () => true,
  args: (call: { id: string }) => [call.id],
  reply: (raw) => integer(raw) === 1,
});
