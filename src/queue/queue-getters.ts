import { checkId, checkValue, listOf, oneOf, wholeNumber } from '../core/check.js';
import { MAX_PRIORITY } from '../core/job-options.js';
import { scoresOfPriority, type JobState, type JobType, type StateSet } from '../core/states.js';
import { readMetrics, type Metrics } from '../metrics/metrics.js';
import { prometheusText } from '../metrics/prometheus.js';
import { integer, list, text, type RawReply } from '../redis/script.js';
import { counts } from '../redis/scripts/counts.js';
import { type Job, type JobOwner } from './job.js';
import { clientName, QUEUE_EVENT_SUFFIX } from '../redis/client-name.js';
import type { StoredJob } from '../redis/scripts/fetch.js';
import { JobStore } from './job-store.js';
import { gaugeCounts } from '../telemetry/job-meter.js';
import { QueueBase, type QueueBaseOptions } from './queue-base.js';
import type { QueueMeta } from './bullmq-types.js';
import { readJob } from './read-job.js';
import { readChildren, type ChildrenPage } from './read-children.js';
import type { Check } from '../core/check.js';

const shownStates = ['active', 'completed', 'delayed', 'failed', 'paused', 'prioritized', 'waiting', 'waiting-children'] as const;

/** Reading a queue: jobs and counts by state, page by page. Reading changes nothing. */
export class QueueGetters<EachJob extends Job = Job> extends QueueBase implements JobOwner {
  /** @internal */
  readonly jobs: JobStore;

  constructor(name: string, opts: QueueBaseOptions, checks: Record<string, Check>) {
    super(name, opts, checks);
    this.jobs = new JobStore(this.connection, this.keys);
  }

  /** The job with this id, or undefined. */
  async getJob(id: string): Promise<EachJob | undefined> {
    checkId(id, 'jobId');
    const [stored] = await this.jobs.fetch([id]);
    return stored && (readJob(this, stored) as EachJob);
  }

  /** The state of a job, or `unknown`. */
  async getJobState(id: string): Promise<JobState | 'unknown'> {
    checkId(id, 'jobId');
    return this.jobs.state(id);
  }

  /**
   * Jobs of these states, from `start` to `end` (inclusive; negative counts from the end), oldest first if `asc`.
   * Several states follow one another, each with its own page, as in BullMQ. A job that cannot be read is left out and
   * reported as `error`.
   */
  async getJobs(types?: JobType | JobType[], start = 0, end = -1, asc = false): Promise<EachJob[]> {
    const ids = await this.getRanges(typesOf(types), start, end, asc);
    const stored = await this.jobs.fetch(ids);
    return stored.flatMap((job) => this.#readable(job) ?? []);
  }

  /** One damaged job must not hide its neighbours: it is reported, and `getJob` says the same. */
  #readable(stored: StoredJob): EachJob | undefined {
    try {
      return readJob(this, stored) as EachJob;
    } catch (error) {
      this.report(error as Error);
      return undefined;
    }
  }

