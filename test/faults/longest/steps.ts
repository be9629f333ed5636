import { setTimeout as pause } from 'node:timers/promises';
import { FlowProducer, Queue, QueueEventsProducer, UnrecoverableError, Worker, type JobsOptions, type Processor, type WorkerOptions } from '../../../src/index.js';
import { ScriptPacker } from '../../../src/core/script-packer.js';
import { settle } from '../../../src/redis/scripts/settle.js';
import { mostRecovered, recover } from '../../../src/redis/scripts/recover.js';
import { renew } from '../../../src/redis/scripts/renew.js';
import { sweep } from '../../../src/redis/scripts/sweep.js';
import { packEnded } from '../../../src/queue/pack-ended.js';
import type { RedisServer } from '../../support/servers/redis-server.js';
import { until } from '../../support/servers/until.js';

/** The most jobs that any call takes. */
const bound = 1_000;
const queueName = 'longest';
/** A mail of about 110 bytes. */
const data = { to: 'somebody@example.com', subject: 'Your order has been shipped', order: 123456, template: 'shipped' };
/** Nobody asks for the order of a workload that only fills. */
const hourMs = 3_600_000;

export interface Step {
  readonly name: string;
  readonly run: () => Promise<unknown>;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** One queue and everything that can be done to it at the bound of a call. */
export class Steps {
  readonly queue: Queue;
  readonly #connection: { host: string; port: number };
  readonly #size: number;
  #calls = 0;

