// The same e-mail worker in a second process: the one that gets killed.

import { startEmailWorker, type MailServer } from '../email/worker.js';
import { followParent } from './child.js';

followParent();
const [host = '', port, name] = process.argv.slice(2);
const server: MailServer = { host, port: Number(port) };

// A short lease, so that its jobs are soon recovered. The default of 30 s suits real life better.
const worker = startEmailWorker(server, { name: name ?? 'second', concurrency: 10, lockDuration: 2_000, stalledInterval: 500 });

/** What it tells the demo, which cannot ask it any more when it is dead. */
export type Tidings = 'ready' | { started: string } | { settled: string };
const tell = (tidings: Tidings): void => void process.send?.(tidings);

worker.on('active', ({ id }) => tell({ started: id }));
worker.on('completed', ({ id }) => tell({ settled: id }));
worker.on('failed', (job) => tell({ settled: job?.id ?? '' }));
await worker.waitUntilReady();
tell('ready');
