import { packStrings } from '../../core/script-packer.js';
import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

/** Removes the books of parents that have been forgotten; answers how many there were. */
export const forgetChildren = defineScript({
  source: lua.forgetChildren,
  keys: ['orphans', 'children'],
  choose: (call: { ids: readonly string[] }) => ({ children: call.ids }),
  args: (call: { ids: readonly string[] }) => [packStrings(call.ids)],
  reply: (raw) => integer(raw),
});
