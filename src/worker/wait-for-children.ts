import { awaitChildrenOf } from '../queue/hands.js';
import type { Job } from '../queue/job.js';
import type { JobStore } from '../queue/job-store.js';
import type { HeldJob } from './held-job.js';

/** Lets a job that this worker holds wait for its children; answers and throws as {@link awaitChildrenOf} does. */
export async function waitForChildren(
  jobs: JobStore, job: Job, held: HeldJob | undefined, { token, child }: { token: string; child: string | undefined },
): Promise<boolean> {
  const lease = held?.job === job ? held.lease : job.leaseOf(token);
  const waits = await awaitChildrenOf(jobs, job.id, { lease, child });
  // From here on nothing that the handler does counts.
  if (waits && held?.lease === lease) held.state = 'released';
  return waits;
}
