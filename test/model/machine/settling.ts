import type { CallOf, End, EndedJob } from './calls.js';
import { lowest, numberIn, ordered } from './columns.js';
import { earlierCall, settled, stale } from './sessions.js';
import { isLimited, take, type Taken } from './taking.js';
import { isAwaiting } from './books.js';
import { hearNear } from './flows.js';
import type { Turn } from './turn.js';
import { unpacked, type Bytes, type Packed } from '../wire/message-pack.js';

export function settle(turn: Turn, call: CallOf<'settle'>): unknown {
  const earlier = earlierCall(turn, call);
  if (earlier.kind === 'stale') return stale;
  if (earlier.kind === 'repeat') return again(turn, earlier.stored);
  const { queue, now } = turn;
  const { held, refused, unready } = accept(turn, call.items);
  for (const { id } of held) {
    queue.active.delete(id);
    queue.run.delete(id);
  }
  turn.near.queue = call.queue;
  for (const { parent } of call.items) if (parent !== undefined) turn.near.news.set(parent, []);
  const ends = new Ends(turn, call);
  ends.apply(held);
  const lease = `${call.token === '' ? `${call.session}:${call.seq}` : call.token}|${now}`;
  const taken = call.wanted > 0 ? take(turn, call, lease) : { ids: [], waitMs: 0, missing: [] };
  settled(turn, call, [refused, lease, taken.ids.join('\n'), unready]);
  passOn(turn, call, taken, { freed: held.length, returned: ends.returned });
  if (call.wanted > 0 && taken.ids.length === 0 && held.length > 0 && queue.wait.size === 0) turn.moved.push(['drained']);
  announce(turn, ends.done, taken.ids);
  return {
    refused, now, lease, unready, ...shown(turn, taken.ids, isHeavy(turn, taken.ids)), waitMs: taken.waitMs, missing: taken.missing,
    dueAt: nextDue(turn), expiresAt: taken.ids.length === 0 ? Math.ceil(lowest(queue.active)) : 0,
    letters: turn.letters, hasFlows: ends.hasFlows,
  };
}

/** The same call once more: the jobs that it was given and that are still held under its lease. */
function again(turn: Turn, stored: Packed): unknown {
  const [refused, lease, joined, unready] = stored as [number[], string, string, number[]];
  const { run, job, meta } = turn.queue;
  const ids = joined.split('\n').filter((id) => run.get(id) === lease && job.has(id));
  return {
    refused, now: turn.now, lease, unready, ...shown(turn, ids), waitMs: 0, missing: [], dueAt: 0, expiresAt: 0, letters: [],
    hasFlows: meta.has('flows'),
  };
}

/** The first waiting job for a worker that waited, where nothing but its turn is to be looked at. */
export function takeFirst(turn: Turn, call: CallOf<'takeFirst'>): unknown {
  const { queue, now } = turn;
  if (!call.asked && queue.wait.size === 0) return null;
  const earlier = earlierCall(turn, call);
  if (earlier.kind === 'stale') return stale;
  if (earlier.kind === 'repeat') {
    if (earlier.stored === '') return null;
    const [lease = '', id = ''] = earlier.stored as string[];
    return queue.run.get(id) === lease && queue.job.has(id) ? handed(turn, lease, id) : null;
  }
  if (call.asked) {
    settled(turn, call, '');
    return null;
  }
  const [id, next] = ordered(queue.wait);
  if (id === undefined || isLimited(turn) || !queue.job.has(id)) return null;
  const lease = `${call.session}:${call.seq}|${now}`;
  queue.wait.delete(id);
  queue.active.set(id, now + call.leaseMs);
  queue.run.set(id, lease);
  if (next !== undefined) turn.wake();
  settled(turn, call, [lease, id]);
  turn.publish(1, { active: id });
  return handed(turn, lease, id);
}

const handed = ({ queue, now }: Turn, lease: string, id: string): object => ({
  now, lease, id, record: queue.job.get(id) ?? null, facts: queue.state.get(id) ?? null,
});

/** Whether the worker reads the records itself. */
function isHeavy({ queue: { job, meta } }: Turn, ids: readonly string[]): boolean {
  return meta.has('large') && ids.reduce((sum, id) => sum + (job.get(id) ?? '').length, 0) > 65_536;
}

