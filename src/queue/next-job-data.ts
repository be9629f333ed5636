import type { JobHolder } from './job.js';
import type { JobJson } from './job-json.js';

/** The next job as `Job.fromJSON` takes it, its id, and two zeros where BullMQ tells of limits; or nothing. */
export type NextJobData = [json: JobJson, id: string, limitUntil: number, delayUntil: number] | [];

/** Takes the next job by hand, for who has just ended one under this token. */
export async function nextJobData(holder: JobHolder, token: string): Promise<NextJobData> {
  const next = await holder.next(token, 0);
  return next ? [next.asJSON(), next.id, 0, 0] : [];
}
