import { Queue } from 'drover';
import { redis } from '../redis.js';

export interface Reminder {
  user: string;
  text: string;
}

export const reminderQueue = new Queue<Reminder, string, 'remind'>('reminders', {
  ...redis,
  defaultJobOptions: { removeOnComplete: { count: 5_000 }, removeOnFail: { count: 5_000 } },
});
reminderQueue.on('error', (error) => console.error('reminder queue:', error.message));

/** `delayMs` counts from the moment at which Redis takes the job. */
export function remindIn(delayMs: number, reminder: Reminder) {
  return reminderQueue.add('remind', reminder, { delay: delayMs });
}
