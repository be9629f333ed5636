import { bytes, defineScript, integer, list, text } from '../script.js';
import { lua } from '../lua.generated.js';

export interface TakeFirstCall {
  session: string;
  seq: number;
  leaseMs: number;
  /** Only to be told what came of the call of this number; if it comes later, it does nothing. */
  asked: boolean;
}

/** A job that was handed out. */
export interface FirstTaken {
  now: number;
  lease: string;
  id: string;
  record: Buffer | undefined;
  facts: Buffer | undefined;
}

/** Takes the first waiting job, if nothing but its turn is to be looked at; undefined when there is none such. */
export const takeFirst = defineScript({
  source: lua.takeFirst,
  keys: ['meta', 'job', 'wait', 'active', 'run', 'state', 'sessions', 'marker', 'events'],
  args: (call: TakeFirstCall) => [call.session, call.seq, call.leaseMs, call.asked ? '1' : ''],
  reply: (raw): FirstTaken | undefined => {
    if (raw === null) return undefined;
    const [now, lease, id, record, facts] = list(raw);
    return { now: integer(now), lease: text(lease), id: text(id), record: bytes(record), facts: bytes(facts) };
  },
});
