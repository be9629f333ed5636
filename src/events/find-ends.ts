import { list, text, type RawReply } from '../redis/script.js';
import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import { decodeEntry, type DecodedEvent } from './decode.js';

/** How a job ended. */
export type JobEnd = { ended: 'completed'; value: unknown } | { ended: 'failed'; reason: string };

const pageSize = 50;

/** What can happen to a job that has ended: its end lies before. */
const afterwards = new Set(['removed', 'progress', 'retries-exhausted', 'duplicated', 'deduplicated']);

/** How the job of this event ended, if the event says that. */
export function endOf({ event, args, custom }: DecodedEvent): JobEnd | undefined {
  if (custom) return undefined;
  if (event === 'completed') return { ended: 'completed', value: args.returnvalue };
  return event === 'failed' ? { ended: 'failed', reason: args.failedReason } : undefined;
}

/**
 * How jobs ended that the queue no longer knows, as far as its event stream still tells: a job that is removed on
 * completion leaves its result there. Reads backwards, at most the whole stream.
 */
export async function findEnds(connection: Connection, keys: QueueKeys, jobIds: Iterable<string>): Promise<Map<string, JobEnd>> {
  const wanted = new Set(jobIds);
  const found = new Map<string, JobEnd>();
  for (let before = '+'; wanted.size > 0;) {
    const page = list(await connection.command('xrevrange', [keys.key('events'), before, '-', 'COUNT', pageSize], 'look for the end of a job'));
    for (const entry of page) collect(eventsOf(entry), wanted, found);
    const last = page.at(-1);
    if (!last || page.length < pageSize) break;
    before = `(${text(list(last)[0])}`;
  }
  return found;
}

/** Goes backwards to the end of each job; a job that was new, waiting or running when it went has none. */
function collect(events: DecodedEvent[], wanted: Set<string>, found: Map<string, JobEnd>): void {
  for (const event of events.reverse()) {
    const { jobId } = event.args as { jobId?: string };
    if (event.custom || jobId === undefined || !wanted.has(jobId) || afterwards.has(event.event)) continue;
    const end = endOf(event);
    if (end) found.set(jobId, end);
    wanted.delete(jobId);
  }
}

/** An entry that cannot be read says nothing; whoever reads the stream forwards reports it. */
function eventsOf(entry: RawReply): DecodedEvent[] {
  const [id, fields] = list(entry);
  try {
    return decodeEntry({ id: text(id), fields: list(fields) as Buffer[] });
  } catch {
    return [];
  }
}
