import { Queue, Worker, type Job } from 'drover';
import Bull from 'drover/bull';

// TypeScript that becomes CommonJS.
export async function required(): Promise<void> {
  const queue = new Queue<{ to: string }>('mail', { connection: { host: '127.0.0.1', port: 6379 } });
  const worker = new Worker<{ to: string }, string>('mail', async (job: Job<{ to: string }, string>) => job.data.to, { connection: queue.opts.connection });
  const classic = new Bull<{ to: string }>('mail', { redis: { port: 6379 } });
  await Promise.all([worker.close(), queue.close(), classic.close()]);
}
