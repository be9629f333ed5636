import type { StateSet } from '../../../src/core/states.js';
import { stateSets } from '../../../src/core/states.js';
import { unpacked, type Bytes } from '../wire/message-pack.js';
import { damage } from '../wire/read-state.js';
import { enqueue, fireSchedule, publishEvents, removeSchedule, upsertSchedule } from './adding.js';
import type { Call, CallOf } from './calls.js';
import { acknowledge, adopt, awaitChildren, forgetChildren, inquire, plant, receive } from './flows.js';
import { clean, remove, sweep } from './leaving.js';
import { promote, recover, redrive, renew, reprioritize, reschedule, transfer } from './moving.js';
import { plainCommand } from './plain.js';
import { once } from './sessions.js';
import { settle, takeFirst } from './settling.js';
import { Turn, type World } from './turn.js';

/** Does what a call does, and answers what it is answered. */
export function apply(world: World, call: Call): unknown {
  const turn = new Turn(world, world.queue(call.queue));
  switch (call.verb) {
    case 'enqueue': return enqueue(turn, call);
    case 'settle': return settle(turn, call);
    case 'takeFirst': return takeFirst(turn, call);
    case 'renew': return renew(turn, call);
    case 'recover': return recover(turn, call);
    case 'promote': return promote(turn, call);
    case 'pause': return pause(turn, call);
    case 'remove': return remove(turn, call);
    case 'reschedule': return reschedule(turn, call);
    case 'reprioritize': return reprioritize(turn, call);
    case 'clean': return clean(turn, call);
    case 'redrive': return redrive(turn, call);
    case 'transfer': return transfer(turn, call);
    case 'sweep': return sweep(turn, call);
    case 'plant': return plant(turn, call);
    case 'adopt': return adopt(turn, call);
    case 'receive': return receive(turn, call);
    case 'acknowledge': return acknowledge(turn, call);
    case 'awaitChildren': return awaitChildren(turn, call);
    case 'inquire': return inquire(turn, call);
    case 'forgetChildren': return forgetChildren(turn, call);
    case 'upsertSchedule': return upsertSchedule(turn, call);
    case 'fireSchedule': return fireSchedule(turn, call);
    case 'removeSchedule': return removeSchedule(turn, call);
    case 'publishEvents': return publishEvents(turn, call);
    case 'reportProgress': return reportProgress(turn, call);
    case 'appendLog': return appendLog(turn, call);
    case 'updateData': return updateData(turn, call);
    case 'fetch': return fetch(turn, call);
    case 'counts': return counts(turn);
    case 'inspectEvents': return { last: turn.queue.events.length > 0, first: turn.queue.events.length > 0 };
    case 'plain': return plainCommand(turn, call);
  }
}

function pause(turn: Turn, { paused }: CallOf<'pause'>): unknown {
  const { meta } = turn.queue;
  const changed = meta.has('paused') !== paused;
  if (paused) meta.set('paused', '1');
  else meta.delete('paused');
  if (!paused) turn.wake();
  if (changed) turn.publish(1, { moved: [[paused ? 'paused' : 'resumed']] });
  return changed;
}

function reportProgress(turn: Turn, { id, progress }: CallOf<'reportProgress'>): unknown {
  if (!turn.queue.job.has(id)) return false;
  turn.queue.progress.set(id, progress);
  turn.publish(1, { moved: [['progress', id, progress]] });
  return true;
}

const mostLogBytes = 1 << 20;

function appendLog(turn: Turn, call: CallOf<'appendLog'>): unknown {
  return once(turn, call, () => {
    const { job, logs } = turn.queue;
    if (!job.has(call.id)) return { unsettled: -1 };
    const rows: Bytes[] = [...(logs.get(call.id) ?? []), ...(call.row === '' ? [] : [call.row])];
    while (rows.length > 0 && ((call.keep >= 0 && rows.length > call.keep) || rows.join('').length > mostLogBytes)) {
      // Where a row ends that cannot be read, nobody knows.
      if (rows.shift() === damage) rows.length = 0;
    }
    if (rows.length === 0) logs.delete(call.id);
    else logs.set(call.id, rows);
    return { reply: rows.length, stored: rows.length };
  });
}

function updateData({ queue: { job } }: Turn, { id, record }: CallOf<'updateData'>): unknown {
  if (!job.has(id)) return false;
  job.set(id, record);
  return true;
}

function fetch({ queue }: Turn, { ids }: CallOf<'fetch'>): unknown {
  return ids.map((id) => {
    const place: StateSet | undefined = stateSets.find((set) => queue[set].has(id));
    const { job, state, outcome, history, progress, run } = queue;
    return {
      id, place: place ?? null, score: place === undefined ? 0 : queue[place].get(id),
      record: job.get(id) ?? null, state: state.get(id) ?? null, outcome: outcome.get(id) ?? null, history: history.get(id) ?? null,
      progress: progress.get(id) ?? null, lease: run.get(id) ?? null,
    };
  });
}

function counts({ queue }: Turn): unknown {
  const waiting = [...queue.wait.values()].filter((score) => score < 0).length;
  const { wait, delayed, active, parents, completed, failed, meta } = queue;
  return {
    waiting, prioritized: wait.size - waiting, delayed: delayed.size, active: active.size, 'waiting-children': parents.size,
    completed: completed.size, failed: failed.size, isPaused: meta.has('paused'),
  };
}

export const isPacked = (bytes: Bytes): boolean => unpacked(bytes) !== undefined;
