import type { StateSet } from '../core/states.js';
import { clean, type CleanCall } from '../redis/scripts/clean.js';
import { promote } from '../redis/scripts/promote.js';
import { redrive } from '../redis/scripts/redrive.js';
import type { Job } from './job.js';
import { pageSize, type JobStore } from './job-store.js';

/** Work on whole queues. Redis is never held for long: each step is one call on at most 1,000 jobs. */

/** Removes every job of one state. */
export async function dropAll(jobs: JobStore, set: StateSet, event: string): Promise<void> {
  let removed: string[];
  do {
    removed = await cleanStep(jobs, { set, limit: pageSize, till: '+inf', event });
  } while (removed.length === pageSize);
}

/** Removes finished jobs that ended more than `graceMs` ago, the oldest first. */
export async function cleanSet(jobs: JobStore, set: 'completed' | 'failed', graceMs: number, most: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < most) {
    const limit = Math.min(pageSize, most - ids.length);
    const removed = await cleanStep(jobs, { set, limit, till: `ago:${graceMs}`, event: 'cleaned' });
    ids.push(...removed);
    if (removed.length < limit) break;
  }
  return ids;
}

async function cleanStep(jobs: JobStore, call: CleanCall): Promise<string[]> {
  const { ids, letters } = await jobs.connection.run(clean, jobs.keys, call);
  await jobs.courier.deliver(letters);
  return ids;
}

const unstarted = ['waiting', 'prioritized', 'delayed', 'waiting-children'] as const;
type Unstarted = (typeof unstarted)[number];
type Listing = { getJobs(type: Unstarted, start: number, end: number, asc: boolean): Promise<Job[]>; jobs: JobStore };

/** Removes unstarted jobs that were created before `bound`. Children of a parent that goes stay, as in BullMQ. */
export async function removeOlder(queue: Listing, type: string, bound: number, most: number): Promise<string[]> {
  const state = unstarted.find((each) => each === (type === 'wait' ? 'waiting' : type));
  if (!state) return [];
  const ids: string[] = [];
  for (let start = 0; ids.length < most;) {
    const page = await queue.getJobs(state, start, start + pageSize - 1, true);
    const old = page.filter((job) => job.timestamp <= bound).slice(0, most - ids.length).map((job) => job.id);
    const outcomes = old.length > 0 ? await queue.jobs.remove(old) : [];
    const removed = old.filter((_, i) => outcomes[i] === 'removed');
    ids.push(...removed);
    start += page.length - removed.length;
    if (page.length < pageSize) break;
  }
  return ids;
}

/** Lets delayed jobs run now, the soonest first. */
export async function promoteAll(jobs: JobStore, step = pageSize): Promise<void> {
  const limit = Math.min(step, pageSize);
  while ((await jobs.connection.run(promote, jobs.keys, { limit, everything: true })).count === limit);
}

export interface RedriveRequest {
  /** The latest finish time in ms; undefined for any. */
  till: number | undefined;
  most: number;
  step?: number | undefined;
  ids?: string[] | undefined;
  resetAttempts?: boolean;
}

/** Puts finished jobs back into `wait`; answers how many. */
export async function redriveAll(jobs: JobStore, set: 'completed' | 'failed', request: RedriveRequest): Promise<number> {
  const reset = { resetAttempts: request.resetAttempts ?? false, resetStarted: false };
  const till = request.till === undefined ? '+inf' : String(request.till);
  if (request.ids) return redriveIds(jobs, set, request.ids.slice(0, request.most), reset);
  let total = 0;
  while (total < request.most) {
    const limit = Math.min(pageSize, request.step ?? pageSize, request.most - total);
    const { moved } = await jobs.connection.run(redrive, jobs.keys, { set, limit, till, ...reset });
    total += moved;
    if (moved < limit) break;
  }
  return total;
}

async function redriveIds(jobs: JobStore, set: 'completed' | 'failed', ids: string[], reset: { resetAttempts: boolean; resetStarted: boolean }): Promise<number> {
  let total = 0;
  for (let from = 0; from < ids.length; from += pageSize) {
    const page = ids.slice(from, from + pageSize);
    const { outcomes } = await jobs.connection.run(redrive, jobs.keys, { set, limit: page.length, till: '+inf', ids: page, ...reset });
    total += outcomes.filter((outcome) => outcome === 'moved').length;
  }
  return total;
}
