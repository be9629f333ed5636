import { unpack, unpackAll, unpackFacts } from '../../src/core/codec.js';
import { asOutcome, unpackHistory, unpackRecord, type JobRecord, type Outcome } from '../../src/core/job-record.js';
import { priorityOfScore } from '../../src/core/states.js';
import type { Connection } from '../../src/redis/connection.js';
import { keyNames, type KeyName, type QueueKeys } from '../../src/redis/keys.js';
import { list, text, type RawReply, type ScriptArg } from '../../src/redis/script.js';

/** A queue as far as its state is concerned: `Queue`, `Worker` and `JobStore` are ones. */
export interface StateOwner {
  readonly connection: Connection;
  readonly keys: QueueKeys;
}

export interface SnapshotOptions {
  /** Also the event stream. Default false. */
  events?: boolean;
  /** Also the last calls of producers and workers. Default true. */
  sessions?: boolean;
  /** Times as they are, to the ms, instead of rounded and relative to Redis's now. Default false. */
  exact?: boolean;
}

/** A job in `wait`: its place counts from the middle of its priority's range, where an empty priority begins. */
export type WaitingJob = [id: string, priority: number, place: number];
/** A job and a time. */
export type TimedJob = [id: string, at: number];
/** A job, when its lease runs out, and whether it is known to have started. */
export type ActiveJob = [id: string, deadline: number, started: boolean];

export interface LastCall {
  seq: number;
  at: number;
  reply: unknown;
}

export interface DedupEntry {
  id: string;
  /** 0 until the job ends. */
  till: number;
  last?: unknown[];
}

/** Everything that Redis holds of a queue. What is empty is left out, so that `{}` is an empty queue. */
export interface Snapshot {
  meta?: Record<string, number | string>;
  job?: Record<string, JobRecord>;
  wait?: WaitingJob[];
  delayed?: TimedJob[];
  active?: ActiveJob[];
  parents?: TimedJob[];
  completed?: TimedJob[];
  failed?: TimedJob[];
  /** The lease per active job, `<token>|<startedAt>`. */
  run?: Record<string, string>;
  /** Facts by the short names that `lua/shared/facts.lua` lists. */
  state?: Record<string, Record<string, unknown>>;
  outcome?: Record<string, Outcome>;
  history?: Record<string, { at: number; worker: string; message: string }[]>;
  progress?: Record<string, unknown>;
  logs?: Record<string, string[]>;
  /** When a finished job with a rule of its own is forgotten; Infinity for never. */
  expire?: TimedJob[];
  sessions?: Record<string, LastCall>;
  dedup?: Record<string, DedupEntry>;
  outbox?: Record<string, unknown>;
  /** True when a worker is to be woken. */
  marker?: boolean;
  rate?: [at: number, starts: number][];
  schedules?: TimedJob[];
  schedule?: Record<string, unknown>;
  scheduleRuns?: Record<string, unknown>;
  events?: Record<string, unknown>[];
  /** All other keys under the queue's tag: those of flows, and what does not belong there. */
  others?: Record<string, unknown>;
}

/** Times closer than this are shown as the same. Tests use delays that are multiples of a minute. */
const grainMs = 20_000;

/** Reads the whole state of a queue: all keys under its hash tag. The queue should be at rest. */
export async function snapshot(queue: StateOwner, options: SnapshotOptions = {}): Promise<Snapshot> {
  const reader = new Reader(queue, options.exact ? undefined : await redisNow(queue));
  const names = await reader.keyNames();
  const shown = new Map<string, unknown>();
  for (const name of names.sort()) {
    if ((name === 'events' && !options.events) || (name === 'sessions' && options.sessions === false)) continue;
    shown.set(name, await reader.read(name));
  }
  const others = [...shown].filter(([name]) => !isShown(name));
  const known = Object.fromEntries([...shown].filter(([name]) => isShown(name))) as Snapshot;
  return others.length === 0 ? known : { ...known, others: Object.fromEntries(others) };
}