  constructor(server: RedisServer, size: number) {
    this.#connection = { host: server.host, port: server.port };
    this.#size = size;
    this.queue = new Queue(queueName, { connection: this.#connection, streams: { events: { maxLen: 10_000 } } });
  }

  /** Brings `size` jobs into the queue: half of them wait, the others are prioritized, delayed, completed and failed. */
  async fill(): Promise<void> {
    const tenth = Math.ceil(this.#size / 10);
    await this.#add(tenth, () => ({ attempts: 1 }));
    await this.#work(tenth, () => undefined, { removeOnComplete: { count: 2 ** 31 } });
    await this.#add(tenth, () => ({ attempts: 1 }));
    await this.#work(tenth, () => { throw new UnrecoverableError('it cannot be done'); }, { removeOnFail: { count: 2 ** 31 } });
    await this.#add(2 * tenth, () => ({ delay: hourMs + Math.floor(Math.random() * hourMs) }));
    await this.#add(tenth, (i) => ({ priority: 1 + (i % 100) }));
    await this.#add(5 * tenth, () => ({}));
  }

  /** What is measured, in an order in which each finds what it needs. The last one leaves nothing. */
  all(): Step[] {
    const twenty = 20 * bound;
    return [
      { name: 'addBulk, plain', run: () => this.#add(twenty, () => ({})) },
      { name: 'addBulk, delayed', run: () => this.#add(twenty, () => ({ delay: hourMs })) },
      { name: 'addBulk, prioritized', run: () => this.#add(twenty, (i) => ({ priority: 1 + (i % 100) })) },
      { name: 'addBulk, ids of their own', run: () => this.#add(twenty, (i) => ({ jobId: `own-${i}` })) },
      { name: 'addBulk, the same ids again', run: () => this.#add(twenty, (i) => ({ jobId: `own-${i}` })) },
      { name: 'addBulk, deduplicated', run: () => this.#add(twenty, (i) => ({ deduplication: { id: `alike-${i % (5 * bound)}` } })) },
      { name: 'addBulk, the last of each kept', run: () => this.#add(twenty, (i) => ({ deduplication: { id: `last-${i % (5 * bound)}`, keepLastIfActive: true } })) },
      { name: 'complete, kept, trimmed by 1,000', run: () => this.#work(twenty, () => ({ sent: true }), { removeOnComplete: { count: bound } }) },
      { name: 'complete, forgotten', run: () => this.#work(twenty, () => undefined, { removeOnComplete: { count: 0 } }) },
      { name: 'fail, kept, trimmed by 1,000', run: () => this.#work(twenty, () => { throw new UnrecoverableError('no'); }, { removeOnFail: { count: bound } }) },
      { name: 'retry later', run: () => this.#retry(10 * bound) },
      { name: 'take and give back', run: () => this.#giveBack() },
      { name: 'renew 1,000 leases', run: () => this.#hold(async (ids, lease) => this.#renew(ids, lease, 1)) },
      { name: 'recover 1,000 started jobs', run: () => this.#recover(1_000) },
      { name: 'recover 1,000 dead jobs', run: () => this.#recover(0) },
      { name: 'limits', run: () => this.#limited() },
      { name: 'a flow of 5,000 children', run: () => this.#flow() },
      { name: 'a schedule with 1,000 missed runs', run: () => this.#schedule() },
      { name: 'dead letters, and back', run: () => this.#deadLetters() },
      { name: 'read 1,000 jobs of each state', run: async () => { for (const state of ['waiting', 'prioritized', 'delayed', 'completed', 'failed'] as const) await this.queue.getJobs([state], 0, bound - 1); } },
      { name: 'counts, pause, events', run: () => this.#small() },
      { name: 'changes of single jobs', run: () => this.#change() },
      { name: 'clean completed', run: () => this.queue.clean(0, twenty, 'completed') },
      { name: 'clean waiting', run: () => this.queue.clean(0, twenty, 'wait') },
      { name: 'clean prioritized', run: () => this.queue.clean(0, twenty, 'prioritized') },
      { name: 'clean delayed', run: () => this.queue.clean(0, twenty, 'delayed') },
      { name: 'retryJobs', run: () => this.queue.retryJobs() },
      { name: 'sweep by age', run: () => this.#sweep() },
      { name: 'clean failed', run: () => this.queue.clean(0, twenty, 'failed') },
      { name: 'removeOrphanedJobs', run: () => this.queue.removeOrphanedJobs(bound) },
      { name: 'promoteJobs', run: () => this.queue.promoteJobs() },
      { name: 'drain half', run: () => this.#add(twenty, () => ({ delay: hourMs })).then(() => this.queue.clean(0, 200 * bound, 'wait')) },
      { name: 'obliterate', run: () => this.queue.obliterate({ force: true }) },
      { name: 'drain', run: () => this.#add(100 * bound, (i) => (i % 2 === 0 ? {} : { delay: hourMs })).then(() => this.queue.drain(true)) },
    ];
  }

  async close(): Promise<void> {
    await this.queue.close();
  }

  async #add(count: number, opts: (i: number) => JobsOptions): Promise<void> {
    for (let from = 0; from < count; from += bound) {
      await this.queue.addBulk(range(Math.min(bound, count - from)).map((i) => ({ name: 'mail', data, opts: opts(from + i) })));
    }
  }

  /** Runs at least `count` jobs, 1,000 at a time. */
  async #work(count: number, handle: Processor, options: Partial<WorkerOptions> = {}): Promise<void> {
    let done = 0;
    const worker = new Worker(queueName, handle, { connection: this.#connection, concurrency: bound, lockDuration: 60_000, ...options });
    worker.on('error', () => undefined);
    worker.on('completed', () => void (done += 1));
    worker.on('failed', () => void (done += 1));
    await until('enough jobs are done', () => done >= count, { timeoutMs: 600_000 });
    await worker.close();
  }

  async #retry(count: number): Promise<void> {
    await this.queue.addBulk(range(bound).map(() => ({ name: 'mail', data, opts: { attempts: 3, backoff: 1, lifo: true } })));
    await this.#work(count, (job) => {
      if (job.attemptsMade < 2) throw new Error('not yet');
    });
  }

  async #giveBack(): Promise<void> {
    const worker = new Worker(queueName, (_job, _token, signal) => new Promise((resolve) => signal?.addEventListener('abort', () => resolve(undefined))), {
      connection: this.#connection, concurrency: bound, lockDuration: 60_000,
    });
    await until('1,000 jobs run', async () => (await this.queue.getActiveCount()) >= bound);
    await worker.close(true);
  }

  /** Takes 1,000 jobs as a worker does that dies afterwards. */
  async #hold(act: (ids: readonly string[], lease: string) => Promise<unknown>, leaseMs = 60_000): Promise<void> {
    for (const _ of range(10)) {
      this.#calls += 1;
      const { connection, keys } = this.queue;
      const taken = await connection.run(settle, keys, {
        session: `longest-${this.#calls}`, seq: 1, ended: packEnded([], new ScriptPacker()), token: 'longest', wanted: bound, leaseMs, max: 0, durationMs: 0,
        keepCompleted: -1, keepFailed: -1, woken: false, prefetch: 0,
      });
      await act(taken.ids, taken.lease);
    }
  }

  async #renew(ids: readonly string[], lease: string, leaseMs: number): Promise<void> {
    const leases = new ScriptPacker().array(2 * ids.length);
    for (const id of ids) leases.string(id).string(lease);
    await this.queue.connection.run(renew, this.queue.keys, { leaseMs, leases: leases.take() });
  }

  async #recover(maxStalledCount: number): Promise<void> {
    await this.#hold(async (ids, lease) => {
      await this.#renew(ids, lease, 1);
      await pause(5);
      for (let done = 0; done < ids.length; done += mostRecovered) {
        await this.queue.connection.run(recover, this.queue.keys, { maxStalledCount, limit: mostRecovered, keepFailed: bound });
      }
    });
  }

  async #limited(): Promise<void> {
    await this.#work(bound, () => undefined, { limiter: { max: bound, duration: 50 } });
    await this.queue.setGlobalConcurrency(bound);
    await this.#work(5 * bound, () => undefined);
    await this.queue.removeGlobalConcurrency();
  }

  async #flow(): Promise<void> {
    const flows = new FlowProducer({ connection: this.#connection });
    const child = { queueName, name: 'child', data, opts: { lifo: true } };
    await flows.addBulk([
      { queueName, name: 'parent', children: range(5 * bound).map(() => child) },
      ...range(bound).map(() => ({ queueName, name: 'parent', children: [child] })),
    ]);
    await this.#work(8 * bound, () => ({ sent: true }), { removeOnComplete: { count: bound } });
    await flows.close();
  }

  async #schedule(): Promise<void> {
    await this.queue.upsertJobScheduler('often', { every: 1, missed: 'all' }, { name: 'mail', data });
    await pause(1_500);
    await this.#work(2 * bound, () => undefined);
    await this.queue.removeJobScheduler('often');
  }

  async #deadLetters(): Promise<void> {
    const dead = new Queue(`${queueName}-dead`, { connection: this.#connection });
    await this.#work(10 * bound, () => { throw new UnrecoverableError('no'); }, { deadLetter: { queue: dead.name } });
    await dead.redrive();
    await dead.close();
  }

  async #small(): Promise<void> {
    const events = new QueueEventsProducer(queueName, { connection: this.#connection });
    await Promise.all(range(bound).map((i) => events.publishEvent({ eventName: 'told', i })));
    await events.close();
    await this.queue.getJobCounts();
    await this.queue.pause();
    await this.queue.resume();
    await this.queue.trimEvents(0);
  }

  async #change(): Promise<void> {
    const [waiting, delayed] = await Promise.all([this.queue.getWaiting(0, 99), this.queue.getDelayed(0, 99)]);
    for (const job of waiting) {
      await job.changePriority({ priority: 7 });
      await job.updateProgress(50);
      await job.log('a row');
      await job.updateData({ ...data, changed: true });
      await job.remove();
    }
    for (const job of delayed) await job.changeDelay(2 * hourMs);
  }

  async #sweep(): Promise<void> {
    await this.#work(20 * bound, () => undefined, { removeOnComplete: { count: 2 ** 31 } });
    const call = { completedAgeMs: 0, failedAgeMs: 0, limit: bound, sessionAgeMs: 0 };
    while ((await this.queue.connection.run(sweep, this.queue.keys, call)).more);
  }
}
