import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

/** Gives a job another priority; false when there is no such job. */
export const reprioritize = defineScript({
  source: lua.reprioritize,
  keys: ['job', 'wait', 'state'],
  args: (call: { id: string; priority: number; lifo: boolean }) => [call.id, call.priority, call.lifo ? 1 : 0],
  reply: (raw) => integer(raw) === 1,
});