/** Jobs as a worker is given them. */
function shown({ queue: { job, state } }: Turn, ids: readonly string[], heavy = false): object {
  const records = heavy ? [] : ids.map((id) => job.get(id) ?? '');
  return { ids, records: records.join(''), states: ids.map((id) => state.get(id) ?? null) };
}

function accept(turn: Turn, items: readonly EndedJob[]): { held: EndedJob[]; refused: number[]; unready: number[] } {
  const held: EndedJob[] = [];
  const refused: number[] = [];
  const unready: number[] = [];
  const twice: number[] = [];
  const hasFlows = turn.queue.meta.has('flows');
  for (const [i, item] of items.entries()) {
    if (turn.queue.run.get(item.id) !== item.lease) refused.push(i);
    else if (hasFlows && ['forgotten', 'kept', 'keptFor'].includes(item.end.kind) && isAwaiting(turn.queue, item.id)) unready.push(i);
    else if (held.some(({ id }) => id === item.id)) twice.push(i);
    else held.push(item);
  }
  return { held, refused: [...refused, ...twice], unready };
}

/** What becomes of the jobs that a call gives up. */
class Ends {
  readonly done: { id: string; outcome: Bytes }[] = [];
  readonly hasFlows: boolean;
  returned = false;

  constructor(readonly turn: Turn, readonly call: CallOf<'settle'>) {
    this.hasFlows = turn.queue.meta.has('flows');
  }

  apply(held: readonly EndedJob[]): void {
    const { turn, call } = this;
    // Backwards: those that go to the front keep their order.
    for (const { id, end } of [...held].reverse()) this.#goBack(id, end);
    const dead = { kept: [] as EndOf<'failed'>[], forgotten: [] as EndOf<'failed'>[] };
    let keeps = false;
    const forgotten: string[] = [];
    for (const { id, end } of held) {
      if (end.kind === 'retried') this.#retry(id, end);
      else if (end.kind === 'failed') dead[end.ageMs === 0 ? 'forgotten' : 'kept'].push({ id, end: this.#fail(id, end) });
      else if ('outcome' in end) {
        this.done.push({ id, outcome: end.outcome });
        if (end.kind === 'forgotten') forgotten.push(id);
        else keeps = this.#keep(id, end);
      }
    }
    const outcomes = (ended: readonly EndOf<'failed'>[]): Bytes[] => ended.map(({ end }) => end.outcome);
    const ids = (ended: readonly EndOf<'failed'>[]): string[] => ended.map(({ id }) => id);
    turn.release(this.done.map(({ id }) => id), 'completed', this.done.map(({ outcome }) => outcome));
    turn.release(ids(dead.kept), 'failed', outcomes(dead.kept));
    turn.release(ids(dead.forgotten), 'dropped', outcomes(dead.forgotten));
    turn.forget(forgotten);
    turn.forget(ids(dead.forgotten));
    if (keeps) turn.trim(turn.queue.completed, call.keepCompleted);
    if (dead.kept.length > 0) turn.trim(turn.queue.failed, call.keepFailed);
    if (hearNear(turn)) this.returned = true;
    measure(turn, 'c', this.done.length, call.minutes);
    measure(turn, 'f', dead.kept.length + dead.forgotten.length, call.minutes);
  }

  #keep(id: string, end: { kind: string; outcome: Bytes; ageMs?: number }): boolean {
    const { queue, now } = this.turn;
    queue.completed.set(id, now);
    queue.outcome.set(id, end.outcome);
    if (end.ageMs !== undefined) queue.expire.set(id, end.ageMs < 0 ? Infinity : now + end.ageMs);
    return true;
  }

  #goBack(id: string, end: End): void {
    if (end.kind !== 'givenBack' && end.kind !== 'delayed') return;
    const { turn } = this;
    const facts = turn.facts(id);
    if (end.kind === 'delayed') {
      Object.assign(facts, { as: numberIn(facts, 'as') + 1, su: null, ...(end.dueAt > turn.now && { mv: turn.now }) });
      turn.remember(id, facts);
    }
    const dueAt = end.kind === 'delayed' ? end.dueAt : 0;
    if (dueAt > turn.now) this.#delay(id, dueAt);
    else this.#wait(id, turn.head(numberIn(facts, 'pr')));
  }

