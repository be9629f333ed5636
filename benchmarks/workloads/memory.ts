import { emails } from '../payload.js';
import { sleep, type Round } from '../round.js';
import { bulkSize } from './drain.js';
import type { Workload } from './workload.js';

/** Both readings are taken without a producer's connection, whose buffers Redis counts as memory too. */
export const memory: Workload = {
  name: 'memory',
  needs: ['single'],
  size: { full: 100_000, quick: 10_000 },
  cold: true,
  maxRounds: 2,
  rows: [{ metric: 'bytesPerWaitingJob', label: 'Redis memory per waiting job', unit: 'bytes', better: 'lower', target: { atMost: 0.45 } }],
  run: async (round, size) => {
    await addAndClose(round, 1);
    const before = await round.probe.usedMemory();
    await addAndClose(round, size);
    return { bytesPerWaitingJob: ((await round.probe.usedMemory()) - before) / size };
  },
};

async function addAndClose(round: Round, count: number): Promise<void> {
  const queue = await round.peer.open({ url: round.url, queue: round.queueName });
  for (let added = 0; added < count; added += bulkSize) await queue.addBulk(emails(Math.min(bulkSize, count - added)));
  await queue.close();
  await sleep(100);
}
