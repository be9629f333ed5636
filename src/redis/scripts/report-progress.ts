import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

/** Stores and announces the progress of a job; false when there is no such job. */
export const reportProgress = defineScript({
  source: lua.reportProgress,
  keys: ['meta', 'job', 'progress', 'events'],
  args: (call: { id: string; progress: Buffer }) => [call.id, call.progress],
  reply: (raw) => integer(raw) === 1,
});
