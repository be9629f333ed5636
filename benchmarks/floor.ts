import { Redis } from 'ioredis';
import type { JobData, NewJob } from './payload.js';
import { chunks } from './payload.js';
import { address, type Peer, type PeerQueue, type PeerWorker, type Target, type WorkerSettings } from './peers/peer.js';

const bulkSize = 1_000;

/**
 * The floor: the same bytes through the fewest raw Redis commands, pipelined. Jobs are elements of a list; adds of one
 * tick become one RPUSH; a worker takes with LPOP as many as it has slots and keeps two calls in flight. It promises
 * nothing (a crash loses jobs), so no engine can be expected to reach it; it shows how far away the limit is.
 */
export const floor: Peer = {
  name: 'floor',
  features: new Set(['single', 'bulk']),
  version: async () => 'raw commands',
  open: async (target) => openQueue(target),
};

async function openQueue(target: Target): Promise<PeerQueue> {
  const redis = await connect(target);
  let tick: { records: string[]; sent: Promise<unknown> } | undefined;

  const add = (job: NewJob): Promise<unknown> => {
    if (!tick) {
      const records: string[] = [];
      tick = {
        records,
        sent: new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
          tick = undefined;
          return redis.rpush(target.queue, ...records);
        }),
      };
    }
    tick.records.push(JSON.stringify(job.data));
    return tick.sent;
  };

  return {
    add,
    addBulk: (jobs) =>
      Promise.all([...chunks(jobs, bulkSize)].map((chunk) => redis.rpush(target.queue, ...chunk.map((job) => JSON.stringify(job.data))))),
    worker: (settings) => openWorker(target, settings),
    close: () => redis.quit(),
  };
}

async function openWorker(target: Target, settings: WorkerSettings): Promise<PeerWorker> {
  const redis = await connect(target);
  let open = true;
  const blocking = settings.concurrency === 1;

  const take = async (): Promise<string[]> => {
    if (!blocking) return (await redis.lpop(target.queue, settings.concurrency)) ?? [];
    const entry = await redis.blpop(target.queue, 1);
    return entry ? [entry[1]] : [];
  };
  const loop = async (): Promise<void> => {
    while (open) {
      const records = await take().catch(() => []);
      for (const record of records) {
        settings.handler(JSON.parse(record) as JobData);
        settings.onCompleted();
      }
      if (records.length === 0 && !blocking) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };

  return {
    start: () => {
      void loop();
      if (!blocking) void loop();
    },
    close: async () => {
      open = false;
      redis.disconnect();
    },
  };
}

async function connect(target: Target): Promise<Redis> {
  const redis = new Redis({ ...address(target.url), lazyConnect: true });
  redis.on('error', () => undefined);
  await redis.connect();
  return redis;
}
