import { Queue } from 'drover';
import { redis } from '../redis.js';

/** Jobs carry paths, not pictures: Redis holds what is to be done, the disk holds the megabytes. */
export interface Picture {
  source: string;
  targetDir: string;
}

export interface Resized {
  path: string;
  width: number;
  height: number;
}

export const imageQueue = new Queue<Picture, Resized[], 'resize'>('images', {
  ...redis,
  defaultJobOptions: { attempts: 2, backoff: { type: 'fixed', delay: 200 }, removeOnComplete: { count: 5_000 }, removeOnFail: { count: 5_000 } },
});
imageQueue.on('error', (error) => console.error('image queue:', error.message));

export function resizeAll(pictures: readonly Picture[]) {
  return imageQueue.addBulk(pictures.map((data) => ({ name: 'resize', data })));
}
