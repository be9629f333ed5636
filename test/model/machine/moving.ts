import type { CallOf } from './calls.js';
import { isFirst, lowest, numberIn, ordered, type Columns } from './columns.js';
import { once } from './sessions.js';
import { prefix, type Turn } from './turn.js';
import { packedInteger, packedText, unpacked, type Packed } from '../wire/message-pack.js';

export function renew({ queue, now }: Turn, call: CallOf<'renew'>): unknown {
  const lost: number[] = [];
  for (const [i, { id, lease }] of call.leases.entries()) {
    if (queue.run.get(id) !== lease) lost.push(i);
    // The half millisecond says that the job has started.
    else if (queue.active.has(id)) queue.active.set(id, now + call.leaseMs + 0.5);
  }
  return lost;
}

const disappeared = 'job stalled: its worker stopped renewing the lease';

export function recover(turn: Turn, call: CallOf<'recover'>): unknown {
  const { queue, now } = turn;
  if (call.leaseMs > 0 && bringBack(turn, 20, 10 * call.leaseMs)) bringBack(turn, 1000, 10 * call.leaseMs);
  const buried: { id: string; reason: string }[] = [];
  const jobs: { id: string; stalls: number; worker: string; dead: boolean; started: boolean }[] = [];
  for (const id of ordered(queue.active, -Infinity, now).slice(0, call.limit).reverse()) {
    const started = (queue.active.get(id) ?? 0) % 1 !== 0;
    const { worker, startedAt } = holderOf(queue, id);
    const facts = turn.facts(id);
    if (started) Object.assign(facts, { sc: numberIn(facts, 'sc') + 1, as: numberIn(facts, 'as') + 1 });
    const dead = started && numberIn(facts, 'sc') > call.maxStalledCount;
    queue.active.delete(id);
    queue.run.delete(id);
    turn.remember(id, { ...facts, su: dead ? null : 1 });
    if (started) {
      turn.chronicle(id, { worker, message: disappeared }, 1 + ['worker', worker, 'message', disappeared].reduce((sum, part) => sum + packedText(part).length, 0));
    }
    if (dead) {
      turn.moved.push(['stalled', id]);
      const reason = `\x93${packedText('job stalled more than allowable limit')}${packedInteger(startedAt)}${packedText(worker)}`;
      queue.failed.set(id, now);
      queue.outcome.set(id, reason);
      buried.push({ id, reason });
      turn.moved.push(['failed', id, reason]);
    } else {
      queue.wait.set(id, turn.head(numberIn(facts, 'pr')));
      turn.moved.push(['waiting', id, 'active']);
      if (started) turn.moved.push(['stalled', id]);
    }
    jobs.push({ id, stalls: numberIn(facts, 'sc'), worker, dead, started });
  }
  turn.release(buried.map(({ id }) => id), 'failed', buried.map(({ reason }) => reason));
  if (buried.length > 0) turn.trim(queue.failed, call.keepFailed);
  if (jobs.length > 0) {
    if (jobs.length > buried.length) turn.wakeUnlessPaused();
    turn.publish(turn.moved.length, { moved: turn.moved });
  }
  return { jobs, expiresAt: Math.ceil(lowest(queue.active)), letters: turn.letters };
}

/** Leases from a time that is now far ahead, among those that end last: the clock was set back, and they come back with it. */
function bringBack({ queue, now }: Turn, latest: number, mostMs: number): boolean {
  const early = ordered(queue.active).slice(-latest).filter((id) => {
    const { startedAt } = holderOf(queue, id);
    return startedAt > now + mostMs && (queue.active.get(id) ?? 0) > startedAt;
  });
  for (const id of early) {
    const endsAt = queue.active.get(id) ?? 0;
    queue.active.set(id, now + Math.min(Math.floor(endsAt) - holderOf(queue, id).startedAt, mostMs) + (endsAt % 1));
  }
  return early.length > 0;
}

function holderOf({ run }: Columns, id: string): { worker: string; startedAt: number } {
  const [, token = '', at = '0'] = /^(.*)\|(\d+)$/s.exec(run.get(id) ?? '') ?? [];
  return { worker: /^(.*)~[^~]*$/s.exec(token)?.[1] ?? token, startedAt: Number(at) };
}

export function promote(turn: Turn, call: CallOf<'promote'>): unknown {
  return once(turn, call, () => {
    const { queue, now } = turn;
    const ids = call.ids ? call.ids.filter((id) => queue.delayed.has(id))
      : ordered(queue.delayed, -Infinity, call.everything ? Infinity : now).slice(0, call.limit);
    for (const id of ids) {
      queue.wait.set(id, turn.tail(numberIn(turn.facts(id), 'pr')));
      queue.delayed.delete(id);
    }
    if (ids.length > 0) {
      turn.wakeUnlessPaused();
      turn.publish(ids.length, { moved: ids.map((id) => ['waiting', id, 'delayed']) });
    }
    const reply = { count: ids.length, dueAt: lowest(queue.delayed) };
    return { reply, stored: [reply.count, reply.dueAt] };
  });
}

export function reschedule(turn: Turn, { id, delayMs }: CallOf<'reschedule'>): unknown {
  const { queue, now } = turn;
  if (!queue.delayed.has(id)) return queue.job.has(id) ? 0 : -1;
  turn.remember(id, { ...turn.facts(id), mv: now });
  queue.delayed.set(id, now + delayMs);
  if (isFirst(queue.delayed, id)) turn.wake();
  turn.publish(1, { moved: [['delayed', id, now + delayMs]] });
  return now + delayMs;
}

