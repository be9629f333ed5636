import type { Job } from '../queue/job.js';
import type { JobStore } from '../queue/job-store.js';
import { applyHistory } from '../queue/read-job.js';
import type { HeldJob } from './held-job.js';

/** Whether an attempt at a job that has just been taken went before. Takes do not carry what went wrong: most jobs have no past. */
export function wasTried({ attemptsMade, attemptsStarted }: Job): boolean {
  return attemptsMade > 0 || attemptsStarted > 1;
}

/** Lets a job that was tried before show its earlier failures to the handler. A past that cannot be read holds up nothing: `failed` hears of it. */
export async function recall(jobs: JobStore, { job, redrivenAt }: HeldJob, failed: (error: Error) => void): Promise<void> {
  try {
    applyHistory(job, await jobs.history(job.id), redrivenAt);
  } catch (error) {
    failed(error as Error);
  }
}
