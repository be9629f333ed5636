import { expect, it } from 'vitest';
import { keepWatch } from '../../src/redis/scripts/keep-watch.js';
import { minute, openQueue } from './open-queue.js';

const call = (process: string, worker: string, forMs = minute): Parameters<typeof keepWatch.args>[0] => ({ process, worker, forMs, seats: 2 });

it('keep-watch gives two seats to different processes, renews them, and gives them on when they have run out', async () => {
  const queue = openQueue();
  const asks = [call('p', '1'), call('p', '2'), call('q', '3'), call('r', '4'), call('p', '1'), call('q', '3', 1)];
  const answers: boolean[] = [];
  for (const each of asks) answers.push(await queue.run(keepWatch, each));
  expect(answers).toEqual([true, false, true, false, true, true]);
  const free = async (): Promise<boolean> => queue.run(keepWatch, call('r', '4'));
  // The seat of q runs out after a millisecond.
  await expect.poll(free, { interval: 2 }).toBe(true);
  expect(await queue.run(keepWatch, call('q', '3'))).toBe(false);
});
