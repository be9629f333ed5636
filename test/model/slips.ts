import type { Call, CallOf, End } from './machine/calls.js';
import { add, change, child, giveBack, job, jobs, plant, recover, settle, take } from './play/calls-by-hand.js';
import { attemptOf, outcomeOf, packedOf, recordOf } from './play/player.js';
import type { Scene } from './scenarios.js';
import { packedList } from './wire/message-pack.js';
import { damage } from './wire/read-state.js';

// What only a wrong sign in the scripts would change. The clock is a second later at every call.

type Named = Scene & { name: string };

const startedAtMs = 1_700_000_000_000;
const lease = (call: number): string => `w|${startedAtMs + call * 1000}`;
const failed: End = { kind: 'failed', outcome: outcomeOf('broken'), attemptsMade: 2, attempt: attemptOf('broken'), exhausted: true, ageMs: 3_600_000 };
const popMarker = change('marker', 'ZPOPMIN');
const numbered = { session: 'c', seq: 1 };

/** A job with an entry in every column, retried once and held again under the lease of the last call; and a neighbour with as much. */
function wholeJobs(): Call[] {
  const facts = packedOf({ pr: 1, de: 'd', pk: ['m', 'q', 'x'], po: 'continue' });
  const rule = { id: 'd', ttlMs: 0, extend: false, replace: false, keepLast: false, reschedule: false };
  const one = (id: string, more: object): Call[] => [
    add(job(id, { facts, priority: 1, ...more })),
    { verb: 'reportProgress', queue: 'q', id, progress: packedOf(50) }, { verb: 'appendLog', queue: 'q', session: '', seq: 0, id, row: packedOf('row'), keep: -1 },
  ];
  const retried: End = { kind: 'retried', delayMs: 0, attemptsMade: 1, attempt: attemptOf('broken'), lifo: false };
  return [
    ...one('a', { rule }), ...one('b', {}), take('q', 2), settle(['a', 'b'].map((id) => ({ id, lease: lease(6), end: retried }))),
    plant('a', 'child of a'), plant('b', 'child of b'), take('q', 2),
  ];
}

const held = lease(10);
const ending = (end: End): Call => settle(['a', 'b'].map((id) => ({ id, lease: held, end })));
const sweep: Call = { verb: 'sweep', queue: 'q', completedAgeMs: 0, failedAgeMs: 0, limit: 100, sessionAgeMs: 86_400_000 };
const clean = (set: CallOf<'clean'>['set']): Call => ({ verb: 'clean', queue: 'q', ...numbered, set, limit: 100, till: '+inf', from: '-inf', event: 'cleaned' });
const remove: Call = { verb: 'remove', queue: 'q', ...numbered, ids: ['a', 'b'], only: '' };
const redrive: Call = { verb: 'redrive', queue: 'q', ...numbered, set: 'failed', limit: 100, till: '+inf', resetAttempts: false, resetStarted: false };
const bury = (leaseOf: string): Call =>
  ({ verb: 'transfer', queue: 'q', target: 'd', direction: 'bury', items: ['a', 'b'].map((id) => ({ id, lease: leaseOf, attemptsMade: 2, attempt: '', outcome: '' })) });
const whole = (name: string, ...calls: Call[]): Named => ({ name: `a job with everything ${name}`, damaged: true, calls: [...wholeJobs(), ...calls] });

/** Every way out of the queue leaves no column behind. */
const wholeScenes: readonly Named[] = [
  whole('fails and is removed', ending(failed), remove), whole('fails and is cleaned', ending(failed), clean('failed')),
  whole('fails and is swept by its own age', ending({ ...failed, ageMs: 1000 }), sweep, sweep),
  whole('fails and is swept by the age of all', ending({ kind: 'failed', outcome: outcomeOf('x'), attemptsMade: 2, attempt: attemptOf('x'), exhausted: true }), sweep, sweep),
  whole('fails for good', ending({ ...failed, ageMs: 0 })), whole('fails and is retried', ending(failed), popMarker, redrive),
  whole('fails and is retried in a queue that is paused', ending(failed), popMarker, { verb: 'pause', queue: 'q', paused: true }, redrive),
  whole('fails and is a dead letter', ending(failed), bury('')), whole('is a dead letter at once', bury(held)),
  whole('completes and is given back', { ...take('d', 1) }, giveBack('a'), ending({ kind: 'kept', outcome: outcomeOf('ok') }), giveBack('a')),
  whole('is given back and removed', ending({ kind: 'givenBack' }), remove), whole('is given back and cleaned', ending({ kind: 'givenBack' }), clean('wait')),
  whole('is held and cleaned', clean('active')), whole('is delayed and cleaned', ending({ kind: 'delayed', dueAt: startedAtMs + 3_600_000 }), clean('delayed')),
  whole('stalls for good', { verb: 'renew', queue: 'q', leaseMs: 500, leases: ['a', 'b'].map((id) => ({ id, lease: held })) }, { ...recover(0), maxStalledCount: 0, keepFailed: 1 } as Call),
];

const planted = (facts: object, children: CallOf<'plant'>['parents'][number]['children']): Call =>
  ({ verb: 'plant', queue: 'q', parents: [{ id: 'a', name: 'flow', record: recordOf('flow', 'a'), facts: packedOf(facts), children }] });
const hear = (childKey: string): Call => ({ verb: 'receive', queue: 'q', mail: [{ parent: 'a', news: [{ childKey, ending: 'completed', policy: '', stamp: 1, outcome: '' }] }] });