  /** The ids that {@link getJobs} reads. */
  async getRanges(types: JobType[], start = 0, end = 1, asc = false): Promise<string[]> {
    checkRange(start, end);
    const pages = await Promise.all(typesOf(types).map((type) => this.#range(type, start, end, asc)));
    return [...new Set(pages.flat())];
  }

  getWaiting(start = 0, end = -1): Promise<EachJob[]> {
    return this.getJobs('waiting', start, end, true);
  }

  getPrioritized(start = 0, end = -1): Promise<EachJob[]> {
    return this.getJobs('prioritized', start, end, true);
  }

  getActive(start = 0, end = -1): Promise<EachJob[]> {
    return this.getJobs('active', start, end, true);
  }

  getDelayed(start = 0, end = -1): Promise<EachJob[]> {
    return this.getJobs('delayed', start, end, true);
  }

  getWaitingChildren(start = 0, end = -1): Promise<EachJob[]> {
    return this.getJobs('waiting-children', start, end, true);
  }

  getCompleted(start = 0, end = -1): Promise<EachJob[]> {
    return this.getJobs('completed', start, end, false);
  }

  getFailed(start = 0, end = -1): Promise<EachJob[]> {
    return this.getJobs('failed', start, end, false);
  }

  /** How many jobs are in each of these states (all if none is named), at one instant, under the names that were asked for. */
  async getJobCounts(...types: JobType[]): Promise<Record<string, number>> {
    const wanted = types.length === 0 ? shownStates : types.map(checkedType);
    const all = await this.#counts();
    const countOf = (type: JobType): number => (type in all ? Number(all[type as keyof typeof all]) : type === 'wait' ? all.waiting : 0);
    return Object.fromEntries([...new Set(wanted)].map((type) => [type, countOf(type)]));
  }

  async getJobCountByTypes(...types: JobType[]): Promise<number> {
    const found = await this.getJobCounts(...types.map((type) => (type === 'wait' ? 'waiting' : type)));
    return Object.values(found).reduce((sum, count) => sum + count, 0);
  }

  /** How many jobs have not begun: waiting, prioritized, delayed and waiting for children. */
  count(): Promise<number> {
    return this.getJobCountByTypes('waiting', 'paused', 'delayed', 'prioritized', 'waiting-children');
  }

  getWaitingCount(): Promise<number> {
    return this.getJobCountByTypes('waiting');
  }

  getPrioritizedCount(): Promise<number> {
    return this.getJobCountByTypes('prioritized');
  }

  getActiveCount(): Promise<number> {
    return this.getJobCountByTypes('active');
  }

  getWaitingChildrenCount(): Promise<number> {
    return this.getJobCountByTypes('waiting-children');
  }

  getCompletedCount(): Promise<number> {
    return this.getJobCountByTypes('completed');
  }

  getFailedCount(): Promise<number> {
    return this.getJobCountByTypes('failed');
  }

  /** How many jobs are delayed; with `timestamp` (ms) only those due by then. */
  async getDelayedCount(timestamp?: number): Promise<number> {
    if (timestamp === undefined) return this.getJobCountByTypes('delayed');
    checkValue(timestamp, wholeNumber(-(2 ** 53), 2 ** 53, 'milliseconds'), 'timestamp');
    return integer(await this.connection.command('zcount', [this.keys.key('delayed'), '-inf', timestamp], 'count delayed jobs'));
  }

  /** How many jobs wait in each of these priorities. */
  async getCountsPerPriority(priorities: number[]): Promise<Record<string, number>> {
    checkValue(priorities, listOf(wholeNumber(0, MAX_PRIORITY), 'priorities'), 'priorities');
    const distinct = [...new Set(priorities)];
    const found = await Promise.all(distinct.map(async (priority) => {
      const [low, high] = scoresOfPriority(priority);
      return integer(await this.connection.command('zcount', [this.keys.key('wait'), low, high], 'count a priority'));
    }));
    return Object.fromEntries(distinct.map((priority, i) => [String(priority), found[i] ?? 0]));
  }

  /** The log rows of a job from `start` to `end` (inclusive), and how many there are in all. */
  async getJobLogs(jobId: string, start = 0, end = -1, asc = true): Promise<{ logs: string[]; count: number }> {
    checkId(jobId, 'jobId');
    checkRange(start, end);
    const rows = await this.jobs.logs(jobId);
    if (!asc) rows.reverse();
    return { logs: rows.slice(start, end === -1 ? undefined : end + 1), count: rows.length };
  }

  /**
   * Children of a job from `start` to `end` (inclusive, -1 for the last): those that completed, with their results, or
   * those that have not ended; the jobs as far as their queues still know them; and how many there are in all.
   */
  async getDependencies(parentId: string, type: 'processed' | 'pending', start: number, end: number): Promise<ChildrenPage> {
    checkValue(type, oneOf('processed', 'pending'), 'type');
    checkValue(start, wholeNumber(0, 2 ** 53), 'start');
    checkValue(end, wholeNumber(-1, 2 ** 53), 'end');
    return readChildren(this, parentId, { relation: type === 'processed' ? 'processed' : 'unprocessed', start, end });
  }

  /** Connections of workers on this queue, as `CLIENT LIST` describes them. */
  getWorkers(): Promise<Record<string, string>[]> {
    return this.#clients((name) => name === this.clientName() || name.startsWith(this.clientName(':w:')));
  }

  async getWorkersCount(): Promise<number> {
    return (await this.getWorkers()).length;
  }

  /** Connections of QueueEvents on this queue, as `CLIENT LIST` describes them. */
  getQueueEvents(): Promise<Record<string, string>[]> {
    return this.#clients((name) => name === this.clientName(QUEUE_EVENT_SUFFIX));
  }

  /** @internal The name that a connection of this queue carries in `CLIENT LIST`. */
  clientName(suffix = ''): string {
    return clientName(this.keys, suffix);
  }

  /** The settings that the queue keeps in Redis. */
  async getMeta(): Promise<QueueMeta & Record<string, unknown>> {
    const { concurrency, max, duration, maxEvents, paused, ...others } = await this.#hash('meta', 'read settings');
    const numbers = Object.entries({ concurrency, max, duration, maxLenEvents: maxEvents }).filter(([, value]) => value !== undefined);
    return { ...others, ...Object.fromEntries(numbers.map(([name, value]) => [name, Number(value)])), ...(paused === undefined ? undefined : { paused: true }) };
  }

  /** The most jobs that may be active at once over all workers, or null. */
  async getGlobalConcurrency(): Promise<number | null> {
    const [value] = await this.settings('concurrency');
    return value === undefined ? null : Number(value);
  }

  /** The queue-wide rate limit, or null. */
  async getGlobalRateLimit(): Promise<{ max: number; duration: number } | null> {
    const [max, duration] = await this.settings('max', 'duration');
    return max === undefined || duration === undefined ? null : { max: Number(max), duration: Number(duration) };
  }

  async isPaused(): Promise<boolean> {
    return (await this.#counts()).isPaused;
  }

  /** True when global concurrency allows no further job now. */
  async isMaxed(): Promise<boolean> {
    const [limit, all] = await Promise.all([this.getGlobalConcurrency(), this.#counts()]);
    return limit !== null && all.active >= limit;
  }

  /** Milliseconds until a rate limit lets the next job run; 0 or less when none holds it back. */
  async getRateLimitTtl(maxJobs?: number): Promise<number> {
    const [limitedTill, rateCount] = await this.settings('limitedTill', 'rateCount');
    const till = Number(limitedTill ?? 0);
    if (till > this.connection.now) return Math.ceil(till - this.connection.now);
    const limit = await this.getGlobalRateLimit();
    const max = maxJobs ?? limit?.max;
    if (max === undefined || Number(rateCount ?? 0) < max || limit === null) return maxJobs === undefined ? -2 : 0;
    const first = await this.connection.command('lindex', [this.keys.key('rate'), 0], 'read the rate limit');
    return first === null ? -2 : Math.max(0, Number(text(first).split(' ')[0]) + limit.duration - this.connection.now);
  }

  async getDeduplicationJobId(id: string): Promise<string | null> {
    checkId(id, 'deduplicationId');
    return this.jobs.deduplicationHolder(id);
  }

  /**
   * How many jobs completed or failed in each minute, the newest first; `start` and `end` (inclusive) choose among the
   * minutes. Counted by workers with the option `metrics`.
   */
  async getMetrics(type: 'completed' | 'failed', start = 0, end = -1): Promise<Metrics> {
    checkValue(type, oneOf('completed', 'failed'), 'type');
    checkValue(start, wholeNumber(0, 2 ** 53 - 1), 'start');
    checkValue(end, wholeNumber(-1, 2 ** 53 - 1), 'end');
    return readMetrics(await this.#hash('metrics', 'read metrics'), type, { start, end, now: this.connection.now });
  }

  /** The counts of jobs by state and of finished jobs in Prometheus's text format, each line with these labels. */
  async exportPrometheusMetrics(labels?: Record<string, string>): Promise<string> {
    const [found, completed, failed] = await Promise.all([this.getJobCounts(), this.getMetrics('completed'), this.getMetrics('failed')]);
    return prometheusText({ queue: this.name, counts: found, completed: completed.meta.count, failed: failed.meta.count, labels });
  }

  /** The counts of jobs by state, told to the telemetry's meter, if there is one, as well. */
  async recordJobCountsMetric(...types: JobType[]): Promise<Record<string, number>> {
    const found = await this.getJobCounts(...types);
    gaugeCounts(this.opts.telemetry?.meter, this.name, found);
    return found;
  }

  /** The same under BullMQ's older name. */
  getDebounceJobId(id: string): Promise<string | null> {
    return this.getDeduplicationJobId(id);
  }

  /** @internal Some fields of `meta`. */
  protected async settings(...fields: string[]): Promise<(string | undefined)[]> {
    const raw = list(await this.connection.command('hmget', [this.keys.key('meta'), ...fields], 'read settings'));
    return raw.map((value) => (value === null ? undefined : text(value)));
  }

  async #hash(key: string, doing: string): Promise<Record<string, string>> {
    // ioredis makes an object of this reply.
    const fields: unknown = await this.connection.command('hgetall', [this.keys.key(key)], doing);
    return Object.fromEntries(Object.entries((fields ?? {}) as Record<string, RawReply>).map(([name, value]) => [name, text(value)]));
  }

  #counts(): Promise<Awaited<ReturnType<typeof counts.reply>>> {
    return this.connection.run(counts, this.keys, {});
  }

  async #range(type: JobType, start: number, end: number, asc: boolean): Promise<string[]> {
    const set = setOf(type);
    if (set === undefined) return [];
    const key = this.keys.key(set);
    if (set !== 'wait') {
      const command = asc ? 'zrange' : 'zrevrange';
      return list(await this.connection.command(command, [key, start, end], 'list jobs')).map(text);
    }
    return this.#waitingRange(key, type === 'prioritized', start, end, asc);
  }

  /** Priority 0 and the others share a set, so a page of either is a page of its scores. */
  async #waitingRange(key: string, prioritized: boolean, start: number, end: number, asc: boolean): Promise<string[]> {
    const [low, high] = prioritized ? ['0', '+inf'] : ['-inf', '(0'];
    const total = start < 0 || end < -1
      ? integer(await this.connection.command('zcount', [key, low, high], 'count jobs')) : 0;
    const first = start < 0 ? Math.max(0, total + start) : start;
    const last = end < -1 ? total + end : end;
    const count = end === -1 ? -1 : last - first + 1;
    if (end !== -1 && count <= 0) return [];
    const args = asc
      ? ['zrangebyscore', low, high] as const
      : ['zrevrangebyscore', high, low] as const;
    return list(await this.connection.command(args[0], [key, args[1], args[2], 'LIMIT', first, count], 'list jobs')).map(text);
  }

  async #clients(matches: (name: string) => boolean): Promise<Record<string, string>[]> {
    const lines = text(await this.connection.command('client', ['LIST'], 'list clients')).split('\n');
    return lines.filter((line) => line !== '').map(parseClient).filter((client) => matches(client['name'] ?? ''))
      .map((client) => ({ ...client, rawname: client['name'] ?? '', name: this.name }));
  }
}

function parseClient(line: string): Record<string, string> {
  return Object.fromEntries(line.split(' ').map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)];
  }));
}

function typesOf(types: JobType | JobType[] | undefined): JobType[] {
  if (types === undefined || (Array.isArray(types) && types.length === 0)) {
    return ['active', 'completed', 'delayed', 'failed', 'prioritized', 'waiting', 'waiting-children'];
  }
  return (Array.isArray(types) ? types : [types]).map(checkedType);
}

/** Refuses bounds of a page that are no whole numbers; negative ones count from the end. */
export function checkRange(start: unknown, end: unknown): void {
  const bound = wholeNumber(-(2 ** 53), 2 ** 53);
  checkValue(start, bound, 'start');
  checkValue(end, bound, 'end');
}

const jobType = oneOf(...shownStates, 'wait', 'repeat');

function checkedType(type: JobType): JobType {
  checkValue(type, jobType, 'types');
  return type;
}

function setOf(type: JobType): StateSet | undefined {
  switch (type) {
    case 'waiting': case 'wait': case 'prioritized': return 'wait';
    case 'waiting-children': return 'parents';
    case 'paused': case 'repeat': return undefined;
    default: return type;
  }
}

