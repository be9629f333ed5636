// A process that adds jobs of every kind at a steady pace and writes down what it asked for and was answered.
import { DroverError, Queue, type JobsOptions } from '../../../src/index.js';
import { HistoryWriter } from '../infra/history.js';
import { signalParent } from '../infra/processes.js';
import { Random } from '../infra/random.js';
import { connectionOf, readSpec, type JobData, type ProducerSpec } from './spec.js';

/** How often it adds a batch. */
const everyMs = 20;
/** Calls under way at once; more are skipped until some are answered. */
const mostUnderWay = 200;
/** Errors that say that nothing was written. */
const certain = new Set(['REDIS_UNAVAILABLE', 'REDIS_OUT_OF_MEMORY', 'REDIS_NOT_PERSISTING', 'REDIS_READ_ONLY', 'REDIS_BUSY']);

interface Draft {
  name: string;
  data: JobData;
  opts: JobsOptions;
}

const spec = readSpec<ProducerSpec>();
const history = new HistoryWriter(spec.folder, spec.name);
const random = new Random(BigInt(spec.seed)).fork('producer');
const queue = new Queue(spec.queue, { connection: connectionOf(spec), streams: { events: { maxLen: 1_000_000_000 } } });
queue.on('error', () => undefined);
let made = 0;
let owed = 0;
let last = performance.now();
let stopping = false;
const underWay = new Set<Promise<void>>();

const timer = setInterval(() => {
  const now = performance.now();
  // What could not be added while Redis was away is not made up for.
  owed = Math.min(owed + ((now - last) / 1000) * spec.jobsPerS, spec.jobsPerS);
  last = now;
  while (owed >= 1 && made < spec.most && underWay.size < mostUnderWay) {
    const size = Math.min(random.chance(0.3) ? 1 : random.integer(2, 30), Math.max(1, Math.floor(owed)));
    owed -= size;
    track(add(Array.from({ length: size }, draft)));
  }
  if (made >= spec.most && underWay.size === 0) finish();
}, everyMs);

process.on('message', (message) => {
  if (message === 'stop') stopping = true;
  if (stopping) finish();
});

signalParent('ready');

function draft(): Draft {
  made += 1;
  const tag = `${spec.name}-${made}`;
  const fails = random.chance(0.05) ? random.integer(1, 3) : 0;
  const long = random.chance(0.002);
  const ms = long ? random.integer(spec.leaseMs / 2, spec.leaseMs * 1.5) : random.pickWeighted([0, 2, 20], (each) => 20 - each * 0.9);
  const opts: JobsOptions = { attempts: fails === 3 ? 3 : 4 };
  if (random.chance(0.1)) opts.delay = random.integer(1, 1_500);
  if (random.chance(0.1)) opts.priority = random.integer(1, 5);
  if (random.chance(0.05)) opts.lifo = true;
  if (random.chance(0.1)) opts.jobId = `own-${tag}`;
  // An id is known as long as its job is kept: only so long can a job of an own id be added again without harm.
  if (random.chance(0.5) && opts.jobId === undefined) opts.removeOnComplete = true;
  if (fails > 0) opts.backoff = { type: 'fixed', delay: random.integer(0, 300) };
  return { name: random.pick(['mail', 'bill', 'scan']), data: { tag, ms: Math.round(ms), fails }, opts };
}

/** What bears an id of its own is asked for again until it is certain: that may not make a second job of it. */
async function add(drafts: Draft[]): Promise<void> {
  const own = drafts.every(({ opts }) => opts.jobId !== undefined);
  for (;;) {
    const over = history.invoke('add', { tags: drafts.map(({ data }) => data.tag) });
    try {
      const jobs = drafts.length === 1 && drafts[0] ? [await queue.add(drafts[0].name, drafts[0].data, drafts[0].opts)] : await queue.addBulk(drafts);
      return over('ok', jobs.map((job) => job.id));
    } catch (error) {
      const code = error instanceof DroverError ? error.code : `untyped: ${String(error)}`;
      over(certain.has(code) ? 'fail' : 'unknown', code);
      if (!own || stopping) return;
    }
  }
}

function track(call: Promise<void>): void {
  const settled = call.finally(() => underWay.delete(settled));
  underWay.add(settled);
}

let finishing = false;

function finish(): void {
  if (finishing) return;
  finishing = true;
  clearInterval(timer);
  void Promise.all(underWay).then(async () => {
    signalParent('stopped', made);
    await queue.close();
    process.disconnect();
  });
}
