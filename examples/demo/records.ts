import type { Job, JobType } from 'drover';

/** As much of a queue as the demo looks at, whatever its jobs carry. */
export interface AnyQueue {
  readonly name: string;
  getJobCounts(...states: JobType[]): Promise<Record<string, number>>;
  getJobs(states: JobType[], start: number, end: number): Promise<AnyJob[]>;
  obliterate(options: { force: boolean }): Promise<void>;
  close(): Promise<void>;
}

export type AnyJob = Pick<Job, 'id' | 'name' | 'timestamp' | 'processedOn' | 'finishedOn' | 'processedBy' | 'repeatJobKey' | 'attemptsMade' | 'failedReason' | 'opts'> & {
  data: unknown;
  returnvalue: unknown;
};

export const states = ['waiting', 'active', 'delayed', 'completed', 'failed'] as const;
export type Counts = Record<(typeof states)[number], number>;

export async function countsOf(queue: AnyQueue): Promise<Counts> {
  const { waiting = 0, active = 0, delayed = 0, completed = 0, failed = 0 } = await queue.getJobCounts(...states);
  return { waiting, active, delayed, completed, failed };
}

const pageSize = 1_000;

/** All jobs of a queue in one state, fetched page by page. */
export async function jobsOf<J extends AnyJob>(queue: { getJobs(states: JobType[], start: number, end: number): Promise<J[]> }, state: JobType): Promise<J[]> {
  const jobs: J[] = [];
  for (;;) {
    const page = await queue.getJobs([state], jobs.length, jobs.length + pageSize - 1);
    jobs.push(...page);
    if (page.length < pageSize) return jobs;
  }
}

/** When a job was to start: its slot when a schedule made it, else when it was added and its delay later. */
export function dueAt(job: AnyJob): number {
  if (job.repeatJobKey) return Number(job.id.split(':').at(-1));
  return job.timestamp + (job.opts.delay ?? 0);
}
