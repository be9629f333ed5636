import { Queue, Worker } from 'groupmq';
import { Redis } from 'ioredis';
import type { JobData, NewJob } from '../payload.js';
import { installedVersion } from './installed-version.js';
import { address, reportError, type Peer, type PeerWorker, type Target, type WorkerSettings } from './peer.js';

/** Jobs of one group run one after another, so the jobs are spread over many groups. */
const groups = 1_000;

export const groupmq: Peer = {
  name: 'groupmq',
  features: new Set(['single', 'delay', 'processes', 'idle']),
  version: () => installedVersion('groupmq'),
  open: async (target) => {
    const { redis, queue } = await connect(target);
    let added = 0;
    const add = (job: NewJob): Promise<unknown> =>
      queue.add({
        groupId: `group-${added++ % groups}`,
        data: job.data,
        ...(job.delayMs !== undefined && { delay: job.delayMs }),
      });
    return {
      add,
      addBulk: (jobs) => Promise.all(jobs.map(add)),
      worker: (settings) => openWorker(target, settings),
      close: async () => {
        await queue.close();
        redis.disconnect();
      },
    };
  },
};

/** Its worker runs from construction on, so it is made only at `start`. */
async function openWorker(target: Target, settings: WorkerSettings): Promise<PeerWorker> {
  const { redis, queue } = await connect(target);
  let worker: Worker<JobData> | undefined;
  return {
    start: () => {
      worker = new Worker<JobData>({
        queue,
        concurrency: settings.concurrency,
        ...(settings.delays && { schedulerIntervalMs: 10 }),
        handler: async (job) => settings.handler(job.data),
      });
      worker.on('error', reportError('groupmq'));
      worker.on('completed', settings.onCompleted);
    },
    close: async () => {
      await worker?.close(1_000);
      await queue.close();
      redis.disconnect();
    },
  };
}

async function connect(target: Target): Promise<{ redis: Redis; queue: Queue<JobData> }> {
  const redis = new Redis({ ...address(target.url), maxRetriesPerRequest: null, lazyConnect: true });
  redis.on('error', reportError('groupmq'));
  await redis.connect();
  const queue = new Queue<JobData>({
    redis,
    namespace: target.queue,
    keepCompleted: 0,
    schedulerLockTtlMs: 50,
    autoBatch: { size: 100, maxWaitMs: 1 },
  });
  return { redis, queue };
}
