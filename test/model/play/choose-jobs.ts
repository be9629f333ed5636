import type { Call, End, NewJob, Numbered } from '../machine/calls.js';
import { ordered } from '../machine/columns.js';
import { prefix } from '../machine/turn.js';
import { attemptOf, outcomeOf, packedOf, recordOf, type Chooser } from './player.js';

type Choose = (chooser: Chooser) => Call | undefined;

function newJob(id: string): NewJob {
  return { id, name: 'job', record: recordOf('job', id), delayMs: 0, priority: 0, lifo: false, facts: '' };
}

const producer = ({ player, dice, name }: Chooser): Numbered => player.next(`p${name}${dice.below(2)}`);

const add: Choose = (chooser) => {
  const { dice, player, name } = chooser;
  const jobs = Array.from({ length: 1 + dice.below(3) }, () => newJob(player.newId()));
  if (dice.oneIn(3)) for (const job of jobs) job.name = dice.of('mail', 'call');
  return { verb: 'enqueue', queue: name, ...producer(chooser), form: 'plain', jobs, ...dice.of({ attended: false }, { attended: false }, { attended: true }, { attended: true, leaseMs: dice.of(1000, 30_000) }) };
};

const addSpecial: Choose = (chooser) => {
  const { dice, player, name } = chooser;
  const jobs = Array.from({ length: 1 + dice.below(3) }, () => {
    const job = newJob(dice.oneIn(6) ? chooser.id() : dice.oneIn(8) ? `own${dice.below(3)}` : player.newId());
    const priority = chooser.priority();
    const facts = { ...(priority > 0 && { pr: priority }) };
    return { ...job, priority, lifo: dice.oneIn(3), delayMs: dice.oneIn(3) ? chooser.delayMs() : 0, facts: priority > 0 ? packedOf(facts) : '' };
  });
  return { verb: 'enqueue', queue: name, ...producer(chooser), form: 'special', attended: chooser.dice.oneIn(4), jobs };
};

const addFresh: Choose = (chooser) => {
  const { dice, player, name } = chooser;
  const jobs = Array.from({ length: 1 + dice.below(4) }, () => {
    const priority = chooser.priority();
    return {
      ...newJob(player.newId()), name: dice.of('mail', 'mail', 'call'), priority, lifo: dice.oneIn(4), delayMs: dice.oneIn(3) ? chooser.delayMs() : 0,
      facts: priority > 0 ? packedOf({ pr: priority }) : '',
    };
  });
  return { verb: 'enqueue', queue: name, ...producer(chooser), form: 'fresh', attended: chooser.dice.oneIn(4), jobs };
};

const addDeduplicated: Choose = (chooser) => {
  const { dice, player, name } = chooser;
  const jobs = Array.from({ length: 1 + dice.below(2) }, () => {
    const rule = {
      id: `d${dice.below(2)}`, ttlMs: dice.of(0, 0, 1000, 60_000), extend: dice.oneIn(3), replace: dice.oneIn(3), keepLast: dice.oneIn(3), reschedule: dice.oneIn(3),
    };
    const priority = chooser.priority();
    return {
      ...newJob(dice.oneIn(12) ? chooser.id() : player.newId()), rule, priority, lifo: dice.oneIn(4),
      delayMs: dice.oneIn(2) ? chooser.delayMs() : 0, facts: packedOf({ ...(priority > 0 && { pr: priority }), de: rule.id }),
    };
  });
  return { verb: 'enqueue', queue: name, ...producer(chooser), form: 'special', attended: chooser.dice.oneIn(4), jobs };
};

/** Adds a child that the books of its parent expect. */
const addChild: Choose = (chooser) => {
  const { dice, player, name } = chooser;
  const planned = dice.from(player.planned);
  if (!planned) return undefined;
  const policy = dice.of('', '', 'fail', 'continue', 'ignore', 'remove');
  const facts = packedOf({ pk: [prefix, planned.queue, planned.parent], ...(policy !== '' && { po: policy }) });
  return { verb: 'enqueue', queue: name, ...producer(chooser), form: 'special', attended: chooser.dice.oneIn(4), jobs: [{ ...newJob(planned.id), facts }] };
};

