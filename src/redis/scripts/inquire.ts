import { ScriptPacker } from '../../core/script-packer.js';
import { readLetters } from '../letters.js';
import { defineScript, list } from '../script.js';
import { lua } from '../lua.generated.js';

/** A child that its parent still waits for, as the parent's books know it. */
export interface AwaitedChild {
  id: string;
  kind: 'open' | 'failing';
  stamp: number;
}

export interface InquireCall {
  parent: { prefix: string; queue: string; id: string };
  children: readonly AwaitedChild[];
}

/** Asks after children; one that has ended and whose letter is gone writes anew. */
export const inquire = defineScript({
  source: lua.inquire,
  keys: ['meta', 'job', 'completed', 'failed', 'state', 'outcome', 'outbox'],
  args: ({ parent, children }: InquireCall) => [parent.prefix, parent.queue, parent.id, packChildren(children)],
  reply: (raw) => {
    const [flags, letters] = list(raw);
    return { present: list(flags).map((flag) => flag === 1), letters: readLetters(letters) };
  },
});

function packChildren(children: readonly AwaitedChild[]): Buffer {
  const packer = new ScriptPacker().array(children.length * 3);
  for (const { id, kind, stamp } of children) packer.string(id).string(kind).number(stamp);
  return packer.take();
}
