// A process that runs jobs and writes down when each handler began and ended, and under which lease.
import { HistoryWriter } from '../infra/history.js';
import { signalParent } from '../infra/processes.js';
import { childrenOf, limitedOf, nearOf, readSpec, type WorkerSpec } from './spec.js';
import { openWorker } from './work.js';

const spec = readSpec<WorkerSpec>();
const history = new HistoryWriter(spec.folder, spec.name);
const reported = new Map<string, number>();

const workers = [
  work(spec.queue, spec.concurrency),
  work(childrenOf(spec.queue), Math.ceil(spec.concurrency / 2)),
  work(limitedOf(spec.queue), spec.concurrency),
  work(nearOf(spec.queue), 1),
];

function work(queue: string, concurrency: number): ReturnType<typeof openWorker> {
  return openWorker(queue, { spec, history, concurrency, reported: (code) => void reported.set(code, (reported.get(code) ?? 0) + 1) });
}

process.on('message', (message) => {
  if (message === 'stop') void stop();
  if (typeof message === 'object' && message !== null && 'blockMs' in message) block(Number(message.blockMs));
});

/** How late a timer may be: beyond, this process did not get to renew its leases in time. */
const tickMs = 100;
let tickedAt = performance.now();
const ticking = setInterval(() => {
  const lagMs = performance.now() - tickedAt - tickMs;
  tickedAt = performance.now();
  if (lagMs > spec.leaseMs / 4) history.append({ type: 'note', value: { lagMs } });
}, tickMs);
const pulse = setInterval(() => note(), 5_000);

signalParent('ready');

/** The event loop stands still: no timer fires, nothing is renewed, and the process does not know it. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function note(): void {
  history.append({ type: 'note', value: { rss: process.memoryUsage.rss(), errors: Object.fromEntries(reported) } });
}

async function stop(): Promise<void> {
  clearInterval(pulse);
  clearInterval(ticking);
  await Promise.all(workers.map((worker) => worker.close()));
  note();
  signalParent('stopped');
  process.disconnect();
}