const publishEvents: Choose = (chooser) => ({
  verb: 'publishEvents', queue: chooser.name, ...producer(chooser), count: chooser.dice.of(1, 2, 30), custom: packedOf(['news', {}]), maxEvents: chooser.dice.of(-1, -1, 0, 20),
});

function endOf(chooser: Chooser): End {
  const { dice } = chooser;
  const outcome = outcomeOf(dice.of('ok', 'done'));
  const attempt = attemptOf(dice.oneIn(6) ? 'x'.repeat(30_000) : dice.of('broken', 'worse'));
  const attemptsMade = 1 + dice.below(3);
  switch (dice.of<End['kind']>('forgotten', 'forgotten', 'kept', 'kept', 'kept', 'keptFor', 'keptFor', 'failed', 'failed', 'failed', 'failed', 'retried', 'retried', 'retried', 'givenBack', 'delayed')) {
    case 'forgotten': return { kind: 'forgotten', outcome };
    case 'kept': return { kind: 'kept', outcome };
    case 'keptFor': return { kind: 'keptFor', outcome, ageMs: dice.of(-1, 1000, 60_000) };
    case 'failed': {
      const ageMs = dice.of(undefined, undefined, 0, 0, -1, 1000, 60_000);
      return { kind: 'failed', outcome: outcomeOf('broken'), attemptsMade, attempt, ...(ageMs !== undefined && { ageMs }), exhausted: dice.oneIn(2) };
    }
    case 'retried': return { kind: 'retried', delayMs: dice.of(0, 0, 0, 1000), attemptsMade, attempt, lifo: dice.oneIn(3) };
    case 'givenBack': return { kind: 'givenBack' };
    case 'delayed': return { kind: 'delayed', dueAt: dice.of(-1, chooser.nowMs + 1000, chooser.nowMs - 1000) };
  }
}

/** The parent that a worker knows of, in most cases the right one. */
function nearParent({ dice, queue, name }: Chooser, id: string): { parent?: string } {
  if (dice.oneIn(12)) return { parent: dice.from([...queue.parents.keys()]) ?? 'nobody' };
  const facts = queue.state.get(id);
  const [, of, parent] = typeof facts === 'object' && Array.isArray(facts.pk) ? (facts.pk as string[]) : [];
  return parent !== undefined && of === name && !dice.oneIn(4) ? { parent } : {};
}

function settle({ items, wanted }: { items: 'held' | 'stale' | 'none'; wanted: boolean }): Choose {
  return (chooser) => {
    const { dice, player, name } = chooser;
    const held = chooser.held();
    const chosen = items === 'none' ? [] : dice.some(items === 'held' ? held : player.leases, 1, 4);
    if (items === 'held' && dice.oneIn(10)) chosen.push(...chosen.slice(0, 1));
    const keep = (): number => dice.of(-1, -1, -1, 0, 1, 2);
    const hasLimit = dice.oneIn(8);
    return {
      verb: 'settle', queue: name, ...player.next(`w${name}~${dice.below(2)}`),
      items: chosen.map(({ id, lease }) => ({ id, lease, end: endOf(chooser), ...nearParent(chooser, id) })),
      token: dice.oneIn(6) ? dice.of('mine', 'my~own:1') : '', wanted: wanted ? 1 + dice.below(3) : 0, leaseMs: dice.of(1000, 30_000), max: hasLimit ? 1 + dice.below(3) : 0,
      durationMs: hasLimit ? dice.of(1000, 30_000) : 0, keepCompleted: keep(), keepFailed: keep(), woken: dice.oneIn(3), prefetch: dice.oneIn(5) ? 1 : 0,
      minutes: dice.of(0, 0, 1, 3),
    };
  };
}

/** Behind a wait, or asked for once more. */
const takeFirst: Choose = ({ dice, player, name }) =>
  ({ verb: 'takeFirst', queue: name, ...player.next(`f${name}${dice.below(2)}`), leaseMs: dice.of(1000, 30_000), asked: dice.oneIn(4) });

