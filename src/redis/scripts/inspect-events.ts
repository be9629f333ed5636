import { lua } from '../lua.generated.js';
import { defineScript, list, text } from '../script.js';

/** Where the event stream begins and ends. */
export const inspectEvents = defineScript({
  source: lua.inspectEvents,
  keys: ['events'],
  args: (_call: object) => [],
  reply: (raw): { lastId: string; firstId: string | undefined } => {
    const [lastId, firstId] = list(raw);
    return { lastId: text(lastId), firstId: text(firstId) || undefined };
  },
});
