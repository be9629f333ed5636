import type { CallOf, NewJob } from './calls.js';
import { isFirst, type Deduplication } from './columns.js';
import { once } from './sessions.js';
import { isLimited } from './taking.js';
import { unpackedFacts, type Turn } from './turn.js';

/** From this size on, a record travels on its own. */
const largeFrom = 2048;

interface Added {
  now: number;
  standing: string[];
  lease: string | null;
}

export function enqueue(turn: Turn, call: CallOf<'enqueue'>): unknown {
  const reply = once(turn, call, () => {
    if (isHandedOver(turn, call)) return handOver(turn, call);
    const standing = call.form === 'special' ? addSpecial(turn, call) : addFresh(turn, call);
    if (call.jobs.some(({ record }) => record.length >= largeFrom)) turn.queue.meta.set('large', '1');
    const notes = turn.moved;
    const [waiting, delayed] = [call.jobs.filter(({ delayMs }) => delayMs === 0), call.jobs.filter(({ delayMs }) => delayMs > 0)];
    const inOrder = call.form === 'fresh' ? [...waiting, ...delayed] : call.jobs;
    const names = inOrder.every(({ name }) => name === inOrder[0]?.name) ? inOrder.slice(0, 1) : inOrder;
    turn.publish(call.jobs.length, {
      added: call.form === 'special' ? '' : waiting.map(({ id }) => id).join('\n'),
      names: names.map(({ name }) => name).join('\n'),
      moved: notes.length > 0 ? notes : '',
    });
    return { reply: { now: turn.now, standing, lease: null }, stored: [turn.now, ...standing] };
  });
  return stillHeld(turn, call, reply as Partial<Added>);
}

/** Ordinary jobs for a worker that can be given them: nothing waits before them, and no pause or limit could keep them back. */
function isHandedOver(turn: Turn, { form, leaseMs }: CallOf<'enqueue'>): boolean {
  return form === 'plain' && leaseMs !== undefined && turn.queue.wait.size === 0 && !isLimited(turn);
}

function handOver(turn: Turn, { session, seq, jobs, leaseMs = 0 }: CallOf<'enqueue'>): { reply: Added; stored: [number, string] } {
  const { queue, now } = turn;
  const lease = `w~${session}:${seq}|${now}`;
  for (const { id, record } of jobs) {
    queue.job.set(id, record);
    queue.active.set(id, now + leaseMs);
    queue.run.set(id, lease);
  }
  if (jobs.some(({ record }) => record.length >= largeFrom)) queue.meta.set('large', '1');
  const ids = jobs.map(({ id }) => id).join('\n');
  const names = jobs.every(({ name }) => name === jobs[0]?.name) ? jobs.slice(0, 1) : jobs;
  turn.publish(2 * jobs.length, { added: ids, names: names.map(({ name }) => name).join('\n'), active: ids });
  return { reply: { now, standing: [], lease }, stored: [now, lease] };
}

/** A repeat tells of a lease only as long as all that was handed over is under it. */
function stillHeld({ queue: { run } }: Turn, { jobs }: CallOf<'enqueue'>, reply: Partial<Added>): unknown {
  const { lease } = reply;
  return lease === null || lease === undefined || jobs.every(({ id }) => run.get(id) === lease) ? reply : { ...reply, lease: null };
}

/** New ids: those that go to the end of one priority share a place, where ids decide. */
function addFresh(turn: Turn, { jobs, attended }: CallOf<'enqueue'>): string[] {
  const { queue, now } = turn;
  const places = new Map<number, number>();
  for (const { id, record, delayMs, priority, lifo, facts } of jobs) {
    queue.job.set(id, record);
    if (facts !== '') queue.state.set(id, unpackedFacts(facts));
    if (delayMs > 0) {
      queue.delayed.set(id, now + delayMs);
      turn.moved.push(['delayed', id, now + delayMs]);
    } else {
      const place = lifo ? turn.head(priority) : (places.get(priority) ?? turn.tail(priority));
      if (!lifo) places.set(priority, place);
      queue.wait.set(id, place);
    }
  }
  if (!attended && jobs.some(({ id, delayMs }) => delayMs === 0 || isFirst(queue.delayed, id))) turn.wakeUnlessPaused();
  return [];
}

