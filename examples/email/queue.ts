import { Queue } from 'drover';
import { redis } from '../redis.js';

export interface Email {
  to: string;
  customer: string;
  order: { number: string; items: string[]; totalCents: number };
}

export interface Receipt {
  messageId: string;
  response: string;
}

/** A mail server that refuses for now is asked again after 250 ms, 500 ms and 1 s; then the mail is a dead letter. */
export const retries = { attempts: 4, backoff: { type: 'exponential', delay: 250, jitter: 0.2 } };

export const emailQueue = new Queue<Email, Receipt, 'order-confirmation'>('email', {
  ...redis,
  defaultJobOptions: {
    ...retries,
    // Finished jobs are kept to be looked at, but never without an end.
    removeOnComplete: { count: 20_000, age: 24 * 3600 },
    removeOnFail: { count: 20_000 },
  },
});
emailQueue.on('error', (error) => console.error('email queue:', error.message));

/** One call for all of them: thousands of jobs travel in a few round trips. */
export function confirmOrders(emails: readonly Email[]) {
  return emailQueue.addBulk(emails.map((data) => ({ name: 'order-confirmation', data })));
}