const renew: Choose = (chooser) => {
  const { dice, player, name } = chooser;
  const held = chooser.held();
  const leases = dice.some(dice.oneIn(4) ? player.leases : held, 1, 4);
  return leases.length === 0 ? undefined : { verb: 'renew', queue: name, leaseMs: dice.of(500, 30_000), leases };
};

const recover: Choose = ({ dice, name }) =>
  ({ verb: 'recover', queue: name, maxStalledCount: dice.of(0, 1, 1), limit: dice.of(1, 100), keepFailed: dice.of(-1, -1, 0, 1), leaseMs: dice.of(0, 0, 10, 100, 1000, 30_000) });

const promoteDue: Choose = ({ dice, name }) => ({ verb: 'promote', queue: name, session: '', seq: 0, limit: dice.of(1, 100), everything: false });

const promote: Choose = (chooser) => {
  const ids = chooser.dice.oneIn(2) ? chooser.ids(3, chooser.queue.delayed.keys()) : undefined;
  return { verb: 'promote', queue: chooser.name, ...chooser.numbered(), limit: chooser.dice.of(1, 100), everything: true, ...(ids && { ids }) };
};

const pause: Choose = ({ dice, name, queue }) => ({ verb: 'pause', queue: name, paused: queue.meta.has('paused') ? dice.oneIn(5) : true });

const remove: Choose = (chooser) =>
  ({ verb: 'remove', queue: chooser.name, ...chooser.numbered(), ids: chooser.ids(3), only: chooser.dice.of('', '', 'childless', 'unfinished') });

const reschedule: Choose = (chooser) =>
  ({ verb: 'reschedule', queue: chooser.name, id: chooser.id(chooser.queue.delayed.keys()), delayMs: chooser.delayMs() });

const reprioritize: Choose = (chooser) =>
  ({ verb: 'reprioritize', queue: chooser.name, id: chooser.id(chooser.dice.oneIn(3) ? chooser.queue.job.keys() : chooser.queue.wait.keys()), priority: chooser.priority(), lifo: chooser.dice.oneIn(3) });

const clean: Choose = (chooser) => {
  const { dice, name, nowMs } = chooser;
  const till = dice.of('+inf', '+inf', 'ago:0', 'ago:1000', 'ago:60000', String(nowMs));
  return {
    verb: 'clean', queue: name, ...(till === '+inf' ? { session: '', seq: 0 } : chooser.numbered()),
    set: dice.of('wait', 'delayed', 'active', 'parents', 'completed', 'completed', 'failed', 'failed'), limit: dice.of(1, 2, 100), till, from: dice.of('-inf', '-inf', '0'),
    event: dice.of('', 'cleaned', 'removed'),
  };
};

const redrive: Choose = (chooser) => {
  const { dice, name, queue } = chooser;
  const set = dice.of('completed', 'failed', 'failed');
  const ids = dice.oneIn(2) ? chooser.ids(3, queue[set].keys()) : undefined;
  return {
    verb: 'redrive', queue: name, ...chooser.numbered(), set, limit: dice.of(1, 100), till: dice.of('+inf', String(chooser.nowMs - 1000)), ...(ids && { ids }),
    resetAttempts: dice.oneIn(2), resetStarted: dice.oneIn(2),
  };
};

const transfer: Choose = (chooser) => {
  const { dice, name, queue, player } = chooser;
  const target = name === 'q' ? 'd' : 'q';
  const direction = dice.oneIn(3) ? 'return' : 'bury';
  const held = dice.oneIn(2);
  const leases = held ? dice.some(dice.oneIn(5) ? player.leases : chooser.held(), 1, 2)
    : chooser.ids(2, direction === 'bury' ? queue.failed.keys() : queue.job.keys()).map((id) => ({ id, lease: '' }));
  const items = [...new Map(leases.map((item) => [item.id, item])).values()];
  if (items.length === 0) return undefined;
  return {
    verb: 'transfer', queue: name, target, direction,
    items: items.map(({ id, lease }) => ({
      id, lease, attemptsMade: 1 + dice.below(3), attempt: lease === '' ? '' : attemptOf('broken'), outcome: lease === '' ? '' : outcomeOf('broken'),
    })),
  };
};

