import type { Queue } from 'drover';
import { ScriptPacker } from '../../src/core/script-packer.js';
import { settle } from '../../src/redis/scripts/settle.js';
import { packEnded } from '../../src/queue/pack-ended.js';
import { uniqueName } from './behaviour.js';

/** Takes a job and forgets it, as a process does that dies before it could start it. Answers its id, '' when there was none. */
export async function takeAndForget(queue: Queue, leaseMs: number): Promise<string> {
  const { ids } = await queue.connection.run(settle, queue.keys, {
    session: uniqueName('gone'), seq: 1, ended: packEnded([], new ScriptPacker()), token: 'gone', wanted: 1, leaseMs, max: 0, durationMs: 0,
    keepCompleted: -1, keepFailed: -1, woken: false, prefetch: 0,
  });
  return ids[0] ?? '';
}
