import { checkValue } from '../core/check.js';
import { pack, unpack, unpackAll, unpackFacts } from '../core/codec.js';
import { DroverError, StateError } from '../core/errors.js';
import { checkSize } from '../core/job-options.js';
import { printable } from '../core/nearest.js';
import { isMap, packRecord, unpackFactsOf, type JobRecord, type ParentRef } from '../core/job-record.js';
import { stateOf, type JobState } from '../core/states.js';
import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import { bytes, integer } from '../redis/script.js';
import { appendLog } from '../redis/scripts/append-log.js';
import { fetch, type StoredJob } from '../redis/scripts/fetch.js';
import { promote } from '../redis/scripts/promote.js';
import { redrive } from '../redis/scripts/redrive.js';
import { remove, type Removal, type RemoveOnly } from '../redis/scripts/remove.js';
import { renew } from '../redis/scripts/renew.js';
import { reportProgress } from '../redis/scripts/report-progress.js';
import { reprioritize } from '../redis/scripts/reprioritize.js';
import { reschedule } from '../redis/scripts/reschedule.js';
import { updateData } from '../redis/scripts/update-data.js';
import { packStrings, ScriptPacker } from '../core/script-packer.js';
import { Courier } from './courier.js';
import { storedOptions } from './draft.js';

/** The most ids one script call is given. */
export const pageSize = 1000;

/** What can be done to single jobs of a queue, whoever holds them. */
export class JobStore {
  readonly connection: Connection;
  readonly keys: QueueKeys;
  /** Takes the news of this queue's jobs to their parents. */
  readonly courier: Courier;

  constructor(connection: Connection, keys: QueueKeys) {
    this.connection = connection;
    this.keys = keys;
    this.courier = new Courier(connection, keys);
  }

  /** Everything Redis holds of these jobs; ids that the queue does not know are left out. */
  async fetch(ids: readonly string[]): Promise<StoredJob[]> {
    const found: StoredJob[] = [];
    for (let from = 0; from < ids.length; from += pageSize) {
      const page = await this.connection.run(fetch, this.keys, { ids: ids.slice(from, from + pageSize) });
      for (const job of page) if (job.record) found.push(job);
    }
    return found;
  }

  async state(id: string): Promise<JobState | 'unknown'> {
    const [job] = await this.connection.run(fetch, this.keys, { ids: [id] });
    return job?.place ? stateOf(job.place, job.score) : 'unknown';
  }

  /** Takes jobs out of the queue, `only` some of them, and tells the parents they may have. */
  async remove(ids: readonly string[], only: RemoveOnly = ''): Promise<Removal[]> {
    const { removals, letters } = await this.connection.run(remove, this.keys, { ids, only });
    await this.courier.deliver(letters);
    return removals;
  }

  /** Throws JOB_NOT_FOUND or PAYLOAD_TOO_LARGE. */
  async updateData(id: string, record: JobRecord, data: unknown): Promise<void> {
    const packed = packRecord(record.name, data, record.timestamp, storedOptions(record.opts));
    checkSize(packed.length, record.opts.sizeLimit, 'data');
    if (!(await this.connection.run(updateData, this.keys, { id, record: packed }))) throw notFound(id, 'update the data of');
  }

  /** Throws JOB_NOT_FOUND. */
  async updateProgress(id: string, progress: unknown): Promise<void> {
    const packed = pack(progress, 'progress');
    if (!(await this.connection.run(reportProgress, this.keys, { id, progress: packed }))) throw notFound(id, 'report progress of');
  }

  /** Answers how many rows the log has. Throws JOB_NOT_FOUND or INVALID_OPTION. */
  async log(id: string, row: string, keep: number): Promise<number> {
    const count = await this.connection.run(appendLog, this.keys, { id, row: pack(rowText(row), 'row'), keep });
    if (count < 0) throw notFound(id, 'log to');
    return count;
  }

  /** Removes all rows but the newest `keep`; of a job that is gone there are none. */
  async clearLog(id: string, keep: number): Promise<void> {
    await this.connection.run(appendLog, this.keys, { id, row: undefined, keep });
  }

  /** The packed attempts that went wrong, if any. */
  async history(id: string): Promise<Buffer | undefined> {
    return bytes(await this.connection.command('hget', [this.keys.key('history'), id], 'read the attempts of a job'));
  }

  async logs(id: string): Promise<string[]> {
    const stored = bytes(await this.connection.command('hget', [this.keys.key('logs'), id], 'read a log'));
    return stored ? unpackAll(stored.subarray(4)).map((row) => {
      if (typeof row !== 'string') throw corrupt('log of job', id);
      return row;
    }) : [];
  }

