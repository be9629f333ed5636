import { UnrecoverableError, Worker, type WorkerOptions } from 'drover';
import { createTransport } from 'nodemailer';
import { redis } from '../redis.js';
import type { Email, Receipt } from './queue.js';
import { orderConfirmation } from './template.js';

export interface MailServer {
  host: string;
  port: number;
}

export function startEmailWorker(server: MailServer, options: Partial<WorkerOptions> = {}) {
  const concurrency = options.concurrency ?? 50;
  // As many connections as mails at a time, each kept open for all that follow.
  const mailer = createTransport({ ...server, pool: true, maxConnections: concurrency, maxMessages: Infinity, ignoreTLS: true });

  const worker = new Worker<Email, Receipt, 'order-confirmation'>(
    'email',
    async (job) => {
      try {
        const { messageId, response } = await mailer.sendMail({
          ...orderConfirmation(job.data),
          // A job may run again after a crash. The same message id lets the other side notice the repetition.
          messageId: `<${job.id}@shop.example>`,
        });
        return { messageId, response };
      } catch (error) {
        // 4xx: not now, so throw and be retried. 5xx: never, so do not even try again.
        if (isRefusedForGood(error)) throw new UnrecoverableError(error.message);
        throw error;
      }
    },
    { ...redis, concurrency, ...options },
  );

  worker.on('error', (error) => console.error('email worker:', error.message));
  worker.on('closed', () => mailer.close());
  return worker;
}

function isRefusedForGood(error: unknown): error is Error {
  return error instanceof Error && 'responseCode' in error && Number(error.responseCode) >= 500;
}
