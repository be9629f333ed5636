import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import { list, text, type RawReply } from '../redis/script.js';

/** What a worker that rests sees of its queue without running a script. */
export interface Sight {
  /** Jobs wait. */
  jobs: boolean;
  /** When the next delayed jobs and schedules are due, by Redis's clock; 0 for never. */
  dueAt: readonly number[];
}

const nothing: Sight = { jobs: false, dueAt: [] };

/** One command for a queue at rest, four where something is delayed. Rejects when Redis does not answer within `deadlineMs`. */
export async function glance(connection: Connection, keys: QueueKeys, deadlineMs: number): Promise<Sight> {
  const ask = (name: string, ...args: (string | number)[]): Promise<RawReply> => connection.command(name, args, 'see whether jobs wait', deadlineMs);
  const [wait, delayed] = [keys.key('wait'), keys.key('delayed')];
  if ((await ask('exists', wait, delayed, keys.key('schedules'))) === 0) return nothing;
  const [jobs, first, slot] = await Promise.all([ask('zcard', wait), ask('zrange', delayed, 0, 0, 'WITHSCORES'), ask('hget', keys.key('meta'), 'nextSlot')]);
  return { jobs: jobs !== 0, dueAt: [list(first).flat()[1] ?? null, slot].map(timeOf) };
}

/** Something else may have written there. */
function timeOf(raw: RawReply): number {
  const at = raw === null ? 0 : Number(text(raw));
  return Number.isFinite(at) ? at : 0;
}
