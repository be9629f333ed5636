import { DroverError } from '../core/errors.js';
import { noFacts, unpackFactsOf, type JobFacts } from '../core/job-record.js';
import { printable } from '../core/nearest.js';
import { Job, type JobOwner } from '../queue/job.js';
import { applyFacts, corruptJob } from '../queue/read-job.js';
import type { Taken } from './exchange.js';
import { HeldJob } from './held-job.js';

/** What has been handed out under one lease. */
export type HandedOut = Pick<Taken, 'jobs' | 'missing' | 'lease'> & { readonly ids: readonly string[]; readonly states: readonly (Buffer | undefined)[] };

/**
 * Makes held jobs of what a take handed out. A job that cannot be read is given to `unreadable` and left out, so that
 * one damaged record never holds up its neighbours.
 */
export function unpackTaken(owner: JobOwner, taken: HandedOut, worker: string, unreadable: (id: string, error: Error) => void): HeldJob[] {
  const { ids, jobs, states, missing, lease } = taken;
  for (const id of missing) unreadable(id, corruptJob(`Job ${printable(id)} has no record.`));
  if (ids.length === 0) return [];
  const bar = lease.lastIndexOf('|');
  const token = lease.slice(0, bar);
  const startedAt = Number(lease.slice(bar + 1));
  const takenAt = performance.now();
  const held: HeldJob[] = [];
  let last: { packed: Buffer | undefined; facts: JobFacts } = { packed: undefined, facts: noFacts };
  for (const [i, id] of ids.entries()) {
    const record = jobs[i];
    if (!record || record instanceof DroverError) {
      if (record) unreadable(id, record);
      continue;
    }
    // Siblings have the same facts.
    const packed = states[i];
    const facts = isSame(packed, last.packed) ? last.facts : readFacts(packed, id, unreadable);
    if (!facts) continue;
    last = { packed, facts };
    const job = new Job(owner, record.name, record.data, record.opts, id);
    if (facts !== noFacts) applyFacts(job, facts);
    job.timestamp = record.timestamp;
    job.delay = 0;
    job.priority = facts.priority ?? 0;
    job.attemptsStarted += 1;
    job.processedOn = startedAt;
    job.processedBy = worker;
    job.token = token;
    job.lease = lease;
    held.push(new HeldJob(job, lease, facts, takenAt));
  }
  return held;
}

function isSame(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === other || (one !== undefined && other !== undefined && one.equals(other));
}

function readFacts(packed: Buffer | undefined, id: string, unreadable: (id: string, error: Error) => void): JobFacts | undefined {
  if (!packed) return noFacts;
  try {
    return unpackFactsOf(packed);
  } catch (cause) {
    unreadable(id, corruptJob(`The state of job ${printable(id)} cannot be read.`, cause));
    return undefined;
  }
}
