import { packStrings } from '../../core/script-packer.js';
import type { StateSet } from '../../core/states.js';
import { bytes, defineScript, list, text, type RawReply } from '../script.js';
import { lua } from '../lua.generated.js';

/** Everything Redis holds of one job, still packed. */
export interface StoredJob {
  id: string;
  /** The set it is in; undefined when it is in none (it is being removed, or someone else wrote to the keys). */
  place: StateSet | undefined;
  score: number;
  record: Buffer | undefined;
  state: Buffer | undefined;
  outcome: Buffer | undefined;
  history: Buffer | undefined;
  progress: Buffer | undefined;
  lease: string | undefined;
}

/** Everything known of some jobs, at one instant. */
export const fetch = defineScript({
  source: lua.fetch,
  keys: [
    'job', 'wait', 'delayed', 'active', 'parents', 'completed', 'failed', 'run', 'state', 'outcome', 'history', 'progress',
  ],
  args: (call: { ids: readonly string[] }) => [packStrings(call.ids)],
  reply: (raw, call): StoredJob[] => list(raw).map((item, i) => stored(call.ids[i] ?? '', list(item))),
});

function stored(id: string, [place, score, record, state, outcome, history, progress, lease]: RawReply[]): StoredJob {
  const name = text(place);
  return {
    id,
    place: name === '' ? undefined : (name as StateSet),
    score: Number(text(score)),
    record: bytes(record),
    state: bytes(state),
    outcome: bytes(outcome),
    history: bytes(history),
    progress: bytes(progress),
    lease: bytes(lease)?.toString(),
  };
}
