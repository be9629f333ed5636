import { Worker } from 'drover';
import { redis } from '../redis.js';
import type { Reminder } from './queue.js';

export function startReminderWorker() {
  const worker = new Worker<Reminder, string, 'remind'>('reminders', async (job) => `${job.data.user}: ${job.data.text}`, { ...redis, concurrency: 20 });

  worker.on('error', (error) => console.error('reminder worker:', error.message));
  return worker;
}
