import { afterAll, onTestFinished } from 'vitest';
import { pack } from '../../src/core/codec.js';
import { packRecord, type JobRecord } from '../../src/core/job-record.js';
import { randomToken } from '../../src/core/ids.js';
import { ScriptPacker } from '../../src/core/script-packer.js';
import { Connection } from '../../src/redis/connection.js';
import { keyNames, QueueKeys, type KeyName } from '../../src/redis/keys.js';
import type { RawReply, Script, ScriptArg } from '../../src/redis/script.js';
import { enqueue, type EnqueueReply } from '../../src/redis/scripts/enqueue.js';
import { pause } from '../../src/redis/scripts/pause.js';
import { packEnded } from '../../src/queue/pack-ended.js';
import { Ending, settle, type SettleCall, type SettleReply } from '../../src/redis/scripts/settle.js';
import { assertInvariants, redisNow, snapshot, type Snapshot, type SnapshotOptions, type StateOwner } from '../support/state.js';

export const minute = 60_000;

/** A job that is more than "to the end of priority 0". */
export interface Special {
  id: string;
  delayMs?: number;
  priority?: number;
  lifo?: boolean;
  data?: unknown;
  parent?: string;
  dedup?: { id: string; ttlMs?: number; extend?: boolean; replace?: boolean; keepLast?: boolean; reschedule?: boolean };
}

/** An item of a settle call, still unpacked. */
export interface Settled {
  id: string;
  lease: string;
  kind: number;
  payload: Buffer | string | ((packer: ScriptPacker) => void);
}

export interface CallOf {
  session?: string;
  seq?: number;
}

let shared: Connection | undefined;
afterAll(() => shared?.close());

function connect(): Connection {
  const url = process.env.REDIS_URL;
  if (url === undefined) throw new Error('There is no REDIS_URL: run the tests with vitest or npm test.');
  shared ??= new Connection(url);
  return shared;
}

/** The fields of a test job's record. Its data is its id, unless a test gives other data. */
export function record(data: unknown): JobRecord {
  return { name: 'job', data, timestamp: 1, opts: {} };
}

export function packedRecord(data: unknown): Buffer {
  return packRecord('job', data, 1, undefined);
}

/** The `job` column of these jobs. */
export function records(...ids: string[]): Record<string, JobRecord> {
  return Object.fromEntries(ids.map((id) => [id, record(id)]));
}

