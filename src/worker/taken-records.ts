import { unpackAll } from '../core/codec.js';
import type { DroverError } from '../core/errors.js';
import { asRecord, unpackRecord, type JobRecord } from '../core/job-record.js';
import { printable } from '../core/nearest.js';
import { corruptJob } from '../queue/read-job.js';
import type { Connection } from '../redis/connection.js';
import type { QueueKeys } from '../redis/keys.js';
import { list, type RawReply } from '../redis/script.js';
import type { SettleReply } from '../redis/scripts/settle.js';

/** The record of a job that was taken, or what is wrong with it. */
export type TakenRecord = JobRecord | DroverError;

/** The records of a reply; undefined when it has none, or they came in a row and one of them, nobody knows which, cannot be read. */
export function readRow({ ids, records }: SettleReply): TakenRecord[] | undefined {
  if (records === undefined) return undefined;
  if (!Buffer.isBuffer(records)) return readList(ids, records);
  try {
    const values = unpackAll(records);
    return values.length === ids.length ? values.map(asRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Asks for the records one by one: large ones come cheaper so, and damage is told to its job alone. */
export async function readEach({ ids }: SettleReply, connection: Connection, keys: QueueKeys): Promise<TakenRecord[]> {
  return readList(ids, list(await connection.command('hmget', [keys.key('job'), ...ids], 'read jobs one by one')));
}

/** Reads records one by one. */
export function readList(ids: readonly string[], records: readonly RawReply[]): TakenRecord[] {
  return ids.map((id, i) => {
    const bytes = records[i];
    if (!Buffer.isBuffer(bytes)) return corruptJob(`Job ${printable(id)} has no record.`);
    try {
      return unpackRecord(bytes);
    } catch (cause) {
      return corruptJob(`The record of job ${printable(id)} cannot be read.`, cause);
    }
  });
}
