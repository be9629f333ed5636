// A process that adds jobs of every kind at a steady pace and writes down what it asked for and was answered.
import { DroverError, FlowProducer, Queue, type JobNode, type JobsOptions } from '../../../src/index.js';
import { HistoryWriter } from '../infra/history.js';
import { signalParent } from '../infra/processes.js';
import { Random } from '../infra/random.js';
import { childrenOf, connectionOf, limitedOf, limits, nearOf, readSpec, schedule, type Ask, type JobData, type ProducerSpec } from './spec.js';
import { openWorker } from './work.js';
import type { Json } from '../infra/history.js';

/** How often it adds a batch. */
const everyMs = 20;
/** Calls under way at once; more are skipped until some are answered. */
const mostUnderWay = 200;
/** Errors that say that nothing was written. */
const certain = new Set(['REDIS_UNAVAILABLE', 'REDIS_OUT_OF_MEMORY', 'REDIS_NOT_PERSISTING', 'REDIS_READ_ONLY', 'REDIS_BUSY']);

/** Long enough that no repeat of a call comes later. */
const asked = { age: 600 };

interface Draft {
  name: string;
  data: JobData;
  opts: JobsOptions;
}

const spec = readSpec<ProducerSpec>();
const history = new HistoryWriter(spec.folder, spec.name);
const random = new Random(BigInt(spec.seed)).fork('producer');
const queue = open(spec.queue);
const childQueue = open(childrenOf(spec.queue));
const limited = open(limitedOf(spec.queue));
const near = open(nearOf(spec.queue));
// It shares the connection of the queue, and is given its jobs with the calls that add them.
const worker = openWorker(near.name, { spec, history, concurrency: 2, reported: () => undefined });
const flows = new FlowProducer({ connection: connectionOf(spec) });
flows.on('error', () => undefined);
let made = 0;
let owed = 0;
let last = performance.now();
let stopping = false;
const underWay = new Set<Promise<void>>();

await certainly(() => limited.setGlobalConcurrency(limits.concurrency));
await certainly(() => limited.setGlobalRateLimit(limits.max, limits.durationMs));
await certainly(() => queue.upsertJobScheduler(schedule.id, { every: schedule.everyMs, missed: 'all' }, { name: 'tick', data: { tag: schedule.id, ms: 0, fails: 0 } }));

const timer = setInterval(() => {
  const now = performance.now();
  // What could not be added while Redis was away is made up for within bounds.
  owed = Math.min(owed + ((now - last) / 1000) * spec.jobsPerS, 3 * spec.jobsPerS);
  last = now;
  while (owed >= 1 && made < spec.most && underWay.size < mostUnderWay) {
    owed -= addSome(Math.max(1, Math.floor(owed)));
  }
  if (made >= spec.most && underWay.size === 0) finish();
}, everyMs);

process.on('message', (message) => {
  if (message === 'stop') stopping = true;
  if (stopping) finish();
});

signalParent('ready');

function open(name: string): Queue<JobData> {
  const one = new Queue<JobData>(name, { connection: connectionOf(spec), streams: { events: { maxLen: 1_000_000_000 } } });
  one.on('error', () => undefined);
  return one;
}

/** One call of some kind for at most about `most` jobs; answers for how many. */
function addSome(most: number): number {
  const kind = random.fraction();
  if (spec.flows && kind < 0.03) return addFlow();
  if (kind < 0.06) return addLimited();
  if (kind < 0.1) return addAlike();
  if (kind < 0.16) return addNear();
  const size = Math.min(random.chance(0.3) ? 1 : random.integer(2, 30), most);
  track(add(Array.from({ length: size }, draft)));
  return size;
}

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
  // An id is known as long as its job is kept: only so long can a job of an own id be added again without harm.
  if (random.chance(0.1)) Object.assign(opts, { jobId: `own-${tag}`, removeOnComplete: asked, removeOnFail: asked });
  if (random.chance(0.5) && opts.jobId === undefined) opts.removeOnComplete = true;
  if (fails > 0) opts.backoff = { type: 'fixed', delay: random.integer(0, 300) };
  return { name: random.pick(['mail', 'bill', 'scan']), data: { tag, ms: Math.round(ms), fails }, opts };
}

