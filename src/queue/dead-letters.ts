import { QueueKeys } from '../redis/keys.js';
import { mostTransferred, transfer } from '../redis/scripts/transfer.js';
import type { Job } from './job.js';
import { pageSize, type JobStore } from './job-store.js';
import { redriveAll } from './maintenance.js';

/** What is needed of a queue to redrive its dead letters. */
export interface DeadLetterQueue {
  readonly jobs: JobStore;
  getJobs(types: ('waiting' | 'prioritized' | 'failed')[], start: number, end: number, asc: boolean): Promise<Job[]>;
  getJob(id: string): Promise<Job | undefined>;
  getFailedCount(): Promise<number>;
}

export interface RedriveOptions {
  /** Only these jobs. Default: all. */
  ids?: string[];
  /** At most this many. Default: all. */
  count?: number;
}

/**
 * Sends dead letters back to where they came from, and what failed here back into `waiting`; attempts start anew.
 * Answers how many were moved.
 */
export async function redriveDeadLetters(queue: DeadLetterQueue, { ids, count = Infinity }: RedriveOptions): Promise<number> {
  const returned = ids ? await returnLetters(queue, await lettersById(queue, ids.slice(0, count))) : await returnAll(queue, count);
  const rest = count - returned;
  if (rest <= 0) return returned;
  // At most as many as there are now: a job that fails again at once must not be redriven for ever.
  const failed = await queue.getFailedCount();
  return returned + (await redriveAll(queue.jobs, 'failed', { till: undefined, most: Math.min(rest, failed), ids, resetAttempts: true }));
}

async function lettersById(queue: DeadLetterQueue, ids: string[]): Promise<Job[]> {
  const found = await Promise.all(ids.map((id) => queue.getJob(id)));
  return found.filter((job) => job?.deadLetterOf !== undefined) as Job[];
}

/** Page by page from the front; what stays where it is, is passed over. */
async function returnAll(queue: DeadLetterQueue, most: number): Promise<number> {
  let total = 0;
  for (const state of ['waiting', 'prioritized', 'failed'] as const) {
    for (let passed = 0; total < most;) {
      const page = await queue.getJobs([state], passed, passed + pageSize - 1, true);
      const moved = await returnLetters(queue, page.filter((job) => job.deadLetterOf).slice(0, most - total));
      total += moved;
      passed += page.length - moved;
      if (page.length < pageSize) break;
    }
  }
  return total;
}

async function returnLetters(queue: DeadLetterQueue, letters: Job[]): Promise<number> {
  const byOrigin = new Map<string, Job[]>();
  for (const letter of letters) {
    const { prefix = '', queue: name = '' } = letter.deadLetterOf ?? {};
    const key = `${prefix}\n${name}`;
    byOrigin.set(key, [...(byOrigin.get(key) ?? []), letter]);
  }
  let moved = 0;
  for (const [key, group] of byOrigin) {
    const [prefix = '', name = ''] = key.split('\n');
    moved += await returnTo(queue.jobs, new QueueKeys(prefix, name), group);
  }
  return moved;
}

async function returnTo({ connection, keys, courier }: JobStore, target: QueueKeys, letters: Job[]): Promise<number> {
  let moved = 0;
  for (let from = 0; from < letters.length; from += mostTransferred) {
    const items = letters.slice(from, from + mostTransferred).map((job) => ({ id: job.id, lease: '', attemptsMade: 0 }));
    const call = { prefix: keys.prefix, queue: keys.queue, target, items, direction: 'return' as const };
    const reply = await connection.run(transfer, keys, call);
    await courier.deliver(reply.letters);
    moved += reply.moved.filter(Boolean).length;
  }
  return moved;
}
