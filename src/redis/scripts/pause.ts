import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

/** Stops or resumes handing out jobs; answers whether that changed something. */
export const pause = defineScript({
  source: lua.pause,
  keys: ['meta', 'marker', 'events'],
  args: (call: { paused: boolean }) => [call.paused ? 1 : 0],
  reply: (raw) => integer(raw) === 1,
});
