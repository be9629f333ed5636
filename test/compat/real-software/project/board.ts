// bull-board behind express, over queues of BullMQ and of Bull. Tells its address, and runs until its standard input ends.

import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import Bull from 'bull';
import { Queue } from 'bullmq';
import express from 'express';
import type { AddressInfo } from 'node:net';

const [url, prefix, names] = [process.env['REDIS_URL'] as string, process.env['PREFIX'] as string, (process.env['QUEUES'] ?? '').split(' ')];

const modern = names.map((name) => new Queue(`${name}-bullmq`, { connection: { url }, prefix, defaultJobOptions: { attempts: 2 } }));
const classic = names.map((name) => new Bull(`${name}-bull`, url, { prefix, defaultJobOptions: { attempts: 2 } }));

/** Serves the board's charts from what the queues count by the minute; there is nothing else to store or purge. */
const historyProvider = {
  async getHistory({ queue, metric }: { queue?: string; metric: string }) {
    const asked = queue === undefined ? modern : modern.filter(({ name }) => name === queue);
    const found = await Promise.all(asked.map((each) => each.getMetrics(metric === 'failed' ? 'failed' : 'completed')));
    return found.map(({ meta, count }) => ({ ts: meta.prevTS, value: count }));
  },
  getLatency: async () => [],
  getUsage: async () => ({ keys: 0, bytes: 0, minutes: 0, oldestDay: null, newestDay: null, tiers: tiers(), queues: [] }),
  purge: async () => ({ keysDeleted: 0, fieldsDeleted: 0 }),
};
const tiers = () => ({ minute: { keys: 0, bytes: 0 }, hour: { keys: 0, bytes: 0 }, day: { keys: 0, bytes: 0 } });

const serverAdapter = new ExpressAdapter();
serverAdapter.setBasePath('/board');
createBullBoard({
  queues: [...modern.map((queue) => new BullMQAdapter(queue)), ...classic.map((queue) => new BullAdapter(queue))],
  serverAdapter,
  // The board itself holds every answer against the schema of its route.
  options: { validateResponses: true, historyProvider },
});

const app = express();
app.use('/board', serverAdapter.getRouter());
const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/board`));

process.stdin.resume().on('end', () => {
  server.close();
  server.closeAllConnections();
  void Promise.all([...modern, ...classic].map((queue) => queue.close()));
});
