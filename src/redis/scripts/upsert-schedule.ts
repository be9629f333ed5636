import { defineScript, integer, list } from '../script.js';
import { lua } from '../lua.generated.js';

export interface UpsertCall {
  id: string;
  definition: Buffer;
  slot: number;
  /** What the runs go on, as text; undefined leaves it as it is. */
  trace?: string | undefined;
}

/** Stores a schedule; the same definition again keeps the slot it has. Answers also how many runs there were. */
export const upsertSchedule = defineScript({
  source: lua.upsertSchedule,
  keys: ['meta', 'schedules', 'schedule', 'scheduleRuns', 'marker'],
  args: (call: UpsertCall) => [call.id, call.definition, call.slot, call.trace ?? ''],
  reply: (raw) => {
    const [slot, changed, runs] = list(raw);
    return { slot: integer(slot), changed: changed === 1, runs: integer(runs) };
  },
});
