import { packedList, unpacked, type Bytes, type Packed } from '../wire/message-pack.js';
import type { News } from './calls.js';
import { emptyColumns, factsOf, ordered, remember, type Attempt, type Columns, type Facts, type Scores } from './columns.js';

/** All queues at one instant of Redis's clock. */
export class World {
  readonly queues = new Map<string, Columns>();
  /** What calls of a session were answered, for those that come again. */
  readonly told = new Map<string, unknown>();

  constructor(public micros: number) {}

  queue(name: string): Columns {
    const known = this.queues.get(name) ?? emptyColumns();
    this.queues.set(name, known);
    return known;
  }
}

/** The prefix of all queues of the model. */
export const prefix = 'm';

const bandSize = 2 ** 32;

interface Band {
  low: number;
  high: number;
  middle: number;
}

export function bandOf(priority: number): Band {
  if (priority === 0) return { low: 1 - 2 ** 53, high: -1, middle: -(2 ** 51) };
  return { low: priority * bandSize, high: (priority + 1) * bandSize - 1, middle: priority * bandSize + bandSize / 2 };
}

export interface Letter {
  id: string;
  letter: Bytes;
}

/** One call at work on a queue: what it may do, and what it has to tell. */
export class Turn {
  readonly now: number;
  /** What the event of this call lists. */
  readonly moved: Packed[] = [];
  readonly letters: Letter[] = [];
  /** Parents in this queue, which hear at once how their children ended: what they hear, and of whom. */
  readonly near: { queue: string; news: Map<string, News[]>; told: string[] } = { queue: '', news: new Map(), told: [] };

  constructor(readonly world: World, readonly queue: Columns) {
    this.now = Math.floor(world.micros / 1000);
  }

  /** The place behind all waiting jobs of a priority. */
  tail(priority: number, wait: Scores = this.queue.wait): number {
    const { low, high, middle } = bandOf(priority);
    const last = Math.max(...[...wait.values()].filter((score) => score >= low && score <= high));
    return Math.min((last === -Infinity ? middle : last) + 1, high);
  }

  /** The place before all of them. */
  head(priority: number): number {
    const { low, high, middle } = bandOf(priority);
    const first = Math.min(...[...this.queue.wait.values()].filter((score) => score >= low && score <= high));
    return Math.max((first === Infinity ? middle + 1 : first) - 1, low);
  }

  wake(): void {
    this.queue.marker.set('0', 0);
  }

  wakeUnlessPaused(): void {
    if (!this.queue.meta.has('paused')) this.wake();
  }

  /** Adds one entry with `count` events to the stream. */
  publish(count: number, entry: { [field: string]: Packed }, asked = this.maxEvents): void {
    if (asked === 0) return;
    const limit = asked > 0 && asked < 2 ** 53 ? asked : 10_000;
    const { events } = this.queue;
    events.last = entry;
    events.length = Math.min(events.length + 1, Math.max(32, Math.ceil(limit / Math.max(count, 1))));
  }

  get maxEvents(): number {
    return Number(this.queue.meta.get('maxEvents') ?? 10_000);
  }

  facts(id: string): Facts {
    return factsOf(this.queue, id);
  }

  remember(id: string, facts: Facts): void {
    remember(this.queue, id, facts);
  }

  /** A line in the history of a job: what the worker reported, and its size in bytes. */
  chronicle(id: string, report: Packed, size: number): void {
    const stored = this.queue.history.get(id) ?? [];
    const attempts: Attempt[] = [...stored, [this.now, report]];
    sizes.set(attempts[attempts.length - 1] as Attempt & object, 9 + size);
    let total = attempts.reduce((sum, attempt) => sum + sizeOf(attempt), 0);
    while (total > 65_536 && attempts.length > 1) {
      if (typeof attempts[0] === 'string') attempts.splice(0, attempts.length - 1);
      else total -= sizeOf(attempts.shift() ?? '');
      if (attempts.length === 1) break;
    }
    this.queue.history.set(id, attempts);
  }

