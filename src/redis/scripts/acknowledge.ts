import { ScriptPacker } from '../../core/script-packer.js';
import type { Letter } from '../letters.js';
import { defineScript, integer } from '../script.js';
import { lua } from '../lua.generated.js';

/** Takes letters that have arrived out of the outbox; answers how many were still there. */
export const acknowledge = defineScript({
  source: lua.acknowledge,
  keys: ['outbox'],
  args: (call: { letters: readonly Letter[] }) => [packHeads(call.letters)],
  reply: (raw) => integer(raw),
});

function packHeads(letters: readonly Letter[]): Buffer {
  const packer = new ScriptPacker().array(letters.length * 2);
  for (const { id, head } of letters) packer.string(id).bytes(head.bytes);
  return packer.take();
}
