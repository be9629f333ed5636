import { packStrings } from '../../core/script-packer.js';
import { readLetters } from '../letters.js';
import { defineScript, list } from '../script.js';
import { lua } from '../lua.generated.js';

export interface AdoptCall {
  /** With the id '': the jobs are to be nobody's children any more. */
  parent: { prefix: string; queue: string; id: string };
  policy: string;
  ids: readonly string[];
}

export type Adoption = 'adopted' | 'elsewhere' | 'missing';

/** Makes jobs that were in the queue already children of a parent whose books expect them. */
export const adopt = defineScript({
  source: lua.adopt,
  keys: ['meta', 'job', 'completed', 'failed', 'state', 'outcome', 'outbox'],
  args: ({ parent, policy, ids }: AdoptCall) => [parent.prefix, parent.queue, parent.id, policy, packStrings(ids)],
  reply: (raw) => {
    const [flags, letters] = list(raw);
    const adoptions = list(flags).map((flag): Adoption => (flag === 1 ? 'adopted' : flag === 0 ? 'elsewhere' : 'missing'));
    return { adoptions, letters: readLetters(letters) };
  },
});