/** What bears an id of its own is asked for again until it is certain: that may not make a second job of it. */
async function add(drafts: Draft[]): Promise<void> {
  const own = drafts.every(({ opts }) => opts.jobId !== undefined);
  const ask: Ask = { tags: drafts.map(({ data }) => data.tag), plain: drafts.map(({ opts }) => Number(isPlain(opts))) };
  await call(ask, own, async () => {
    const jobs = drafts.length === 1 && drafts[0] ? [await queue.add(drafts[0].name, drafts[0].data, drafts[0].opts)] : await queue.addBulk(drafts);
    return jobs.map((job) => job.id);
  });
}

/** A parent, its children in another queue or beside it, all under ids of their own: a call that was cut off is repeated until it is certain. */
function addFlow(): number {
  const [parent, ...children] = Array.from({ length: random.integer(2, 6) }, () => plainData());
  if (!parent) return 0;
  const opts = (data: JobData): JobsOptions => ({ jobId: `own-${data.tag}`, attempts: 4, removeOnComplete: asked, removeOnFail: asked });
  // From another queue a letter tells the parent; beside it, the call that ends the child.
  const queueName = random.chance(0.5) ? spec.queue : childrenOf(spec.queue);
  const tree = {
    name: 'parent', queueName: spec.queue, data: { ...parent, children: children.length }, opts: opts(parent),
    children: children.map((data) => ({ name: 'child', queueName, data: { ...data, fails: Number(random.chance(0.1)) }, opts: opts(data) })),
  };
  track(call({ tags: [parent, ...children].map(({ tag }) => tag), flow: true }, true, async () => idsOf(await flows.add(tree))));
  return children.length + 1;
}

/** Jobs of which only so many may start, and run at once. */
function addLimited(): number {
  const data = plainData();
  track(call({ tags: [data.tag] }, false, async () => [(await limited.add('limited', { ...data, ms: random.integer(0, 20) })).id]));
  return 1;
}

/** One job at a time, as a request of a server would add it, for whoever is near. */
function addNear(): number {
  const data = plainData();
  track(call({ tags: [data.tag] }, false, async () => [(await near.add('near', { ...data, ms: random.pick([0, 0, 5]) })).id]));
  return 1;
}

let alike = 0;

/** Several jobs of one deduplication id, at once: while one of them is there, the others are not added. */
function addAlike(): number {
  alike += 1;
  const dedup = `alike-${Math.floor(alike / 3)}`;
  for (const data of [plainData(), plainData()]) {
    track(call({ tags: [data.tag], dedup }, false, async () => [(await queue.add('alike', data, { deduplication: { id: dedup } })).id]));
  }
  return 2;
}

function plainData(): JobData {
  made += 1;
  return { tag: `${spec.name}-${made}`, ms: 0, fails: 0 };
}

function isPlain({ delay, priority, lifo, jobId }: JobsOptions): boolean {
  return delay === undefined && priority === undefined && lifo === undefined && jobId === undefined;
}

function idsOf({ job, children = [] }: JobNode): string[] {
  return [job.id, ...children.flatMap(idsOf)];
}

/** Writes down what is asked for and what becomes of it. With `again`, it is repeated until its outcome is certain. */
async function call(ask: Ask, again: boolean, make: () => Promise<string[]>): Promise<void> {
  for (;;) {
    const over = history.invoke('add', ask as unknown as Json);
    try {
      return over('ok', await make());
    } catch (error) {
      const code = error instanceof DroverError ? error.code : `untyped: ${String(error)}`;
      // A flow is many calls: that one of them has written nothing says nothing of the others.
      over(certain.has(code) && !ask.flow ? 'fail' : 'unknown', code);
      if (!ask.flow && (!again || stopping)) return;
    }
  }
}

async function certainly(make: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await make();
      return;
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
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
    await certainly(() => queue.removeJobScheduler(schedule.id));
    await worker.close();
    signalParent('stopped', made);
    await Promise.all([queue, childQueue, limited, near, flows].map((one) => one.close()));
    process.disconnect();
  });
}