function addSpecial(turn: Turn, { jobs, attended }: CallOf<'enqueue'>): string[] {
  const { queue, now } = turn;
  const news: string[] = [];
  const standing = jobs.map((item) => {
    const { id, record, delayMs, priority, lifo, facts, rule } = item;
    const other = deduplicated(turn, item);
    if (other !== undefined) {
      // A deduplication id outlives its job for a time, and the job may come again.
      turn.moved.push([other === id ? 'duplicated' : 'deduplicated', other, id, rule?.id ?? '']);
      return other;
    }
    if (queue.job.has(id)) {
      turn.moved.push(['duplicated', id, id, rule?.id ?? '']);
      return id;
    }
    queue.job.set(id, record);
    if (facts !== '') queue.state.set(id, unpackedFacts(facts));
    if (delayMs > 0) {
      queue.delayed.set(id, now + delayMs);
      turn.moved.push(['delayed', id, now + delayMs]);
      if (isFirst(queue.delayed, id)) news.push(id);
    } else {
      queue.wait.set(id, lifo ? turn.head(priority) : turn.tail(priority));
      turn.moved.push(['waiting', id]);
      news.push(id);
    }
    return '';
  });
  if (news.length > 0 && !attended) turn.wakeUnlessPaused();
  return standing;
}

/** The job that stands in the place of a new one because it holds the deduplication id; undefined when the new one gets it. */
function deduplicated(turn: Turn, item: NewJob): string | undefined {
  const { id, rule, delayMs } = item;
  const { queue, now } = turn;
  if (!rule || queue.job.has(id)) return undefined;
  const fresh = rule.ttlMs > 0 && !rule.keepLast ? now + rule.ttlMs : 0;
  const entry = holder(turn, rule.id);
  const replaced = entry && rule.replace && isAlone(turn, entry.id) && queue.delayed.delete(entry.id);
  if (!entry || replaced) {
    if (replaced) {
      takeBack(turn, entry.id);
      turn.moved.push(['deduplicated', id, entry.id, rule.id]);
    }
    const keepsTtl = replaced && !rule.extend && !rule.keepLast && entry.till !== 0;
    queue.dedup.set(rule.id, { id, till: keepsTtl ? entry.till : fresh });
    return undefined;
  }
  if (rule.reschedule && queue.delayed.has(entry.id)) {
    turn.remember(entry.id, { ...turn.facts(entry.id), mv: now });
    queue.delayed.set(entry.id, now + delayMs);
    if (isFirst(queue.delayed, entry.id)) turn.wake();
    turn.moved.push(['delayed', entry.id, now + delayMs, 'delayed']);
  }
  if (rule.keepLast && queue.active.has(entry.id)) {
    queue.dedup.set(rule.id, { id: entry.id, till: 0, last: [id, item.record, item.facts, item.priority, delayMs, item.lifo ? 1 : 0] });
  } else if (rule.extend && rule.ttlMs > 0) {
    queue.dedup.set(rule.id, { ...entry, till: entry.till === 0 ? fresh : now + rule.ttlMs });
  }
  return entry.id;
}

/** Who holds a deduplication id now. */
function holder({ queue, now }: Turn, dedupId: string): Deduplication | undefined {
  const entry = queue.dedup.get(dedupId);
  if (entry === undefined || typeof entry === 'string') return undefined;
  const isOver = entry.till === 0 ? !queue.job.has(entry.id) : entry.till <= now;
  return isOver ? undefined : entry;
}