/** Redis's clock in ms. */
export async function redisNow({ connection }: StateOwner): Promise<number> {
  const [seconds, micros] = list(await connection.command('time', [], 'ask the time')).map((part) => Number(text(part)));
  return (seconds ?? 0) * 1000 + Math.floor((micros ?? 0) / 1000);
}

/** A time relative to `now`, so coarse that the duration of a test does not show. Times before 2001 are seeds and stay. */
export function relativeTime(at: number, now: number): number {
  return Number.isFinite(at) && at > 1e12 ? Math.round((at - now) / grainMs) * grainMs + 0 : at;
}

const timed = ['delayed', 'parents', 'completed', 'failed', 'expire', 'schedules'];
const hashes: Partial<Record<KeyName, (value: Buffer, time: (at: number) => number) => unknown>> = {
  job: unpackRecord,
  run: (value, time) => shownLease(value.toString(), time),
  state: (value, time) => shownFacts(unpackFacts(value) as Record<string, unknown>, time),
  outcome: (value, time) => shownOutcome(asOutcome(unpack(value)), time),
  history: (value, time) => unpackHistory(value).map((attempt) => ({ ...attempt, at: time(attempt.at) })),
  progress: unpack,
  logs: (value) => unpackAll(value.subarray(4)),
  sessions: (value, time) => shownCall(unpackFacts(value) as [number, number, unknown], time),
  dedup: (value, time) => shownDedup(unpackFacts(value) as DedupEntry, time),
  outbox: (value) => shownNotice(unpackFacts(value) as unknown[]),
  schedule: unpack,
  scheduleRuns: unpackFacts,
};

/** Facts that are times count from now. */
function shownFacts(facts: Record<string, unknown>, time: (at: number) => number): Record<string, unknown> {
  const isTime = (value: unknown, name: string): value is number => typeof value === 'number' && (name === 'mv' || name === 'rd');
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, isTime(value, name) ? time(value) : value]));
}

function isShown(name: string): boolean {
  return timed.includes(name) || name in hashes || ['meta', 'wait', 'active', 'marker', 'rate', 'events'].includes(name);
}

/** Reads and decodes one key after the other. */
class Reader {
  readonly #queue: StateOwner;
  readonly #now: number | undefined;

  constructor(queue: StateOwner, now: number | undefined) {
    this.#queue = queue;
    this.#now = now;
  }

