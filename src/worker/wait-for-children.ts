import { UnrecoverableError } from '../core/control-errors.js';
import { LeaseLostError } from '../core/errors.js';
import type { Job } from '../queue/job.js';
import type { JobStore } from '../queue/job-store.js';
import { awaitChildren } from '../redis/scripts/await-children.js';
import type { HeldJob } from './held-job.js';

/**
 * Lets a job that is held wait for its children, or for one of them; false when there is nothing to wait for.
 * Throws LEASE_LOST, or UnrecoverableError when a child failed that the job is to fail with.
 */
export async function waitForChildren(
  { connection, keys }: JobStore, job: Job, held: HeldJob | undefined, { token, child }: { token: string; child: string | undefined },
): Promise<boolean> {
  const lease = held?.job === job ? held.lease : job.leaseOf(token);
  const reply = await connection.run(awaitChildren, keys, { id: job.id, lease, child });
  switch (reply.outcome) {
    case 'lease lost': throw new LeaseLostError(job.id, 'let it wait for its children');
    case 'failure': throw new UnrecoverableError(reply.reason);
    case 'nothing to wait for': return false;
    case 'waits':
      // From here on nothing that the handler does counts.
      if (held?.lease === lease) held.state = 'released';
      return true;
  }
}
