import { Queue } from 'drover';
import { redis } from '../redis.js';

export interface Chore {
  service: string;
}

export type ChoreName = 'heartbeat' | 'rollup';

export const choreQueue = new Queue<Chore, string, ChoreName>('chores', {
  ...redis,
  defaultJobOptions: { removeOnComplete: { count: 1_000 }, removeOnFail: { count: 1_000 } },
});
choreQueue.on('error', (error) => console.error('chore queue:', error.message));

export const schedules = {
  heartbeat: { every: 1_000 },
  rollup: { pattern: '*/2 * * * * *' }, // cron, with seconds in front
};

/** Run it at every start of every process: an upsert of the same schedule changes nothing, and each slot runs once. */
export async function scheduleChores() {
  await choreQueue.upsertJobScheduler('heartbeat', schedules.heartbeat, { name: 'heartbeat', data: { service: 'shop' } });
  await choreQueue.upsertJobScheduler('rollup', schedules.rollup, { name: 'rollup', data: { service: 'billing' } });
}