  /** The names of the queue's keys, without their common beginning. */
  async keyNames(): Promise<string[]> {
    const { base } = this.#queue.keys;
    const pattern = `${base.replace(/[\\*?[\]]/g, '\\$&')}*`;
    const names = new Set<string>();
    let cursor = '0';
    do {
      const [next, page] = list(await this.#ask('scan', cursor, 'MATCH', pattern, 'COUNT', 1000));
      for (const key of list(page)) names.add(text(key).slice(base.length));
      cursor = text(next);
    } while (cursor !== '0');
    if (!(await this.#hasLeases())) names.delete('run');
    return [...names];
  }

  /** The leases have a field '' of no meaning, which stays when all of them are given up. */
  async #hasLeases(): Promise<boolean> {
    return (await this.#hash(this.#queue.keys.key('run'))).length > 0;
  }

  async read(name: string): Promise<unknown> {
    const key = this.#queue.keys.key(name);
    if (timed.includes(name)) return (await this.#scores(key)).map(([id, score]) => [id, this.#time(score)]);
    const decode = hashes[name as KeyName];
    if (decode) return mapValues(await this.#hash(key), (value) => decode(value, this.#time));
    switch (name) {
      case 'meta': return mapValues(await this.#hash(key), (value) => this.#setting(value.toString()));
      case 'wait': return (await this.#scores(key)).map(([id, score]) => [id, priorityOfScore(score), placeOf(score)]);
      case 'active': return (await this.#scores(key)).map(([id, score]) => [id, this.#time(Math.floor(score)), score % 1 !== 0]);
      case 'marker': return true;
      case 'rate': return list(await this.#ask('lrange', key, 0, -1)).map((entry) => this.#starts(text(entry)));
      case 'events': return list(await this.#ask('xrange', key, '-', '+')).map((entry) => shownEvent(list(list(entry)[1])));
      default: return this.#anything(key);
    }
  }

  /** A key of whatever type. */
  async #anything(key: string): Promise<unknown> {
    const type = text(await this.#ask('type', key));
    switch (type) {
      case 'hash': return mapValues(await this.#hash(key), (value) => value.toString('latin1'));
      case 'zset': return (await this.#scores(key)).map(([id, score]) => [id, this.#time(score)]);
      case 'set': return list(await this.#ask('smembers', key)).map(text).sort();
      default: return type;
    }
  }

  readonly #time = (at: number): number => (this.#now === undefined ? at : relativeTime(at, this.#now));

  #setting(value: string): number | string {
    const number = Number(value.replace('(', ''));
    if (Number.isNaN(number) || value === '') return value;
    return this.#time(number);
  }

  #starts(entry: string): [number, number] {
    const [at, starts] = entry.split(' ').map(Number);
    return [this.#time(at ?? NaN), starts ?? NaN];
  }

  async #scores(key: string): Promise<[string, number][]> {
    const flat = list(await this.#ask('zrange', key, 0, -1, 'WITHSCORES')).flat().map(text);
    return pairs(flat).map(([id, score]) => [id, score.endsWith('inf') ? Infinity : Number(score)]);
  }

  async #hash(key: string): Promise<[string, Buffer][]> {
    // ioredis makes an object of this reply.
    const fields: unknown = await this.#ask('hgetall', key);
    return Object.entries(fields as Record<string, Buffer>).filter(([field]) => field !== '').sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #ask(name: string, ...args: ScriptArg[]): Promise<RawReply> {
    return this.#queue.connection.command(name, args, 'read the state of a queue');
  }
}

function pairs<T>(flat: T[]): [T, T][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => flat.slice(2 * i, 2 * i + 2) as [T, T]);
}

function mapValues(entries: [string, Buffer][], map: (value: Buffer) => unknown): Record<string, unknown> {
  return Object.fromEntries(entries.map(([field, value]) => [field, map(value)]));
}

/** The first job of an empty priority has place 1. */
function placeOf(score: number): number {
  return score < 0 ? score + 2 ** 51 : (score % 2 ** 32) - 2 ** 31;
}

function shownLease(lease: string, time: (at: number) => number): string {
  return lease.replace(/\|(\d+)$/, (_, at: string) => `|${time(Number(at))}`);
}

function shownOutcome(outcome: Outcome, time: (at: number) => number): Outcome {
  return { ...outcome, startedAt: time(outcome.startedAt) };
}

function shownCall([seq, at, reply]: [number, number, unknown], time: (at: number) => number): LastCall {
  return { seq, at: time(at), reply: (Array.isArray(reply) ? reply : [reply]).map((part: unknown) => shownPart(part, time)) };
}

function shownPart(part: unknown, time: (at: number) => number): unknown {
  if (typeof part === 'number') return time(part);
  return typeof part === 'string' ? shownLease(part, time) : part;
}

function shownDedup(entry: DedupEntry, time: (at: number) => number): DedupEntry {
  return { ...entry, till: time(entry.till) };
}

function shownNotice([parent, ending, outcome]: unknown[]): unknown {
  return [parent, ending, outcome === '' ? '' : unpack(Buffer.from(String(outcome), 'latin1'))];
}

function shownEvent(flat: RawReply[]): Record<string, unknown> {
  return Object.fromEntries(pairs(flat).map(([field, value]) => {
    const name = text(field);
    if (name === 'moved') return [name, (value as Buffer).length === 0 ? [] : unpackFacts(value as Buffer)];
    if (name === 'results') return [name, unpackAll(value as Buffer)];
    return [name, text(value)];
  }));
}

/**
 * Throws when a state breaks a rule that holds whenever no script runs.
 *
 * Ids that `job` does not know may stand in `outbox` (a child's end outlives the child), in `sessions` (last replies),
 * in `scheduleRuns` (the last run of a schedule) and in `dedup` (while a ttl guards the id). Nowhere else.
 */
export function assertInvariants(state: Snapshot): void {
  const faults = [...setFaults(state), ...columnFaults(state), ...orderFaults(state), ...settingFaults(state)];
  if (faults.length > 0) throw new Error(`The state of the queue is inconsistent:\n- ${faults.join('\n- ')}`);
}

const sets = ['wait', 'delayed', 'active', 'parents', 'completed', 'failed'] as const;

function membersOf(state: Snapshot, set: (typeof sets)[number] | 'expire'): string[] {
  return (state[set] ?? []).map(([id]) => id);
}

/** A known job is in exactly one state set, and a set holds known jobs only. */
function setFaults(state: Snapshot): string[] {
  const places = new Map<string, string[]>(Object.keys(state.job ?? {}).map((id) => [id, []]));
  for (const set of sets) {
    for (const id of membersOf(state, set)) places.set(id, [...(places.get(id) ?? ['no record, but']), set]);
  }
  return [...places].filter(([, found]) => found.length !== 1).map(([id, found]) => `job ${id} is in ${found.join(' and ') || 'no set'}`);
}

function columnFaults(state: Snapshot): string[] {
  const finished = new Set([...membersOf(state, 'completed'), ...membersOf(state, 'failed')]);
  const active = new Set(membersOf(state, 'active'));
  const known = new Set(Object.keys(state.job ?? {}));
  const faults: string[] = [];
  const within = (column: string, ids: Iterable<string>, allowed: Set<string>, what: string): void => {
    for (const id of ids) if (!allowed.has(id)) faults.push(`${column} holds ${id}, which is not ${what}`);
  };
  for (const column of ['state', 'history', 'progress', 'logs'] as const) within(column, Object.keys(state[column] ?? {}), known, 'a known job');
  within('run', Object.keys(state.run ?? {}), active, 'active');
  within('active', active, new Set(Object.keys(state.run ?? {})), 'leased');
  within('outcome', Object.keys(state.outcome ?? {}), finished, 'finished');
  within('the finished jobs', finished, new Set(Object.keys(state.outcome ?? {})), 'with an outcome');
  within('expire', membersOf(state, 'expire'), finished, 'finished');
  for (const [id, entry] of Object.entries(state.dedup ?? {})) {
    if (entry.till === 0) within(`dedup ${id}`, [entry.id], known, 'a known job');
  }
  for (const [id, facts] of Object.entries(state.state ?? {})) if (Object.keys(facts).length === 0) faults.push(`state holds nothing of ${id}`);
  return faults;
}

/** Each waiting job lies in the range of the priority that its facts name. */
function orderFaults(state: Snapshot): string[] {
  return (state.wait ?? []).flatMap(([id, priority, place]) => {
    const named = Number(state.state?.[id]?.pr ?? 0);
    if (named !== priority) return [`job ${id} waits with priority ${priority}, but has priority ${named}`];
    return Number.isSafeInteger(place) ? [] : [`job ${id} waits at a place that is no whole number: ${place}`];
  });
}

function settingFaults(state: Snapshot): string[] {
  const faults: string[] = [];
  const starts = (state.rate ?? []).reduce((sum, [, count]) => sum + count, 0);
  if (starts !== Number(state.meta?.rateCount ?? 0)) faults.push(`rateCount is ${state.meta?.rateCount}, but rate lists ${starts} starts`);
  const first = state.schedules?.[0]?.[1];
  if (state.meta?.nextSlot !== first) faults.push(`nextSlot is ${state.meta?.nextSlot}, but the first schedule is at ${first}`);
  const scheduled = (state.schedules ?? []).map(([id]) => id).sort();
  const defined = Object.keys(state.schedule ?? {}).sort();
  if (scheduled.join() !== defined.join()) faults.push(`schedules are ${scheduled.join()}, definitions are of ${defined.join()}`);
  const unknown = Object.keys(state.others ?? {}).filter((name) => !(keyNames as readonly string[]).includes(name) && !name.startsWith('children:'));
  if (unknown.length > 0) faults.push(`there are unknown keys: ${unknown.join()}`);
  return faults;
}
