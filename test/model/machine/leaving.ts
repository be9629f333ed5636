import type { CallOf } from './calls.js';
import { ordered, type Scores } from './columns.js';
import { once } from './sessions.js';
import type { Turn } from './turn.js';

export function remove(turn: Turn, call: CallOf<'remove'>): unknown {
  return once(turn, call, () => {
    const { queue } = turn;
    const flags = call.ids.map((id) => {
      if (queue.run.has(id)) return -1;
      if (!queue.job.has(id)) return 0;
      if (isSpared(turn, id, call.only)) return -2;
      return 1;
    });
    const gone = call.ids.filter((_, i) => flags[i] === 1);
    if (gone.length > 0) {
      for (const id of gone) turn.moved.push(['removed', id, ...stateOf(turn, id)]);
      for (const set of [queue.wait, queue.delayed, queue.parents, queue.completed, queue.failed]) for (const id of gone) set.delete(id);
      turn.release(gone, 'removed');
      turn.forget(gone);
      turn.publish(gone.length, { moved: turn.moved });
    }
    const names: Record<number, string> = { 1: 'removed', 0: 'missing', [-1]: 'held', [-2]: 'spared' };
    return { reply: { removals: flags.map((flag) => names[flag]), letters: turn.letters }, stored: [flags, lettersOf(turn)] };
  });
}

/** The state that an event names; none for a job that damage has left without one. */
function stateOf({ queue }: Turn, id: string): string[] {
  const score = queue.wait.get(id);
  if (score !== undefined) return [score < 0 ? 'waiting' : 'prioritized'];
  if (queue.delayed.has(id)) return ['delayed'];
  if (queue.parents.has(id)) return ['waiting-children'];
  if (queue.completed.has(id)) return ['completed'];
  return queue.failed.has(id) ? ['failed'] : [];
}

function isSpared({ queue }: Turn, id: string, only: string): boolean {
  if (only === 'childless') return queue.pending.has(id);
  return only === 'unfinished' && (queue.completed.has(id) || queue.failed.has(id));
}

export function clean(turn: Turn, call: CallOf<'clean'>): unknown {
  return once(turn, call, () => {
    const { queue, now } = turn;
    const set = queue[call.set];
    const ids = ordered(set, scoreOf(call.from, now), scoreOf(call.till, now)).slice(0, call.limit);
    for (const id of ids) {
      set.delete(id);
      queue.run.delete(id);
    }
    turn.release(ids, 'removed');
    turn.forget(ids);
    if (call.event !== '' && ids.length > 0) {
      for (const id of ids) turn.moved.push([call.event, id]);
      turn.publish(ids.length, { moved: turn.moved });
    }
    return { reply: { ids, letters: turn.letters }, stored: [ids, lettersOf(turn)] };
  });
}

const lettersOf = ({ letters }: Turn): string[] => letters.flatMap(({ id, letter }) => [id, letter]);

/** A score as `clean` is told it. */
function scoreOf(text: string, now: number): number {
  if (text.startsWith('ago:')) return now - Number(text.slice('ago:'.length));
  return text === '+inf' ? Infinity : text === '-inf' ? -Infinity : Number(text);
}

export function sweep(turn: Turn, call: CallOf<'sweep'>): unknown {
  const { queue, now } = turn;
  const due = ordered(queue.expire, -Infinity, now).slice(0, call.limit);
  for (const id of due) {
    queue.completed.delete(id);
    queue.failed.delete(id);
  }
  turn.forget(due);
  let forgotten = due.length;
  let more = due.length > 0 && due.length === call.limit;
  const byAge = [[queue.completed, 'sweptCompleted', call.completedAgeMs], [queue.failed, 'sweptFailed', call.failedAgeMs]] as const;
  for (const [set, cursor, ageMs] of byAge) {
    const done = sweepByAge(turn, { set, cursor, ageMs, limit: call.limit });
    forgotten += done.forgotten;
    more ||= done.more;
  }
  for (const [session, last] of queue.sessions) {
    if (typeof last === 'string' || last.at < now - call.sessionAgeMs) queue.sessions.delete(session);
  }
  for (const [id, entry] of queue.dedup) {
    const isOver = typeof entry === 'string'
      || (entry.till === 0 ? !queue.job.has(entry.id) : entry.till < now && entry.last === undefined);
    if (isOver) queue.dedup.delete(id);
  }
  return { forgotten, more };
}

interface ByAge {
  set: Scores;
  cursor: string;
  ageMs: number;
  limit: number;
}

/** Jobs without a rule of their own, by the age of their set, from where the last sweep came to. */
function sweepByAge(turn: Turn, { set, cursor, ageMs, limit }: ByAge): { forgotten: number; more: boolean } {
  const { queue, now } = turn;
  if (ageMs < 0) return { forgotten: 0, more: false };
  const stored = queue.meta.get(cursor) ?? '-inf';
  // A cursor from the future: the clock has been set back, or the age is longer than another sweeper's.
  const from = Number(stored.replace('(', '')) > now - ageMs ? '-inf' : stored;
  const isBehind = from.startsWith('(');
  const low = from === '-inf' ? -Infinity : Number(from.replace('(', ''));
  const old = ordered(set, low, now - ageMs).filter((id) => !isBehind || (set.get(id) ?? 0) > low).slice(0, limit);
  const lastId = old.at(-1);
  if (lastId === undefined) return { forgotten: 0, more: false };
  const gone = old.filter((id) => !queue.expire.has(id));
  const last = String(set.get(lastId));
  const isStuck = old.length === limit && gone.length === 0 && last === from;
  queue.meta.set(cursor, isStuck ? `(${last}` : last);
  for (const id of gone) set.delete(id);
  turn.forget(gone);
  return { forgotten: gone.length, more: old.length === limit };
}