function isAlone(turn: Turn, id: string): boolean {
  return turn.facts(id).pk === undefined && !turn.queue.pending.has(id);
}

function takeBack(turn: Turn, id: string): void {
  const { job, state, history, progress, logs } = turn.queue;
  for (const column of [job, state, history, progress, logs]) column.delete(id);
  turn.moved.push(['removed', id, 'delayed']);
}

export function publishEvents(turn: Turn, call: CallOf<'publishEvents'>): unknown {
  return once(turn, call, () => {
    turn.publish(call.count, { custom: call.custom }, call.maxEvents < 0 ? turn.maxEvents : call.maxEvents);
    return { reply: undefined, stored: 1 };
  });
}

interface PastRuns {
  count: number;
  last?: string;
  trace?: string;
}

function pastRuns({ queue }: Turn, id: string): PastRuns {
  const stored = queue.scheduleRuns.get(id);
  return { count: 0, ...(typeof stored === 'object' && !Array.isArray(stored) ? stored : undefined) };
}

export function upsertSchedule(turn: Turn, { id, definition, slot, trace = '' }: CallOf<'upsertSchedule'>): unknown {
  const { schedules, schedule, scheduleRuns } = turn.queue;
  const known = schedules.get(id);
  const isSame = known !== undefined && schedule.get(id) === definition;
  const { trace: before = '', ...past } = pastRuns(turn, id);
  if (trace !== before && !(isSame && trace === '')) scheduleRuns.set(id, trace === '' ? past : { ...past, trace });
  if (isSame) return { slot: known, changed: false, runs: past.count };
  schedule.set(id, definition);
  schedules.set(id, slot);
  noteNextSlot(turn);
  turn.wake();
  return { slot, changed: true, runs: past.count };
}

export function removeSchedule(turn: Turn, call: CallOf<'removeSchedule'>): unknown {
  return once(turn, call, () => {
    const removed = turn.queue.schedules.delete(call.id);
    turn.queue.schedule.delete(call.id);
    turn.queue.scheduleRuns.delete(call.id);
    noteNextSlot(turn);
    return { reply: removed, stored: removed ? 1 : 0 };
  });
}

export function fireSchedule(turn: Turn, call: CallOf<'fireSchedule'>): unknown {
  const { queue } = turn;
  if ((queue.schedules.get(call.id) ?? -1) !== call.slot || queue.schedule.get(call.id) !== call.definition) return -1;
  const past = pastRuns(turn, call.id);
  const created: string[] = [];
  if (!(call.overlap === 'skip' && past.last !== undefined && isUnfinished(turn, past.last))) {
    for (const run of call.overlap === 'skip' ? call.runs.slice(0, 1) : call.runs) {
      past.last = run.id;
      if (queue.job.has(run.id)) continue;
      queue.job.set(run.id, run.record);
      if (run.facts !== '') queue.state.set(run.id, unpackedFacts(run.facts));
      queue.wait.set(run.id, turn.tail(run.priority));
      created.push(run.id);
    }
  }
  past.count += created.length;
  if (call.nextSlot < 0) {
    for (const column of [queue.schedules, queue.schedule, queue.scheduleRuns]) column.delete(call.id);
  } else {
    queue.schedules.set(call.id, call.nextSlot);
    queue.scheduleRuns.set(call.id, { ...past });
  }
  noteNextSlot(turn);
  if (created.length > 0) {
    turn.wakeUnlessPaused();
    turn.publish(created.length, { added: created.join('\n'), names: call.name, moved: '' });
  }
  return created.length;
}

function isUnfinished({ queue: { wait, active, delayed } }: Turn, id: string): boolean {
  return [wait, active, delayed].some((set) => set.has(id));
}

function noteNextSlot({ queue: { meta, schedules } }: Turn): void {
  if (schedules.size === 0) meta.delete('nextSlot');
  else meta.set('nextSlot', String(Math.min(...schedules.values())));
}
