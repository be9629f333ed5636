import Bull from 'bull';
import type { JobData, NewJob } from '../payload.js';
import { installedVersion } from './installed-version.js';
import { address, reportError, type Peer, type PeerWorker, type Target, type WorkerSettings } from './peer.js';

export const bull: Peer = {
  name: 'bull',
  features: new Set(['single', 'bulk', 'delay', 'priority', 'processes', 'idle']),
  version: () => installedVersion('bull'),
  open: async (target) => {
    const queue = await connect(target);
    return {
      add: (job) => queue.add(job.data, options(job)),
      addBulk: (jobs) => queue.addBulk(jobs.map((job) => ({ data: job.data, opts: options(job) }))),
      worker: (settings) => openWorker(target, settings),
      close: () => queue.close(true),
    };
  },
};

async function openWorker(target: Target, settings: WorkerSettings): Promise<PeerWorker> {
  const queue = await connect(target);
  queue.on('completed', settings.onCompleted);
  return {
    start: () =>
      void queue
        .process(settings.concurrency, async (job) => settings.handler(job.data))
        .catch(reportError('bull')),
    close: () => queue.close(true),
  };
}

async function connect(target: Target): Promise<Bull.Queue<JobData>> {
  const queue = new Bull<JobData>(target.queue, { redis: address(target.url) });
  queue.on('error', reportError('bull'));
  await queue.isReady();
  return queue;
}

/** Bull has no retention setting on the worker: it travels with each job. */
function options({ delayMs, priority }: NewJob): Bull.JobOptions {
  if (delayMs !== undefined) return { removeOnComplete: true, delay: delayMs };
  if (priority !== undefined) return { removeOnComplete: true, priority };
  return { removeOnComplete: true };
}
