import { Worker } from 'drover';
import { redis } from '../redis.js';
import type { Chore, ChoreName } from './queue.js';

export function startChoreWorker() {
  const worker = new Worker<Chore, string, ChoreName>(
    'chores',
    async (job) => {
      switch (job.name) {
        case 'heartbeat':
          return `${job.data.service} is alive`;
        case 'rollup':
          return `sums of ${job.data.service} written`;
      }
    },
    redis,
  );

  worker.on('error', (error) => console.error('chore worker:', error.message));
  return worker;
}
