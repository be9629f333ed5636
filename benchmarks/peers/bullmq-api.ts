import type { FlowProducer, JobsOptions, Queue, Worker } from 'bullmq';
import type { JobData, NewJob } from '../payload.js';
import { address, reportError, type PeerQueue, type PeerWorker, type Target, type WorkerSettings } from './peer.js';

/** The classes that BullMQ and Drover share. */
export interface BullmqApi {
  readonly Queue: typeof Queue;
  readonly Worker: typeof Worker;
  readonly FlowProducer: typeof FlowProducer;
}

const jobName = 'email';

/** Opens a queue of any engine that has BullMQ's API, with one connection per role as BullMQ recommends. */
export async function openBullmqApi(peer: string, api: BullmqApi, target: Target): Promise<PeerQueue> {
  const onError = reportError(peer);
  const queue = new api.Queue(target.queue, { connection: address(target.url) });
  queue.on('error', onError);
  await queue.waitUntilReady();
  let flows: FlowProducer | undefined;

  const flowProducer = (): FlowProducer => {
    if (!flows) {
      flows = new api.FlowProducer({ connection: address(target.url) });
      flows.on('error', onError);
    }
    return flows;
  };

  return {
    add: (job) => queue.add(jobName, job.data, options(job)),
    addBulk: (jobs) => queue.addBulk(jobs.map((job) => ({ name: jobName, data: job.data, ...optionsField(job) }))),
    addFlow: (children) =>
      flowProducer().add({
        name: 'parent',
        queueName: target.queue,
        data: {},
        children: children.map((child) => ({ name: jobName, queueName: target.queue, data: child.data })),
      }),
    worker: (settings) => openWorker(peer, api, target, settings),
    close: async () => {
      await flows?.close();
      await queue.close();
    },
  };
}

async function openWorker(peer: string, api: BullmqApi, target: Target, settings: WorkerSettings): Promise<PeerWorker> {
  const onError = reportError(peer);
  const worker = new api.Worker<JobData>(target.queue, async (job) => settings.handler(job.data), {
    connection: { ...address(target.url), maxRetriesPerRequest: null },
    concurrency: settings.concurrency,
    removeOnComplete: { count: 0 },
    autorun: false,
  });
  worker.on('error', onError);
  worker.on('completed', settings.onCompleted);
  await worker.waitUntilReady();
  return {
    start: () => void worker.run().catch(onError),
    close: () => worker.close(),
  };
}

function options({ delayMs, priority }: NewJob): JobsOptions | undefined {
  if (delayMs !== undefined) return { delay: delayMs };
  if (priority !== undefined) return { priority };
  return undefined;
}

function optionsField(job: NewJob): { opts?: JobsOptions } {
  const opts = options(job);
  return opts ? { opts } : {};
}
