import { unpackAll } from '../core/codec.js';
import { DroverError } from '../core/errors.js';
import { asRecord, noFacts, unpackFactsOf, unpackRecord, type JobRecord } from '../core/job-record.js';
import { Job, type JobOwner } from '../queue/job.js';
import { applyFacts } from '../queue/read-job.js';
import type { SettleReply } from '../redis/scripts/settle.js';
import { HeldJob } from './held-job.js';

/**
 * Makes held jobs of what a take handed out. A job that cannot be read is given to `unreadable` and left out, so that
 * one damaged record never holds up its neighbours.
 */
export function unpackTaken(owner: JobOwner, reply: SettleReply, worker: string, unreadable: (id: string, error: Error) => void): HeldJob[] {
  for (const id of reply.missing) unreadable(id, new DroverError('CORRUPT_DATA', { field: 'job', message: `Job ${id} has no record.` }));
  if (reply.count === 0) return [];
  const bar = reply.lease.lastIndexOf('|');
  const token = reply.lease.slice(0, bar);
  const startedAt = Number(reply.lease.slice(bar + 1));
  const takenAt = performance.now();
  const records = readRecords(reply, unreadable);
  const held: HeldJob[] = [];
  for (const [i, id] of reply.ids.entries()) {
    const record = records[i];
    if (!record) continue;
    const job = new Job(owner, record.name, record.data, record.opts, id);
    const facts = reply.states[i] ? unpackFactsOf(reply.states[i]) : noFacts;
    if (facts !== noFacts) applyFacts(job, facts);
    job.timestamp = record.timestamp;
    job.priority = reply.priorities[i] ?? facts.priority ?? 0;
    job.attemptsStarted += 1;
    job.processedOn = startedAt;
    job.processedBy = worker;
    job.token = token;
    job.lease = reply.lease;
    held.push(new HeldJob(job, reply.lease, facts.suspect, takenAt));
  }
  return held;
}

/** The records in order; undefined for one that cannot be read. */
function readRecords(reply: SettleReply, unreadable: (id: string, error: Error) => void): (JobRecord | undefined)[] {
  try {
    const records = unpackAll(reply.records);
    if (records.length === reply.count) return records.map(asRecord);
  } catch {
    // One of them is damaged: they are read one by one below, so that the damage is told to its job alone.
  }
  return readOneByOne(reply, unreadable);
}

function readOneByOne(reply: SettleReply, unreadable: (id: string, error: Error) => void): (JobRecord | undefined)[] {
  const sizes = reply.sizes.split(' ').map(Number);
  let from = 0;
  return reply.ids.map((id, i) => {
    const to = from + (sizes[i] ?? 0);
    const bytes = reply.records.subarray(from, to);
    from = to;
    try {
      return unpackRecord(bytes);
    } catch (cause) {
      unreadable(id, new DroverError('CORRUPT_DATA', { field: 'job', message: `The record of job ${id} cannot be read.`, cause }));
      return undefined;
    }
  });
}
