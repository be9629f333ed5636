import { packStrings } from '../../core/script-packer.js';
import { defineScript, integer, list, type RawReply } from '../script.js';
import { lua } from '../lua.generated.js';

export interface RedriveCall {
  set: 'completed' | 'failed';
  limit: number;
  /** The latest finish time in ms, or `+inf`. */
  till: string;
  ids?: readonly string[];
  resetAttempts: boolean;
  resetStarted: boolean;
}

export type Redriven = 'moved' | 'elsewhere' | 'missing';

/** Puts finished jobs back into `wait`: an outcome per id when ids are given, otherwise how many were moved. */
export const redrive = defineScript({
  source: lua.redrive,
  keys: [
    'set', 'meta', 'job', 'wait', 'state', 'outcome', 'history', 'progress', 'expire', 'outbox', 'sessions', 'marker', 'events',
  ],
  once: () => true,
  choose: (call: RedriveCall) => ({ set: call.set }),
  args: (call: RedriveCall) => [
    call.limit, call.till, call.ids ? packStrings(call.ids) : '',
    (call.resetAttempts ? 'm' : '') + (call.resetStarted ? 's' : ''), call.set,
  ],
  reply: (raw, call) => (call.ids ? { outcomes: list(raw).map(outcome), moved: 0 } : { outcomes: [], moved: integer(raw) }),
});

function outcome(flag: RawReply): Redriven {
  return flag === 1 ? 'moved' : flag === 0 ? 'elsewhere' : 'missing';
}
