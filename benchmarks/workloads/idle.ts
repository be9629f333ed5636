import { email } from '../payload.js';
import { sleep, within } from '../round.js';
import { Countdown } from './drain.js';
import type { Workload } from './workload.js';

const workers = 100;
const settleMs = 1_000;
const wakeLimitMs = 10_000;

/**
 * The size counts seconds: a whole number of the periods that engines work in (5, 30 and 60 s). A shorter window sees all
 * of a cycle or none of it, since the workers start together; hence no quick version.
 */
export const idle: Workload = {
  name: 'idle',
  needs: ['idle'],
  size: { full: 60, quick: 60 },
  cold: true,
  maxRounds: 1,
  quickPeers: [],
  rows: [
    {
      metric: 'commandsPerSecond',
      label: '100 idle workers, one queue each',
      unit: 'commands/s',
      better: 'lower',
      target: { atMost: 1 / 5 },
    },
  ],
  run: async (round, seconds) => {
    const awake = new Countdown(workers);
    const queues = await Promise.all(
      Array.from({ length: workers }, async (_, index) => {
        const queue = await round.queue(`${round.queueName}-${index}`);
        const worker = await round.worker(queue, { concurrency: 1, handler: () => undefined, onCompleted: awake.hit });
        worker.start();
        return queue;
      }),
    );
    await sleep(settleMs);
    const before = await round.probe.snapshot();
    await sleep(1_000 * seconds);
    const after = await round.probe.snapshot();
    const ownCommands = 1;
    await Promise.all(queues.map((queue) => queue.add({ data: email(0) })));
    await within(wakeLimitMs, awake.done); // silence counts only if everyone was listening
    return { commandsPerSecond: (1_000 * (after.commands - before.commands - ownCommands)) / (after.at - before.at) };
  },
};
