import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

/** Replaces the record of a job; false when there is no such job. */
export const updateData = defineScript({
  source: lua.updateData,
  keys: ['job'],
  args: (call: { id: string; record: Buffer }) => [call.id, call.record],
  reply: (raw) => integer(raw) === 1,
});