const flowScenes: readonly Named[] = [
  { name: 'a parent that is delayed before all else wakes a worker', damaged: false, calls: [planted({ pd: 60_000 }, [child('b')]), popMarker, hear('m:q:b')] },
  {
    name: 'a parent that is delayed behind others wakes nobody', damaged: false,
    calls: [add(job('c', { delayMs: 5 })), planted({ pd: 60_000 }, [child('b')]), popMarker, hear('m:q:b')],
  },
  {
    name: 'a parent that nothing keeps goes on when it is looked after', damaged: true,
    calls: [
      planted({ pr: 1 }, [child('b')]), hear('m:q:b'), change('wait', 'ZREM', 'a'), change('parents', 'ZADD', 1, 'a'), change('meta', 'HSET', 'maxEvents', 0),
      { verb: 'receive', queue: 'q', mail: [{ parent: 'a', news: [] }] },
    ],
  },
  {
    name: 'books keep the lengths of prefix and queue apart', damaged: false,
    calls: [planted({ pr: 1 }, [{ prefix: 'long', queue: 'q', id: 'b', key: 'long:q:b' }]), hear('long:q:b')],
  },
];

const retriedWith = (size: number): End => ({ kind: 'retried', delayMs: 0, attemptsMade: 1, attempt: attemptOf('x'.repeat(size)), lifo: false });
/** An attempt whose line in the history has this many bytes with its time. */
const lineOf = (bytes: number): End => retriedWith(bytes - 9 - (attemptOf('x'.repeat(60_000)).length - 60_000));
const log = (bytes: number): Call => ({ verb: 'appendLog', queue: 'q', session: '', seq: 0, id: 'a', row: packedOf('x'.repeat(bytes - 5)), keep: -1 });

const boundScenes: readonly Named[] = [
  {
    name: 'a history may have 64 KiB to the byte', damaged: false,
    calls: [
      add(job('a')), take(), settle([{ id: 'a', lease: lease(1), end: lineOf(36_000) }]), take(), settle([{ id: 'a', lease: lease(3), end: lineOf(65_536 - 36_000) }]),
      take(), settle([{ id: 'a', lease: lease(5), end: lineOf(36_001) }]), take(), settle([{ id: 'a', lease: lease(7), end: lineOf(65_536 - 36_000) }]),
    ],
  },
  { name: 'a log may have 1 MiB to the byte', damaged: false, calls: [add(job('a')), log(2 ** 19), log(2 ** 19), log(2 ** 19 + 1), log(2 ** 19)] },
  {
    name: 'facts that are of another kind are none', damaged: true,
    calls: [
      add(job('a'), job('b'), job('c')), change('state', 'HSET', 'a', packedOf({ de: 7, po: 3, rj: [1], df: 4, am: 'x' }), 'b', packedOf({ pk: ['m'], dl: 'x', as: 1 }), 'c', packedOf({ pr: 2 ** 21 })),
      take(), settle(['a', 'b', 'c'].map((id) => ({ id, lease: lease(2), end: retriedWith(1) }))), take(), settle(['a', 'b', 'c'].map((id) => ({ id, lease: lease(4), end: failed }))),
    ],
  },
];

/** A queue with 45 events, so that the next 250 trim the stream to what the usual bound allows, to the entry. */
const manyEvents = (delayMs: number): Call[] => [add(...jobs(250).map((one) => ({ ...one, delayMs }))), ...Array.from({ length: 45 }, (_, i) => add(job(`e${100 + i}`)))];
const dying: Call[] = [
  add(job('a'), job('b'), job('c')), take('q', 2), settle(['a', 'b'].map((id) => ({ id, lease: lease(1), end: { ...failed, ageMs: -1 } }))), take('q', 1, 500),
];
const recoverOne = { ...recover(0), maxStalledCount: 0, keepFailed: 1 } as Call;

const edgeScenes: readonly Named[] = [
  { name: 'what is promoted counts against the usual bound of the events', damaged: false, calls: [...manyEvents(3_600_000), { verb: 'promote', queue: 'q', ...numbered, limit: 250, everything: true }] },
  { name: 'what is cleaned counts against the usual bound of the events', damaged: false, calls: [...manyEvents(0), { ...clean('wait'), limit: 250 } as Call] },
  {
    name: 'one job that is dead trims those that failed before', damaged: false,
    calls: [...dying, { verb: 'renew', queue: 'q', leaseMs: 500, leases: [{ id: 'c', lease: lease(3) }] }, recoverOne],
  },
  { name: 'a job that goes back trims nothing', damaged: false, calls: [...dying, recoverOne] },
  { name: 'a letter that is not there is not acknowledged', damaged: false, calls: [add(job('a')), { verb: 'acknowledge', queue: 'q', letters: [{ id: 'a', letter: packedList(['m', 'q', 'p', 'completed', '', 5]) }] }] },
  {
    name: 'a log that cannot be read grows, and begins anew above its bound', damaged: true,
    calls: [add(job('a')), change('logs', 'HSET', 'a', `\0\0\0\x01${damage}`), { ...log(20), keep: 2 } as Call, { ...log(20), keep: 2 } as Call, { ...log(20), keep: 2 } as Call],
  },
];

export const slipScenes: readonly Named[] = [...wholeScenes, ...flowScenes, ...boundScenes, ...edgeScenes];