export function reprioritize(turn: Turn, { id, priority, lifo }: CallOf<'reprioritize'>): unknown {
  const { queue } = turn;
  if (!queue.job.has(id)) return false;
  turn.remember(id, { ...turn.facts(id), pr: priority });
  if (queue.wait.delete(id)) queue.wait.set(id, lifo ? turn.head(priority) : turn.tail(priority));
  return true;
}

export function redrive(turn: Turn, call: CallOf<'redrive'>): unknown {
  return once(turn, call, () => {
    const { queue, now } = turn;
    const set = queue[call.set];
    const ids = call.ids ?? ordered(set, -Infinity, call.till === '+inf' ? Infinity : Number(call.till)).slice(0, call.limit);
    const flags = ids.map((id) => {
      if (!set.delete(id)) return queue.job.has(id) ? 0 : -1;
      const facts = { ...turn.facts(id), sc: null, su: null, df: null, ...(call.resetAttempts && { am: null }), ...(call.resetStarted && { as: null }), ...(queue.history.has(id) && { rd: now }) };
      queue.wait.set(id, turn.tail(numberIn(facts, 'pr')));
      for (const column of [queue.outcome, queue.progress, queue.expire]) column.delete(id);
      turn.remember(id, facts);
      if (Array.isArray(turn.facts(id).pk)) turn.write(id, turn.facts(id), 'retried', '');
      turn.moved.push(['waiting', id, call.set]);
      return 1;
    });
    if (turn.moved.length > 0) {
      turn.wakeUnlessPaused();
      turn.publish(turn.moved.length, { moved: turn.moved });
    }
    const names: Record<number, string> = { 1: 'moved', 0: 'elsewhere', [-1]: 'missing' };
    return call.ids ? { reply: { outcomes: flags.map((flag) => names[flag]), moved: 0 }, stored: flags }
      : { reply: { outcomes: [], moved: turn.moved.length }, stored: turn.moved.length };
  });
}

/** Moves jobs to the queue of dead letters, or from there. */
export function transfer(turn: Turn, call: CallOf<'transfer'>): unknown {
  const { queue, now } = turn;
  const target = turn.world.queue(call.target);
  const bury = call.direction === 'bury';
  const gone: { id: string; outcome: string; held: boolean }[] = [];
  const arrived: Packed[] = [];
  const moved = call.items.map((item) => {
    const { id, lease } = item;
    const record = isGiven(turn, item.lease, id, bury) ? queue.job.get(id) : undefined;
    if (record === undefined) return bury && isThere(turn, target, call.queue, id);
    const report = unpacked(item.attempt);
    if (report !== undefined) turn.chronicle(id, report, item.attempt.length);
    const outcome = item.outcome === '' ? (queue.outcome.get(id) ?? '') : item.outcome;
    const priority = numberIn(turn.facts(id), 'pr');
    const there = target.job.has(id) ? `${id}~${now}` : id;
    const history = queue.history.get(id);
    target.job.set(there, record);
    const reason = (unpacked(outcome) as Packed[] | undefined)?.[0] ?? '';
    if (bury || priority > 0) {
      target.state.set(there, { ...(bury && { dl: [prefix, call.queue, now, item.attemptsMade, reason] }), ...(priority > 0 && { pr: priority }) });
    }
    if (history) target.history.set(there, [...history]);
    target.wait.set(there, turn.tail(priority, target.wait));
    gone.push({ id, outcome, held: lease !== '' });
    arrived.push(['waiting', there]);
    return true;
  });
  if (gone.length > 0) depart(turn, gone, bury);
  if (gone.length > 0) arrive(target, arrived);
  return { moved, letters: turn.letters };
}

function isGiven({ queue }: Turn, lease: string, id: string, bury: boolean): boolean {
  if (lease !== '') return queue.run.get(id) === lease;
  return bury ? queue.failed.has(id) : !queue.run.has(id);
}

/** A call that is sent again finds its jobs there already. */
function isThere({ queue }: Turn, target: Columns, name: string, id: string): boolean {
  const facts = target.state.get(id);
  const origin = typeof facts === 'object' ? facts.dl : undefined;
  return Array.isArray(origin) && origin[0] === prefix && origin[1] === name && !queue.job.has(id);
}

function depart(turn: Turn, gone: readonly { id: string; outcome: string; held: boolean }[], bury: boolean): void {
  const { queue } = turn;
  const ids = gone.map(({ id }) => id);
  for (const set of [queue.wait, queue.delayed, queue.active, queue.parents, queue.completed, queue.failed]) for (const id of ids) set.delete(id);
  for (const id of ids) queue.run.delete(id);
  for (const { id, outcome, held } of gone) turn.moved.push(bury && held ? ['failed', id, outcome] : ['removed', id]);
  turn.release(ids, bury ? 'dropped' : 'removed', gone.map(({ outcome }) => outcome));
  turn.forget(ids);
  turn.publish(ids.length, { moved: turn.moved });
}

function arrive(target: Columns, arrived: Packed[]): void {
  if (!target.meta.has('paused')) target.marker.set('0', 0);
  const limit = Number(target.meta.get('maxEvents') ?? 10_000);
  if (limit === 0) return;
  target.events = { length: Math.min(target.events.length + 1, limit), last: { moved: arrived } };
}