/** `count` ids that sort against their order, so that only scores can keep it. */
export function ids(count: number, prefix = 'job'): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${String(9999 - i)}`);
}

/** `count` ascending ids, for batches of new jobs. */
export function ascendingIds(count: number, prefix = 'job'): string[] {
  return ids(count, prefix).reverse();
}

/** How jobs end, as the settle script takes it. */
export const end = {
  forgotten: (id: string, lease: string, result: unknown = 'ok'): Settled => ({ id, lease, kind: Ending.forgotten, payload: pack([result, 5, 'w'], 'r') }),
  kept: (id: string, lease: string, result: unknown = 'ok'): Settled => ({ id, lease, kind: Ending.kept, payload: pack([result, 5, 'w'], 'r') }),
  keptFor: (id: string, lease: string, ageMs: number): Settled =>
    ({ id, lease, kind: Ending.keptFor, payload: (to) => void to.array(2).bytes(pack(['ok', 5, 'w'], 'r')).number(ageMs) }),
  failed: (id: string, lease: string, attemptsMade = 1, ageMs?: number): Settled => ({
    id, lease, kind: Ending.failed,
    payload: (to) => {
      to.array(4).bytes(pack(['broken', 5, 'w'], 'r')).number(attemptsMade).bytes(attempt());
      if (ageMs === undefined) to.nil();
      else to.number(ageMs);
    },
  }),
  retried: (id: string, lease: string, { delayMs = 0, attemptsMade = 1, lifo = false, entry = attempt() } = {}): Settled =>
    ({ id, lease, kind: Ending.retried, payload: (to) => void to.array(4).number(delayMs).number(attemptsMade).bytes(entry).flag(lifo) }),
  givenBack: (id: string, lease: string): Settled => ({ id, lease, kind: Ending.givenBack, payload: '' }),
  delayed: (id: string, lease: string, dueAt: number): Settled => ({ id, lease, kind: Ending.delayed, payload: (to) => void to.array(1).number(dueAt) }),
};

/** What a worker reports of a failed attempt. */
export function attempt(message = 'broken'): Buffer {
  return pack({ worker: 'w', message }, 'error');
}

/** The outcome and history that `end` writes. */
export const written = {
  result: { value: 'ok', startedAt: 5, worker: 'w' },
  reason: { value: 'broken', startedAt: 5, worker: 'w' },
  attempt: { at: 0, worker: 'w', message: 'broken' },
};

export interface OpenOptions {
  /** True for tests that damage the state on purpose: the invariants are not checked at the end. */
  damaged?: boolean;
}

/** A queue of its own for one test, without jobs. Afterwards its invariants are checked and its keys removed. */
export function openQueue({ damaged = false }: OpenOptions = {}): TestQueue {
  const queue = new TestQueue(connect(), new QueueKeys('test', `transitions-${randomToken(8)}`));
  onTestFinished(async () => {
    const left = await queue.state();
    await queue.redis('unlink', ...keyNames.map((name) => queue.keys.key(name)));
    if (!damaged) assertInvariants(left);
  });
  return queue;
}

/** A queue driven by its scripts alone. */
export class TestQueue implements StateOwner {
  #calls = 0;

  constructor(readonly connection: Connection, readonly keys: QueueKeys) {}

  run<Call, Reply>(script: Script<Call, Reply>, call: Call): Promise<Reply> {
    return this.connection.run(script, this.keys, call);
  }

  redis(name: string, ...args: ScriptArg[]): Promise<RawReply> {
    return this.connection.command(name, args, `run ${name}`);
  }

  /** Runs a command on one of the queue's keys. */
  on(key: KeyName, name: string, ...args: ScriptArg[]): Promise<RawReply> {
    return this.redis(name, this.keys.key(key), ...args);
  }

  now(): Promise<number> {
    return redisNow(this);
  }

  /** Everything but the event stream and the sessions; times are relative and coarse. */
  state(): Promise<Snapshot> {
    return snapshot(this, { sessions: false });
  }

  snapshot(options?: SnapshotOptions): Promise<Snapshot> {
    return snapshot(this, options);
  }

  /** Everything to the last bit, also times and events. */
  exactly(): Promise<Snapshot> {
    return snapshot(this, { exact: true, events: true });
  }

  /** Adds jobs to the end of priority 0, each in a call of its own: within a call order is that of the ids. */
  async add(...added: string[]): Promise<EnqueueReply> {
    const replies = await Promise.all(added.map((id) => this.enqueue([id], [])));
    return replies.at(-1) ?? { now: 0, standing: [], lease: undefined };
  }

  addSpecial(...added: Special[]): Promise<EnqueueReply> {
    return this.enqueue([], added);
  }

  /** Adds plain jobs, or special ones. */
  enqueue(plain: readonly string[], special: readonly Special[], { session = this.#session('p'), seq = 1, leaseMs }: CallOf & { leaseMs?: number } = {}): Promise<EnqueueReply> {
    const jobs = plain.length === 0 ? { special: packSpecial(special) } : { plain: packPlain(plain), ids: plain.join('\n') };
    return this.run(enqueue, { session, seq, ...jobs, names: 'job', holder: leaseMs === undefined ? undefined : { worker: 'w', leaseMs } });
  }

  /** Adds plain jobs for a worker that can be given them at once; leases last a minute. */
  handOver(...added: string[]): Promise<EnqueueReply> {
    return this.enqueue(added, [], { leaseMs: minute });
  }

  /** Adds jobs in the form for ids that nobody has yet, which have to ascend. */
  addFresh(fresh: readonly Special[], { session = this.#session('p'), seq = 1 }: CallOf = {}): Promise<EnqueueReply> {
    return this.run(enqueue, { session, seq, fresh: packFresh(fresh), names: 'job' });
  }

  /** Takes jobs under a token; leases last a minute. */
  take(wanted: number, token = 'w', call: Partial<SettleCall> = {}): Promise<SettleReply> {
    return this.settle([], { wanted, token, ...call });
  }

  settle(items: readonly Settled[], call: Partial<SettleCall> = {}): Promise<SettleReply> {
    return this.run(settle, {
      session: this.#session('w'), seq: 1, ended: packSettled(items), token: 'w', wanted: 0, leaseMs: minute, max: 0, durationMs: 0,
      keepCompleted: -1, keepFailed: -1, woken: false, prefetch: 0, ...call,
    });
  }

  /** Lets the leases of these jobs have run out, as if their worker had disappeared. */
  async expire(...held: string[]): Promise<void> {
    for (const id of held) {
      const deadline = Number(String(await this.on('active', 'zscore', id)));
      await this.on('active', 'zadd', 'XX', deadline - 10 * minute, id);
    }
  }

  /** The ids in the order in which they will be taken. */
  async order(): Promise<string[]> {
    return ((await this.state()).wait ?? []).map(([id]) => id);
  }

  #session(kind: string): string {
    return `${kind}${++this.#calls}`;
  }
}

function packPlain(plain: readonly string[]): Buffer {
  const packer = new ScriptPacker().array(plain.length * 2);
  for (const id of plain) packer.string(id).bytes(packedRecord(id));
  return packer.take();
}

function packFresh(fresh: readonly Special[]): Buffer {
  const packer = new ScriptPacker().array(fresh.length * 6);
  for (const job of fresh) packPlaced(job, packer);
  return packer.take();
}

function packPlaced({ id, delayMs = 0, priority = 0, lifo, data = id, parent, dedup }: Special, packer: ScriptPacker): void {
  packer.string(id).bytes(packedRecord(data)).number(delayMs).number(priority).flag(lifo);
  const facts = { ...(priority > 0 && { pr: priority }), ...(dedup && { de: dedup.id }), ...(parent !== undefined && { pk: parent }) };
  if (Object.keys(facts).length > 0) packer.bytes(pack(facts, 'facts'));
  else packer.string('');
}

function packSpecial(special: readonly Special[]): Buffer {
  const packer = new ScriptPacker().array(special.length);
  for (const job of special) {
    const { dedup } = job;
    packPlaced(job, packer.array(7));
    if (dedup) {
      packer.array(6).string(dedup.id).number(dedup.ttlMs ?? 0).flag(dedup.extend).flag(dedup.replace).flag(dedup.keepLast).flag(dedup.reschedule);
    } else {
      packer.string('');
    }
  }
  return packer.take();
}

export function packSettled(items: readonly Settled[]): Buffer {
  return packEnded(items.map(({ kind: ending, ...rest }) => ({ ...rest, ending })), new ScriptPacker());
}

/** What has to be looked at before a job starts, and how a queue comes to it. */
export const holds: readonly [what: string, hold: (queue: TestQueue) => Promise<unknown>][] = [
  ['a pause', (queue) => queue.run(pause, { paused: true })],
  ['a concurrency of the queue', (queue) => queue.on('meta', 'hset', 'concurrency', 5)],
  ['a rate limit of the queue', (queue) => queue.on('meta', 'hset', 'max', 5, 'duration', minute)],
  ['a pause of the limiter', async (queue) => queue.on('meta', 'hset', 'limitedTill', (await queue.now()) + minute)],
];
