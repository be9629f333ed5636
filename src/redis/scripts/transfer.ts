import { ScriptPacker } from '../../core/script-packer.js';
import type { QueueKeys } from '../keys.js';
import { readLetters } from '../letters.js';
import { defineScript, list } from '../script.js';
import { lua } from '../lua.generated.js';

/** A job to be moved to another queue. */
export interface TransferItem {
  id: string;
  /** '' for a job that nobody holds. */
  lease: string;
  attemptsMade: number;
  /** The packed attempt that was its last, if the history does not have it yet. */
  attempt?: Buffer;
  /** The packed outcome, if the queue does not have it yet. */
  outcome?: Buffer;
}

export interface TransferCall {
  prefix: string;
  queue: string;
  target: QueueKeys;
  items: readonly TransferItem[];
  /** Dead letters into their queue, or back to where they came from. */
  direction: 'bury' | 'return';
}

/** How many jobs travel in one call at most: each takes more than twenty commands of two queues. */
export const mostTransferred = 250;

/** Moves jobs into the `wait` of another queue; answers per item whether it was moved. */
export const transfer = defineScript({
  source: lua.transfer,
  keys: [
    'meta', 'job', 'wait', 'delayed', 'active', 'parents', 'completed', 'failed', 'run', 'state', 'outcome', 'history',
    'progress', 'logs', 'expire', 'dedup', 'outbox', 'pending', 'orphans', 'marker', 'events', 'target.meta',
    'target.job', 'target.wait', 'target.state', 'target.history', 'target.marker', 'target.events',
  ],
  choose: (call: TransferCall) => ({ target: call.target }),
  args: (call: TransferCall) => [call.prefix, call.queue, packItems(call.items), call.direction],
  reply: (raw) => {
    const [flags, letters] = list(raw);
    return { moved: list(flags).map((flag) => flag === 1), letters: readLetters(letters) };
  },
});

function packItems(items: readonly TransferItem[]): Buffer {
  const packer = new ScriptPacker().array(items.length * 5);
  for (const { id, lease, attemptsMade, attempt, outcome } of items) {
    packer.string(id).string(lease).number(attemptsMade).bytes(attempt ?? nothing).bytes(outcome ?? nothing);
  }
  return packer.take();
}

const nothing = Buffer.alloc(0);
