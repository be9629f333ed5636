import { defineScript, text } from '../script.js';
import { lua } from '../lua.generated.js';

export interface AwaitCall {
  id: string;
  lease: string;
  /** The key of the one child to wait for; undefined for any. */
  child: string | undefined;
}

/** Lets an active job wait for its children; `failure`: it is to fail, because a child did. */
export const awaitChildren = defineScript({
  source: lua.awaitChildren,
  keys: ['meta', 'active', 'parents', 'run', 'state', 'pending', 'events', 'children'],
  choose: (call: AwaitCall) => ({ children: [call.id] }),
  args: (call: AwaitCall) => [call.id, call.lease, call.child ?? ''],
  reply: (raw): { outcome: 'waits' | 'nothing to wait for' | 'lease lost' } | { outcome: 'failure'; reason: string } => {
    if (raw === 1) return { outcome: 'waits' };
    if (raw === 0) return { outcome: 'nothing to wait for' };
    if (raw === -1) return { outcome: 'lease lost' };
    return { outcome: 'failure', reason: text(raw) };
  },
});
