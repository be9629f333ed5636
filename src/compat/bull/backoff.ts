import type { Job } from './job.js';
import type { AdvancedSettings, BackoffOptions } from './declarations.js';

/** The engine asks its strategy for every type that it does not have built in, so this one means all of Bull's. */
export const bullBackoff = 'bull';

/** How long a job of Bull's waits after its failed attempt: ms, or -1 to stop. Throws on an unknown type, as Bull does. */
export async function bullDelay(job: Job, attemptsMade: number, error: Error, settings: AdvancedSettings): Promise<number> {
  const { backoff } = job.opts;
  if (backoff === undefined) return 0;
  const options: BackoffOptions = typeof backoff === 'number' ? { type: 'fixed', delay: backoff } : backoff;
  const custom = settings.backoffStrategies && Object.hasOwn(settings.backoffStrategies, options.type) ? settings.backoffStrategies[options.type] : undefined;
  const delay = custom ? await custom(attemptsMade, error, options.options ?? null) : builtIn(options, attemptsMade);
  if (delay === -1) return -1;
  return delay > 0 ? delay : 0;
}

/** Source: `lib/backoffs.js` of Bull 4.16. */
function builtIn({ type, delay = 0 }: BackoffOptions, attemptsMade: number): number {
  switch (type) {
    case 'fixed': return delay;
    case 'exponential': return Math.round((2 ** attemptsMade - 1) * delay);
    default: throw new Error(`Unknown backoff strategy ${type}. If a custom backoff strategy is used, specify it when the queue is created.`);
  }
}
