// A worker of any engine in a process of its own, to be killed: what it begins and ends it writes down outside Redis.
import { setTimeout as work } from 'node:timers/promises';
import { HistoryWriter } from '../infra/history.js';
import { signalParent } from '../infra/processes.js';
import { engines, stallsOf, type Address } from './engines.js';

const spec = JSON.parse(process.argv[2] ?? '{}') as { engine: string; queue: string; address: Address; folder: string };
const engine = engines.find(({ name }) => name === spec.engine);
if (!engine) throw new Error(`there is no engine ${spec.engine}`);
const history = new HistoryWriter(spec.folder, 'worker');

engine.worker(spec.queue, spec.address, async ({ id, tag, ms }) => {
  const run = { queue: spec.queue, job: id, epoch: 0, value: tag };
  history.append({ type: 'start', ...run });
  await work(ms);
  history.append({ type: 'end', ...run });
}, stallsOf.kills);
signalParent('ready');
