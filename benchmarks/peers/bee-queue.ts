import BeeQueue from 'bee-queue';
import type { JobData, NewJob } from '../payload.js';
import { installedVersion } from './installed-version.js';
import { address, reportError, type Peer, type PeerWorker, type Target, type WorkerSettings } from './peer.js';

export const beeQueue: Peer = {
  name: 'bee-queue',
  features: new Set(['single', 'bulk', 'delay', 'processes', 'idle']),
  version: () => installedVersion('bee-queue'),
  open: async (target) => {
    const queue = await connect(target, { isWorker: false });
    return {
      add: (job) => create(queue, job).save(),
      addBulk: async (jobs) => {
        const errors = await queue.saveAll(jobs.map((job) => create(queue, job)));
        for (const error of errors.values()) throw error;
      },
      worker: (settings) => openWorker(target, settings),
      close: () => queue.close(),
    };
  },
};

async function openWorker(target: Target, settings: WorkerSettings): Promise<PeerWorker> {
  const queue = await connect(target, settings.delays ? { activateDelayedJobs: true, delayedDebounce: 1 } : {});
  queue.on('succeeded', settings.onCompleted);
  return {
    start: () => queue.process(settings.concurrency, async (job: BeeQueue.Job<JobData>) => settings.handler(job.data)),
    close: () => queue.close(1_000),
  };
}

/** Its README's advice for throughput: no job map and no pub/sub where nobody listens to it. */
async function connect(target: Target, settings: BeeQueue.QueueSettings): Promise<BeeQueue<JobData>> {
  const queue = new BeeQueue<JobData>(target.queue, {
    redis: address(target.url),
    removeOnSuccess: true,
    storeJobs: false,
    getEvents: false,
    sendEvents: false,
    ...settings,
  });
  queue.on('error', reportError('bee-queue'));
  await queue.ready();
  return queue;
}

function create(queue: BeeQueue<JobData>, { data, delayMs }: NewJob): BeeQueue.Job<JobData> {
  const job = queue.createJob(data);
  return delayMs === undefined ? job : job.delayUntil(Date.now() + delayMs);
}
