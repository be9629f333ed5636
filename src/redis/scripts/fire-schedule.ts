import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

export interface FireCall {
  id: string;
  /** The definition as it was read; a schedule that has changed since is not fired. */
  definition: Buffer;
  slot: number;
  /** Undefined ends the schedule. */
  nextSlot: number | undefined;
  /** Packed [[id, record, priority, facts], …]. */
  runs: Buffer;
  overlap: 'allow' | 'skip';
  name: string;
}

/** Creates the runs of a schedule that have come due; answers how many, or -1 when someone else did. */
export const fireSchedule = defineScript({
  source: lua.fireSchedule,
  keys: [
    'meta', 'job', 'wait', 'delayed', 'active', 'state', 'schedules', 'schedule', 'scheduleRuns', 'marker', 'events',
  ],
  args: (call: FireCall) => [
    call.id, call.definition, call.slot, call.nextSlot ?? '', call.runs, call.overlap, call.name,
  ],
  reply: (raw) => integer(raw),
});