  /** A letter to the parent of a job. */
  write(id: string, facts: Facts, ending: string, outcome: Bytes, after = 0): void {
    const [of = '', queue = '', parent = ''] = facts.pk as string[];
    const stamp = Math.max(this.world.micros, after + 1);
    const policy = typeof facts.po === 'string' ? facts.po : '';
    const heard = of === prefix && queue === this.near.queue ? this.near.news.get(parent) : undefined;
    if (heard) {
      heard.push({ childKey: `${prefix}:${queue}:${id}`, ending: ending as News['ending'], policy, stamp, outcome });
      this.near.told.push(id);
      return;
    }
    const letter = packedList([of, queue, parent, ending, policy, stamp]) + outcome;
    this.letters.push({ id, letter });
    this.queue.outbox.set(id, letter);
    this.queue.meta.set('flows', '1');
  }

  /** Takes every trace of jobs away, but for the sets they are in. */
  forget(ids: readonly string[]): void {
    const { job, state, outcome, history, progress, logs, expire, pending, orphans } = this.queue;
    for (const id of ids) {
      for (const column of [job, state, outcome, history, progress, logs, expire]) column.delete(id);
      if (pending.delete(id)) orphans.add(id);
    }
  }

  /** Keeps the newest of a set, by count. */
  trim(set: Scores, keep: number): void {
    if (keep < 0) return;
    const gone = ordered(set).slice(0, Math.min(Math.max(0, set.size - keep), 1000));
    for (const id of gone) set.delete(id);
    this.forget(gone);
  }

  /** What the end of jobs frees: their deduplication ids, and their parents, which are told. */
  release(ids: readonly string[], ending: 'completed' | 'failed' | 'removed' | 'dropped', outcomes: readonly Bytes[] = []): void {
    for (const [i, id] of ids.entries()) {
      const facts = this.facts(id);
      if (typeof facts.de === 'string') this.#releaseId(facts.de, id);
      if (!Array.isArray(facts.pk) || (ending === 'removed' && this.#isToldOf(id, facts))) continue;
      const told = ending === 'dropped' ? (facts.po === undefined ? 'removed' : 'failed') : ending;
      this.write(id, facts, told, outcomes[i] ?? '');
    }
  }

  #isToldOf(id: string, facts: Facts): boolean {
    return this.queue.outcome.has(id) && (facts.po !== undefined || this.queue.outbox.has(id));
  }

  #releaseId(dedupId: string, id: string): void {
    const { dedup, job, state, delayed, wait } = this.queue;
    const entry = dedup.get(dedupId);
    if (typeof entry === 'string') dedup.delete(dedupId);
    if (typeof entry !== 'object' || entry.id !== id) return;
    const [kept, record, facts, priority = 0, delayMs = 0, lifo] = entry.last ?? [];
    if (kept !== undefined && record !== undefined && !job.has(kept)) {
      job.set(kept, record);
      if (facts) state.set(kept, unpackedFacts(facts));
      if (delayMs > 0) {
        delayed.set(kept, this.now + delayMs);
        this.moved.push(['delayed', kept, this.now + delayMs]);
      } else {
        wait.set(kept, lifo === 1 ? this.head(priority) : this.tail(priority));
        this.moved.push(['waiting', kept]);
      }
      dedup.set(dedupId, { id: kept, till: entry.till });
      this.wake();
    } else if (kept !== undefined || entry.till === 0) {
      dedup.delete(dedupId);
    }
  }
}

const sizes = new WeakMap<object, number>();
const sizeOf = (attempt: Attempt): number => (typeof attempt === 'string' ? attempt.length : (sizes.get(attempt) ?? 0));

export function unpackedFacts(facts: Bytes): Facts | Bytes {
  const known = unpacked(facts);
  return typeof known === 'object' && known !== null && !Array.isArray(known) ? known : facts;
}
