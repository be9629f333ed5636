import { readLetters } from '../letters.js';
import { defineScript, integer, list, text } from '../script.js';
import { lua } from '../lua.generated.js';

export interface RecoveredJob {
  id: string;
  stalls: number;
  /** The worker that let the lease run out. */
  worker: string;
  dead: boolean;
  /** Whether the job is known to have started; only then the stall was counted. */
  started: boolean;
}

export interface RecoverCall {
  maxStalledCount: number;
  limit: number;
  keepFailed: number;
  /** How long leases are here: one given more than ten of these ahead of now tells that the clock was set back. Default: not looked for. */
  leaseMs?: number;
}

/** How many jobs one call takes back at most: each has attempts to count and a history to write. */
export const mostRecovered = 500;

/** Takes jobs whose lease has run out away from their worker. */
export const recover = defineScript({
  source: lua.recover,
  keys: [
    'meta', 'job', 'wait', 'delayed', 'active', 'failed', 'run', 'state', 'outcome', 'history', 'progress', 'logs',
    'expire', 'dedup', 'outbox', 'pending', 'orphans', 'marker', 'events',
  ],
  args: (call: RecoverCall) => [call.maxStalledCount, call.limit, call.keepFailed, call.leaseMs ?? 0],
  reply: (raw) => {
    const [jobs, expiresAt, letters] = list(raw);
    return { jobs: list(jobs).map((job) => recovered(list(job))), expiresAt: integer(expiresAt), letters: readLetters(letters) };
  },
});

function recovered([id, stalls, worker, dead, started]: ReturnType<typeof list>): RecoveredJob {
  return { id: text(id), stalls: integer(stalls), worker: text(worker), dead: dead === 1, started: started === 1 };
}
