import { defineScript, integer, list } from '../script.js';
import { lua } from '../lua.generated.js';

/** Stores a schedule; the same definition again keeps the slot it has. */
export const upsertSchedule = defineScript({
  source: lua.upsertSchedule,
  keys: ['meta', 'schedules', 'schedule', 'marker'],
  args: (call: { id: string; definition: Buffer; slot: number }) => [call.id, call.definition, call.slot],
  reply: (raw) => {
    const [slot, changed] = list(raw);
    return { slot: integer(slot), changed: changed === 1 };
  },
});
