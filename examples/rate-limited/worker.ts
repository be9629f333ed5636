import { RateLimitError, Worker } from 'drover';
import { redis } from '../redis.js';
import { limiter } from './limiter.js';
import type { Contact } from './queue.js';

export function startApiWorker(apiUrl: string) {
  const worker = new Worker<Contact, number, 'sync-contact'>(
    'api-calls',
    // The signal fires when the job is cancelled or this worker has lost it: no call is made in vain.
    async (job, _token, signal) => {
      const response = await fetch(`${apiUrl}/contacts/${job.data.contactId}`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(job.data),
        signal: signal ?? null,
      });
      if (response.status === 429) {
        // The API wants a break: stop the whole queue for so long, and give this job back without spending an attempt.
        await worker.rateLimit(1_000 * Number(response.headers.get('retry-after') ?? 1));
        throw new RateLimitError();
      }
      if (!response.ok) throw new Error(`PUT /contacts/${job.data.contactId} answered ${response.status}`);
      return response.status;
    },
    { ...redis, concurrency: 5, limiter },
  );

  worker.on('error', (error) => console.error('api worker:', error.message));
  return worker;
}