  #retry(id: string, end: End & { kind: 'retried' }): void {
    const { turn } = this;
    const facts = { ...turn.facts(id), am: end.attemptsMade, as: numberIn(turn.facts(id), 'as') + 1, su: null };
    turn.remember(id, facts);
    turn.chronicle(id, unpacked(end.attempt) ?? null, end.attempt.length);
    const priority = numberIn(facts, 'pr');
    if (end.delayMs > 0) this.#delay(id, turn.now + end.delayMs);
    else this.#wait(id, end.lifo ? turn.head(priority) : turn.tail(priority));
  }

  #fail(id: string, end: End & { kind: 'failed' }): End & { kind: 'failed' } {
    const { turn } = this;
    const { queue, now } = turn;
    turn.moved.push(['failed', id, end.outcome, ...(end.exhausted ? [end.attemptsMade] : [])]);
    if (end.ageMs === 0) return end;
    turn.remember(id, { ...turn.facts(id), am: end.attemptsMade, as: numberIn(turn.facts(id), 'as') + 1, su: null });
    turn.chronicle(id, unpacked(end.attempt) ?? null, end.attempt.length);
    queue.failed.set(id, now);
    queue.outcome.set(id, end.outcome);
    if (end.ageMs !== undefined) queue.expire.set(id, end.ageMs < 0 ? Infinity : now + end.ageMs);
    return end;
  }

  #delay(id: string, dueAt: number): void {
    this.turn.queue.delayed.set(id, dueAt);
    this.turn.moved.push(['delayed', id, dueAt]);
  }

  #wait(id: string, place: number): void {
    this.turn.queue.wait.set(id, place);
    this.turn.moved.push(['waiting', id, 'active']);
    this.returned = true;
  }
}

interface EndOf<Kind extends End['kind']> {
  id: string;
  end: End & { kind: Kind };
}

/** The marker rule: who leaves jobs behind wakes the next worker. */
function passOn(turn: Turn, call: CallOf<'settle'>, taken: Taken, { freed, returned }: { freed: number; returned: boolean }): void {
  const { meta } = turn.queue;
  const count = taken.ids.length;
  const isBarred = taken.waitMs > 0 && !meta.has('duration') && !(Number(meta.get('limitedTill')) > turn.now);
  const more = returned || taken.missing.length > 0 || (meta.has('concurrency') && count < freed) || (call.woken && (count > 0 || call.wanted === 0 || isBarred));
  if (more && turn.queue.wait.size > 0) turn.wake();
}

function announce(turn: Turn, done: readonly { id: string; outcome: Bytes }[], taken: readonly string[]): void {
  const changes = done.length + turn.moved.length + taken.length;
  if (changes === 0) return;
  turn.publish(changes, {
    ...(done.length > 0 && { done: done.map(({ id }) => id).join('\n'), results: done.map(({ outcome }) => outcome).join('') }),
    ...(turn.moved.length > 0 && { moved: turn.moved }),
    ...(taken.length > 0 && { active: taken.join('\n') }),
  });
}

function nextDue({ queue }: Turn): number {
  const due = lowest(queue.delayed);
  const slot = Number(queue.meta.get('nextSlot') ?? 0);
  return slot > 0 && (due === 0 || slot < due) ? slot : due;
}

/** Counts by the minute; what is older than `most` minutes is added up, once a minute. */
function measure({ queue: { metrics }, now }: Turn, letter: 'c' | 'f', count: number, most: number): void {
  if (most === 0 || count === 0) return;
  const add = (field: string, by: number): number => {
    const sum = Number(metrics.get(field) ?? 0) + by;
    metrics.set(field, String(sum));
    return sum;
  };
  const minute = Math.floor(now / 60_000);
  // A count that something else wrote starts anew.
  if (Number.isNaN(Number(metrics.get(`${letter}${minute}`) ?? 0))) return void metrics.delete(`${letter}${minute}`);
  if (add(`${letter}${minute}`, count) > count) return;
  const since = Number(metrics.get('since') ?? minute);
  const last = Math.min(minute - most - 1, since + 499);
  if (last >= since) {
    const sums = { c: 0, f: 0 };
    for (let each = since; each <= last; each++) {
      for (const kind of ['c', 'f'] as const) {
        sums[kind] += Number(metrics.get(`${kind}${each}`) ?? 0);
        metrics.delete(`${kind}${each}`);
      }
    }
    add('c', sums.c);
    add('f', sums.f);
  }
  metrics.set('since', String(Math.max(since, last + 1)));
  metrics.set('max', String(most));
}
