/* eslint-disable @typescript-eslint/no-explicit-any -- Bull's own defaults; with `unknown` its users' code would no longer compile */
import type { Job as EngineJob, JobState, JobType, Metrics } from '../../index.js';
import { ordinaryPriority } from './job-options.js';
import { Job } from './job.js';
import { QueueBase } from './queue-base.js';
import type { Queue } from './queue.js';
import type { JobCounts, JobId, JobStatus } from './declarations.js';

/** A name of a state, several with commas between them, or a list of either. */
type Statuses = string | string[];

const allStatuses = ['waiting', 'active', 'completed', 'failed', 'delayed', 'paused'] as const;

/** Reading a queue, with Bull's states: what waits in a paused queue is `paused`, and priorities make no state. */
export abstract class QueueGetters<T = any> extends QueueBase {
  /** The job, or null. */
  async getJob(jobId: JobId): Promise<Job<T> | null> {
    if (jobId === '') return null;
    const inner = await this.engine.getJob(String(jobId));
    return inner ? this.view(inner) : null;
  }

  /** Jobs of these states one after another, from `start` to `end` of each (inclusive), oldest first if `asc`. */
  async getJobs(types?: Statuses, start = 0, end = -1, asc = false): Promise<Job<T>[]> {
    const isPaused = await this.engine.isPaused();
    const pages = await Promise.all(statuses(types).map((type) => this.#page(type, { start, end, asc, isPaused })));
    return pages.flat().map((inner) => this.view(inner));
  }

  /** The ids of these jobs, as `getJobs` answers them. */
  async getRanges(types?: Statuses, start?: number, end?: number, asc?: boolean): Promise<string[]> {
    return (await this.getJobs(types, start, end, asc)).map(({ id }) => String(id));
  }

  getWaiting(start?: number, end?: number): Promise<Job<T>[]> {
    return this.getJobs(['wait', 'paused'], start, end, true);
  }

  getActive(start?: number, end?: number): Promise<Job<T>[]> {
    return this.getJobs('active', start, end, true);
  }

  getDelayed(start?: number, end?: number): Promise<Job<T>[]> {
    return this.getJobs('delayed', start, end, true);
  }

  getCompleted(start?: number, end?: number): Promise<Job<T>[]> {
    return this.getJobs('completed', start, end, false);
  }

  getFailed(start?: number, end?: number): Promise<Job<T>[]> {
    return this.getJobs('failed', start, end, false);
  }

  /** How many jobs are in each of these states; in each there is, when none is named. */
  async getJobCounts(...types: Statuses[]): Promise<JobCounts> {
    const [counts, isPaused] = await Promise.all([this.engine.getJobCounts(), this.engine.isPaused()]);
    const ready = (counts['waiting'] ?? 0) + (counts['prioritized'] ?? 0);
    const found: Record<string, number> = { ...counts, waiting: isPaused ? 0 : ready, wait: isPaused ? 0 : ready, paused: isPaused ? ready : 0 };
    if (statusList(types).includes('repeat')) found['repeat'] = await this.engine.getJobSchedulersCount();
    return Object.fromEntries(statuses(types.flat()).map((type) => [type, found[type] ?? 0])) as unknown as JobCounts;
  }

  async getJobCountByTypes(...types: Statuses[]): Promise<number> {
    const counts = await this.getJobCounts(...types);
    return Object.values(counts as unknown as Record<string, number>).reduce((sum, count) => sum + count, 0);
  }

  /** How many jobs have not begun. */
  count(): Promise<number> {
    return this.getJobCountByTypes('wait', 'paused', 'delayed');
  }

  getWaitingCount(): Promise<number> {
    return this.getJobCountByTypes('wait', 'paused');
  }

  getActiveCount(): Promise<number> {
    return this.getJobCountByTypes('active');
  }

  getCompletedCount(): Promise<number> {
    return this.getJobCountByTypes('completed');
  }

  getFailedCount(): Promise<number> {
    return this.getJobCountByTypes('failed');
  }

  getDelayedCount(): Promise<number> {
    return this.getJobCountByTypes('delayed');
  }

  getPausedCount(): Promise<number> {
    return this.getJobCountByTypes('paused');
  }

  /** Always 0: the engine marks nothing as perhaps stalled, it knows when leases end. */
  getStalledCount(): Promise<number> {
    return Promise.resolve(0);
  }

  /** How many jobs wait in each of these priorities; 0 means without one. */
  async getCountsPerPriority(priorities: number[]): Promise<Record<string, number>> {
    const counts = await this.engine.getCountsPerPriority([...priorities, 0, ordinaryPriority]);
    const ordinary = (counts['0'] ?? 0) + (counts[String(ordinaryPriority)] ?? 0);
    return Object.fromEntries(priorities.map((priority) => [String(priority), priority === 0 ? ordinary : counts[String(priority)] ?? 0]));
  }

  /** The rows of a job's log from `start` to `end` (inclusive), and how many there are in all. */
  getJobLogs(jobId: JobId, start?: number, end?: number, asc = true): Promise<{ logs: string[]; count: number }> {
    return this.engine.getJobLogs(String(jobId), start, end, asc);
  }

  /** How many jobs ended so in each minute, the newest first. Counted by queues with the option `metrics`. */
  getMetrics(type: 'completed' | 'failed', start?: number, end?: number): Promise<Metrics> {
    return this.engine.getMetrics(type, start, end);
  }

  /** @internal Bull's name for a state. */
  async stateName(state: JobState | 'unknown'): Promise<JobStatus | 'stuck'> {
    switch (state) {
      case 'unknown': return 'stuck';
      case 'waiting': case 'prioritized': case 'waiting-children': return (await this.engine.isPaused()) ? 'paused' : 'waiting';
      default: return state;
    }
  }

  /** @internal */
  view(inner: EngineJob): Job<T> {
    return new Job<T>(this as unknown as Queue<T>, inner);
  }

  async #page(type: string, page: { start: number; end: number; asc: boolean; isPaused: boolean }): Promise<EngineJob[]> {
    const { start, end, asc, isPaused } = page;
    switch (type) {
      case 'active': case 'completed': case 'failed': case 'delayed': return this.engine.getJobs(type, start, end, asc);
      case 'waiting': case 'wait': return isPaused ? [] : this.#ready(start, end, asc);
      case 'paused': return isPaused ? this.#ready(start, end, asc) : [];
      default: return [];
    }
  }

  /** To the engine these are two states, one after the other. */
  async #ready(start: number, end: number, asc: boolean): Promise<EngineJob[]> {
    const counts = await this.engine.getJobCounts('waiting', 'prioritized');
    const order: [JobType, number][] = [['waiting', counts['waiting'] ?? 0], ['prioritized', counts['prioritized'] ?? 0]];
    if (!asc) order.reverse();
    const total = order.reduce((sum, [, count]) => sum + count, 0);
    const [first, last] = [fromEnd(start, total), fromEnd(end, total)];
    const jobs: EngineJob[] = [];
    let passed = 0;
    for (const [type, count] of order) {
      const [from, to] = [Math.max(0, first - passed), Math.min(count - 1, last - passed)];
      if (from <= to) jobs.push(...(await this.engine.getJobs(type, from, to, asc)));
      passed += count;
    }
    return jobs;
  }
}

function fromEnd(index: number, total: number): number {
  return index < 0 ? total + index : index;
}

/** `'completed,failed'` and lists are the same; without any, all of them. */
function statuses(types: Statuses | undefined): string[] {
  const list = types === undefined ? [] : statusList([types]);
  return list.length === 0 ? [...allStatuses] : list;
}

function statusList(types: Statuses[]): string[] {
  return types.flat().join(',').split(/\s*,\s*/).filter((type) => type !== '');
}