const sweep: Choose = ({ dice, name }) => ({
  verb: 'sweep', queue: name, completedAgeMs: dice.of(-1, 0, 1000, 60_000), failedAgeMs: dice.of(-1, 0, 1000, 60_000), limit: dice.of(1, 2, 1000), sessionAgeMs: 86_400_000,
});

const reportProgress: Choose = (chooser) => ({ verb: 'reportProgress', queue: chooser.name, id: chooser.id(), progress: packedOf(chooser.dice.below(100)) });

const appendLog: Choose = (chooser) => {
  const { dice, name } = chooser;
  const row = dice.oneIn(6) ? '' : packedOf(dice.oneIn(8) ? 'x'.repeat(400_000) : 'row');
  return { verb: 'appendLog', queue: name, ...(row === '' ? { session: '', seq: 0 } : chooser.numbered()), id: chooser.id(chooser.dice.oneIn(2) ? chooser.queue.logs.keys() : undefined), row, keep: dice.of(-1, -1, -1, 0, 2) };
};

const updateData: Choose = (chooser) => ({ verb: 'updateData', queue: chooser.name, id: chooser.id(), record: recordOf('job', 'changed') });
const fetch: Choose = (chooser) => ({ verb: 'fetch', queue: chooser.name, ids: chooser.ids(4) });
const counts: Choose = ({ name }) => ({ verb: 'counts', queue: name });
const inspectEvents: Choose = ({ name }) => ({ verb: 'inspectEvents', queue: name });

/** A worker pops the marker. */
const popMarker: Choose = ({ name }) => ({ verb: 'plain', queue: name, key: 'marker', command: 'ZPOPMIN', args: [] });

const settings: Choose = (chooser) => {
  const { dice, name, nowMs } = chooser;
  const set = dice.of(['concurrency', dice.of(1, 3)], ['max', dice.of(1, 2), 'duration', dice.of(1000, 60_000)], ['limitedTill', nowMs + dice.of(500, 30_000)], ['maxEvents', dice.of(0, 40, 100)]);
  return { verb: 'plain', queue: name, key: 'meta', command: 'HSET', args: set };
};

const dropSettings: Choose = ({ dice, name }) =>
  ({ verb: 'plain', queue: name, key: 'meta', command: 'HDEL', args: dice.of(['concurrency', 'max', 'duration'], ['limitedTill'], ['maxEvents']) });

/** The last places of a priority are rarely reached by themselves. */
const crowd: Choose = (chooser) => {
  const first = chooser.dice.from(ordered(chooser.queue.wait).filter((id) => (chooser.queue.wait.get(id) ?? 0) < 0));
  return first === undefined ? undefined : { verb: 'plain', queue: chooser.name, key: 'wait', command: 'ZADD', args: [chooser.dice.of(-1, 1 - 2 ** 53), first] };
};

export const jobChoices: readonly [weight: number, Choose][] = [
  [6, add], [5, addSpecial], [5, addFresh], [6, addDeduplicated], [4, addChild], [1, publishEvents], [8, settle({ items: 'none', wanted: true })], [6, settle({ items: 'held', wanted: false })],
  [8, settle({ items: 'held', wanted: true })], [2, settle({ items: 'stale', wanted: true })], [4, takeFirst], [4, renew], [4, recover], [3, promoteDue], [2, promote], [2, pause],
  [3, remove], [2, reschedule], [2, reprioritize], [3, clean], [3, redrive], [3, transfer], [3, sweep], [1, reportProgress], [2, appendLog], [1, updateData], [1, fetch],
  [1, counts], [1, inspectEvents], [2, popMarker], [2, settings], [2, dropSettings], [1, crowd],
];