  /** Throws WRONG_STATE or JOB_NOT_FOUND. */
  async promote(id: string): Promise<void> {
    const { count } = await this.connection.run(promote, this.keys, { limit: 1, everything: true, ids: packStrings([id]) });
    if (count === 0) throw await this.wrongState(id, 'promote', 'delayed');
  }

  /** Throws WRONG_STATE or JOB_NOT_FOUND. */
  async reschedule(id: string, delayMs: number): Promise<void> {
    const dueAt = await this.connection.run(reschedule, this.keys, { id, delayMs });
    if (dueAt <= 0) throw await this.wrongState(id, 'change the delay of', 'delayed');
  }

  /** Throws JOB_NOT_FOUND. */
  async reprioritize(id: string, priority: number, lifo: boolean): Promise<void> {
    if (!(await this.connection.run(reprioritize, this.keys, { id, priority, lifo }))) throw notFound(id, 'change the priority of');
  }

  /** Puts one finished job back. Throws WRONG_STATE or JOB_NOT_FOUND. */
  async redrive(id: string, set: 'completed' | 'failed', reset: { resetAttempts: boolean; resetStarted: boolean }): Promise<void> {
    const { outcomes } = await this.connection.run(redrive, this.keys, { set, limit: 1, till: '+inf', ids: [id], ...reset });
    if (outcomes[0] !== 'moved') throw await this.wrongState(id, 'retry', set);
  }

  /** Pushes back the deadline of one lease; false when it is no longer held. */
  async renew(id: string, lease: string, leaseMs: number): Promise<boolean> {
    const leases = new ScriptPacker().array(2).string(id).string(lease).take();
    const lost = await this.connection.run(renew, this.keys, { leaseMs, leases });
    return lost.length === 0;
  }

  /** The parent of a job, or undefined when it has none or does not exist. */
  async parentOf(id: string): Promise<ParentRef | undefined> {
    return unpackFactsOf(bytes(await this.connection.command('hget', [this.keys.key('state'), id], 'read a job'))).parent;
  }

  /** The result or reason of a finished job, if it is kept. */
  async outcome(id: string): Promise<unknown> {
    const stored = bytes(await this.connection.command('hget', [this.keys.key('outcome'), id], 'read an outcome'));
    return stored ? unpack(stored) : undefined;
  }

  /** The job that holds a deduplication id, or null. */
  async deduplicationHolder(id: string): Promise<string | null> {
    const stored = bytes(await this.connection.command('hget', [this.keys.key('dedup'), id], 'read a deduplication id'));
    if (!stored) return null;
    const entry = unpackFacts(stored);
    if (!isMap(entry) || typeof entry['id'] !== 'string' || typeof entry['till'] !== 'number') throw corrupt('deduplication id', id);
    return entry['till'] !== 0 && entry['till'] <= this.connection.now ? null : entry['id'];
  }

  /** Frees a deduplication id if `holder` holds it. */
  async freeDeduplicationId(id: string, holder: string): Promise<boolean> {
    if ((await this.deduplicationHolder(id)) !== holder) return false;
    return integer(await this.connection.command('hdel', [this.keys.key('dedup'), id], 'free a deduplication id')) === 1;
  }

  /** What to throw for a job that is in another state, or gone. */
  async wrongState(id: string, doing: string, wanted: string): Promise<StateError> {
    const state = await this.state(id);
    if (state === 'unknown') return notFound(id, doing);
    return new StateError('WRONG_STATE', { field: 'job', message: `Job ${id} is not in the ${wanted} state: could not ${doing} it, for it is ${state}.` });
  }
}

function corrupt(what: string, id: string): DroverError {
  return new DroverError('CORRUPT_DATA', { message: `What Redis holds of the ${what} ${printable(id)} cannot be read.` });
}

/** Rows are text. A number, flag or error is shown as text, as in BullMQ; what has no text of its own is refused. */
function rowText(row: unknown): string {
  checkValue(row, (value) => (['string', 'number', 'boolean', 'bigint'].includes(typeof value) || value instanceof Error ? undefined : 'a text'), 'row');
  return String(row);
}

export function notFound(id: string, doing: string): StateError {
  return new StateError('JOB_NOT_FOUND', { field: 'job', message: `Missing key for job ${id}: could not ${doing} it.` });
}

/** For what only the holder of a job may do, asked of a handle that came from a queue. */
export function unheld(id: string, doing: string): StateError {
  return new StateError('WRONG_STATE', {
    field: 'job', message: `Missing lock for job ${id}: could not ${doing} it, for this handle belongs to no worker.`,
    hint: 'Use the job that the handler was given, or one that `worker.getNextJob` answered.',
  });
}
