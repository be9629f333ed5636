import type { Call, CallOf, End, EndedJob, NewJob } from './machine/calls.js';
import type { Bench } from './play/bench.js';
import { add, change, child, job, plant, settle, take } from './play/calls-by-hand.js';
import { attemptOf, outcomeOf, packedOf, recordOf, type Step } from './play/player.js';
import { clockScenes, wideScenes } from './crowds.js';
import { slipScenes } from './slips.js';
import { verify } from './play/verify.js';
import { packedInteger } from './wire/message-pack.js';
import { damage } from './wire/read-state.js';

const startedAt = 1_700_000_000_000_000;

export interface Scene {
  calls: readonly Call[];
  /** Whether something else wrote to the keys, so that not everything needs to hold. */
  damaged: boolean;
  /** The clock is set back by `byMs` before the call of this number. */
  setBack?: { before: number; byMs: number };
}

/** The calls of a scene, a second apart. */
export const stepsOf = ({ calls, setBack }: Scene): Step[] =>
  calls.map((call, i) => ({ call, micros: startedAt + i * 1_000_000 - (setBack && i >= setBack.before ? setBack.byMs * 1000 : 0) }));

/** Plays these calls a second apart and compares replies and state with the model after each. */
export async function playScene(bench: Bench, scene: Scene): Promise<void> {
  const steps = stepsOf(scene);
  verify(steps, await bench.run(steps), scene.damaged);
}

/** The lease under which `take` hands out jobs in the i-th call. */
const leaseOf = (i: number): string => `w|${startedAt / 1000 + i * 1000}`;
const retried = (attempt: string): End => ({ kind: 'retried', delayMs: 0, attemptsMade: 1, attempt, lifo: false });

const heavy = (id: string, more: Partial<NewJob> = {}): NewJob => job(id, { record: recordOf('job', 'x'.repeat(40_000)), ...more });

const crowd = Array.from({ length: 18 }, (_, i) => `c${10 + i}`);

const handOver: Call = { verb: 'enqueue', queue: 'q', session: 'p', seq: 1, form: 'plain', attended: true, leaseMs: 60_000, jobs: [job('a'), job('b')] };

const takeFirst = (seq: number): Call => ({ verb: 'takeFirst', queue: 'q', session: 'f', seq, leaseMs: 60_000, asked: false });

const rule = { id: 'd', ttlMs: 0, extend: false, replace: false, keepLast: false, reschedule: false };
const ofParent = packedOf({ pk: ['m', 'q', 'p'] });
const large = attemptOf('x'.repeat(40_000));
const again = (from: number): Call[] => [settle([{ id: 'a', lease: leaseOf(from), end: retried(large) }]), take()];

/** What random runs are too short for. */
export const scenes: readonly (Scene & { name: string })[] = [
  {
    name: 'a history drops its oldest attempts above 64 KiB', damaged: false,
    calls: [add(job('a')), take(), ...again(1), ...again(3), ...again(5), settle([{ id: 'a', lease: leaseOf(7), end: retried(attemptOf('x'.repeat(70_000))) }])],
  },
  {
    name: 'a history that cannot be read begins anew above 64 KiB', damaged: true,
    calls: [add(job('a')), take(), ...again(1), change('history', 'HSET', 'a', damage), ...again(3), ...again(6), ...again(8)],
  },
  {
    // The library always gives such a job facts, which name the deduplication id.
    name: 'a job that was kept back without facts takes the place of its holder', damaged: true,
    calls: [
      add(job('a', { rule, facts: packedOf({ de: 'd' }) })), take(), add(job('b', { rule: { ...rule, keepLast: true } })),
      settle([{ id: 'a', lease: leaseOf(1), end: { kind: 'kept', outcome: '' } }]),
    ],
  },
  {
    // Facts of a job that stalled, was handed out unconfirmed and was doomed by a child: random runs seldom fail and redrive one.
    name: 'a redriven job starts without the stalls, the doubts and the doom of its past', damaged: true,
    calls: [
      add(job('a', { facts: packedOf({ sc: 1, su: 1, df: 'broken' }) })), take(),
      settle([{ id: 'a', lease: leaseOf(1), end: { kind: 'failed', outcome: outcomeOf('broken'), attemptsMade: 1, attempt: attemptOf('broken'), exhausted: true } }]),
      { verb: 'redrive', queue: 'q', session: 'r', seq: 1, set: 'failed', limit: 100, till: '+inf', resetAttempts: false, resetStarted: false }, take(),
    ],
  },
  {
    name: 'a parent that hears at once goes on, and whoever rests is woken for it', damaged: false,
    calls: [
      plant('p', 'a'), add(job('a', { facts: ofParent })), take(),
      change('marker', 'DEL'), settle([{ id: 'a', lease: leaseOf(2), end: { kind: 'forgotten', outcome: outcomeOf('ok') }, parent: 'p' }]),
    ],
  },
  {
    name: 'a letter that has not arrived is taken back when its parent hears at once of a later end', damaged: false,
    calls: [
      plant('p', 'a'), add(job('a', { facts: ofParent })), take(),
      settle([{ id: 'a', lease: leaseOf(2), end: { kind: 'failed', outcome: outcomeOf('broken'), attemptsMade: 1, attempt: attemptOf('broken'), exhausted: true } }]),
      { verb: 'redrive', queue: 'q', session: 'r', seq: 1, set: 'failed', limit: 100, till: '+inf', resetAttempts: false, resetStarted: false }, take(),
      settle([{ id: 'a', lease: leaseOf(5), end: { kind: 'forgotten', outcome: outcomeOf('ok') }, parent: 'p' }]),
    ],
  },
  {
    name: 'siblings that end in one call, each in its way, are told apart; a parent of another queue or prefix has its letter', damaged: false,
    calls: [
      plant('p', 'a', 'b', 'c', 'e'), add(
        job('a', { facts: ofParent }), job('b', { facts: packedOf({ pk: ['m', 'q', 'p'], po: 'ignore' }) }), job('c', { facts: packedOf({ pk: ['m', 'q', 'p'], po: 'remove' }) }), job('e', { facts: ofParent }),
        job('x', { facts: packedOf({ pk: ['m', 'd', 'p'] }) }), job('y', { facts: packedOf({ pk: ['n', 'q', 'p'] }) }),
      ), take('q', 6),
      settle([
        { id: 'a', lease: leaseOf(2), end: { kind: 'kept', outcome: outcomeOf('ok') }, parent: 'p' },
        ...['x', 'y'].map((id) => ({ id, lease: leaseOf(2), end: { kind: 'forgotten', outcome: outcomeOf('ok') }, parent: 'p' }) satisfies EndedJob),
        ...['b', 'c', 'e'].map((id) => ({
          id, lease: leaseOf(2), end: { kind: 'failed', outcome: outcomeOf(id), attemptsMade: 1, attempt: attemptOf('broken'), exhausted: true }, parent: 'p',
        }) satisfies EndedJob),
      ]),
    ],
  },
  {
    name: 'jobs without a record are told of, also those with a priority', damaged: true,
    calls: [add(job('a', { priority: 1, facts: packedOf({ pr: 1 }) }), job('b', { priority: 1, facts: packedOf({ pr: 1 }) })), change('job', 'HDEL', 'a'), take()],
  },
  {
    name: 'large records travel on their own, and are read by the worker', damaged: true,
    calls: [
      { ...add(heavy('a1'), heavy('a2')), form: 'plain' } as Call, { ...add(heavy('a3', { priority: 1, facts: packedOf({ pr: 1 }) })), form: 'fresh' } as Call,
      add(heavy('b')), take('q', 1), change('job', 'HDEL', 'a2'), take('q', 9),
    ],
  },
  {
    name: 'a parent has many children, which end together', damaged: false,
    calls: [
      plant('p', ...crowd), { ...add(...crowd.map((id) => job(id, { facts: packedOf({ pk: ['m', 'q', 'p'] }) }))), form: 'fresh' } as Call, take('q', 20),
      settle(crowd.map((id) => ({ id, lease: leaseOf(2), end: { kind: 'kept', outcome: '' } }))),
    ],
  },
  {
    name: 'twenty jobs are active at once', damaged: false,
    calls: [add(...Array.from({ length: 20 }, (_, i) => job(`a${100 + i}`))), take('q', 20), settle([{ id: 'a100', lease: leaseOf(1), end: { kind: 'forgotten', outcome: '\xc0' } }])],
  },
  {
    name: 'a queue without events takes dead letters in', damaged: false,
    calls: [
      { verb: 'plain', queue: 'd', key: 'meta', command: 'HSET', args: ['maxEvents', 0] }, add(job('a')), take(),
      { verb: 'transfer', queue: 'q', target: 'd', direction: 'bury', items: [{ id: 'a', lease: leaseOf(2), attemptsMade: 1, attempt: attemptOf('broken'), outcome: outcomeOf('broken') }] },
    ],
  },
  {
    name: 'a repeat is not told that it holds what has gone on since', damaged: false,
    calls: [handOver, settle([{ id: 'a', lease: `w~p:1|${startedAt / 1000}`, end: { kind: 'givenBack' } }]), handOver],
  },
  {
    name: 'a take behind a wait that comes after a later one is refused', damaged: false,
    calls: [add(job('a'), job('b')), takeFirst(2), takeFirst(1)],
  },
  {
    name: 'a take behind a wait leaves a job without a record to the whole take', damaged: true,
    calls: [add(job('a')), change('job', 'HDEL', 'a'), takeFirst(1), take()],
  },
  {
    name: 'a parent that does not exist is given no children', damaged: false,
    calls: [{ verb: 'plant', queue: 'q', parents: [{ id: 'nobody', name: '', record: '', facts: '', children: [child('b')] }] }],
  },
  {
    name: 'a take lets go of a thousand starts that are over', damaged: true,
    calls: [
      change('rate', 'RPUSH', ...Array.from({ length: 1002 }, (_, i) => `${i + 1} 1`)), change('meta', 'HSET', 'max', 2, 'duration', 1000, 'rateCount', 1002),
      add(job('a')), take(), take(),
    ],
  },
  {
    name: 'a job waits for one child, which may have ended', damaged: false,
    calls: [
      add(job('a')), take(), { ...plant('a', 'b', 'c'), parents: [{ id: 'a', name: '', record: '', facts: '', children: [child('b'), child('c')] }] } as Call,
      { verb: 'receive', queue: 'q', mail: [{ parent: 'a', news: [{ childKey: 'm:q:b', ending: 'completed', policy: '', stamp: 1, outcome: '' }] }] },
      { verb: 'awaitChildren', queue: 'q', id: 'a', lease: leaseOf(1), child: 'm:q:b' },
      { verb: 'awaitChildren', queue: 'q', id: 'a', lease: leaseOf(1), child: 'm:q:nobody' },
      { verb: 'awaitChildren', queue: 'q', id: 'a', lease: leaseOf(1), child: 'm:q:c' },
    ],
  },
  {
    name: 'a child that failed and is gone lets its parent go', damaged: false,
    calls: [
      plant('a', 'b'), add(job('b', { facts: packedOf({ pk: ['m', 'q', 'a'] }) })), take(),
      settle([{ id: 'b', lease: leaseOf(2), end: { kind: 'failed', outcome: outcomeOf('broken'), attemptsMade: 1, attempt: attemptOf('broken'), exhausted: true } }]),
      change('outbox', 'HDEL', 'b'),
      { verb: 'inquire', queue: 'q', parent: { prefix: 'm', queue: 'q', id: 'a' }, children: [{ id: 'b', kind: 'failing', stamp: 1 }] },
      { verb: 'inquire', queue: 'q', parent: { prefix: 'm', queue: 'q', id: 'a' }, children: [{ id: 'b', kind: 'open', stamp: 1 }] },
      { verb: 'receive', queue: 'q', mail: [{ parent: 'a', news: [{ childKey: 'm:q:b', ending: 'failed', policy: '', stamp: 5, outcome: '' }] }] },
      { verb: 'receive', queue: 'q', mail: [{ parent: 'a', news: [{ childKey: 'm:q:b', ending: 'lost', policy: '', stamp: 0, outcome: '' }] }] },
    ],
  },
];

const minute = Math.floor(startedAt / 60_000_000);
const kept = { kind: 'keptFor', outcome: outcomeOf('ok'), ageMs: -1 } as const;
const failing = { kind: 'failed', outcome: outcomeOf('broken'), attemptsMade: 1, attempt: attemptOf('broken'), exhausted: true } as const;
const sweepTwo: Call = { verb: 'sweep', queue: 'q', completedAgeMs: 0, failedAgeMs: 0, limit: 2, sessionAgeMs: 86_400_000 };
const counted = (items: { id: string; lease: string; end: End }[]): Call => ({ ...settle(items), minutes: 1 }) as Call;

/** What something else left in the keys, and what is rare. */
export const rareScenes: typeof scenes = [
  {
    name: 'counts among the facts that cannot be are none', damaged: true,
    calls: [
      add(job('a', { delayMs: 5 }), job('b', { delayMs: 5 })), change('state', 'HSET', 'a', packedOf({ pr: -1, am: 2 }), 'b', packedOf({ pr: 3_000_000 })),
      { verb: 'promote', queue: 'q', session: 'c', seq: 1, limit: 5, everything: true }, take(), settle([{ id: 'a', lease: leaseOf(3), end: failing }]),
    ],
  },
  { name: 'a bound of the events that is no number is the usual one', damaged: true, calls: [change('meta', 'HSET', 'maxEvents', 'x'), add(job('a'))] },
  {
    name: 'counts of children that cannot be read are none', damaged: true,
    calls: [plant('a', 'b'), change('pending', 'HSET', 'a', '1 0 0 0 0 7'), { verb: 'receive', queue: 'q', mail: [{ parent: 'a', news: [] }] }],
  },
  {
    name: 'a parent that has failed does not fail again with its child', damaged: false,
    calls: [
      add(job('a')), take(), { ...plant('a'), parents: [{ id: 'a', name: '', record: '', facts: '', children: [child('b')] }] } as Call,
      settle([{ id: 'a', lease: leaseOf(1), end: failing }]),
      { verb: 'receive', queue: 'q', mail: [{ parent: 'a', news: [{ childKey: 'm:q:b', ending: 'failed', policy: 'fail', stamp: 1, outcome: '' }] }] },
    ],
  },
  {
    name: 'of two ends of a job the first counts', damaged: false,
    calls: [add(job('a'), job('b')), take(), settle([
      { id: 'a', lease: leaseOf(1), end: kept }, { id: 'nobody', lease: leaseOf(1), end: kept }, { id: 'a', lease: leaseOf(1), end: failing }, { id: 'b', lease: leaseOf(1), end: kept },
    ])],
  },
  {
    name: 'a count of finished jobs that cannot be read starts anew', damaged: true,
    calls: [change('metrics', 'HSET', `c${minute}`, 'x'), add(job('a'), job('b')), take(), counted([{ id: 'a', lease: leaseOf(2), end: kept }]), counted([{ id: 'b', lease: leaseOf(2), end: kept }])],
  },
  {
    name: 'starts that cannot be read hold nothing back', damaged: true,
    calls: [change('rate', 'RPUSH', 'x'), change('meta', 'HSET', 'max', 5, 'duration', 60_000), add(job('a'), job('b')), take('q', 1), change('meta', 'HSET', 'rateCount', 'x'), take('q', 1)],
  },
  {
    name: 'the sweep comes past finished jobs with a rule of their own', damaged: false,
    calls: [add(job('a'), job('b'), job('c')), take(), settle(['a', 'b', 'c'].map((id) => ({ id, lease: leaseOf(1), end: kept }))), sweepTwo, sweepTwo, sweepTwo],
  },
  {
    name: 'a child that has completed and whose letter is gone writes anew', damaged: false,
    calls: [
      plant('a', 'b'), add(job('b', { facts: packedOf({ pk: ['m', 'q', 'a'] }) })), take(), settle([{ id: 'b', lease: leaseOf(2), end: kept }]), change('outbox', 'HDEL', 'b'),
      { verb: 'inquire', queue: 'q', parent: { prefix: 'm', queue: 'q', id: 'a' }, children: [{ id: 'b', kind: 'open', stamp: 1 }] },
    ],
  },
  { name: 'a deduplication entry that is none is swept', damaged: true, calls: [change('dedup', 'HSET', 'd', packedOf({ x: 1 })), sweepTwo] },
  {
    name: 'a deduplication id whose holder is gone is free', damaged: true,
    calls: [add(job('a', { rule, facts: packedOf({ de: 'd' }) })), change('job', 'HDEL', 'a'), add(job('b', { rule, facts: packedOf({ de: 'd' }) }))],
  },
  {
    name: 'a deduplication entry that cannot be read goes with its job', damaged: true,
    calls: [add(job('a', { rule, facts: packedOf({ de: 'd' }) })), change('dedup', 'HSET', 'd', damage), { verb: 'remove', queue: 'q', session: 'c', seq: 1, ids: ['a'], only: '' }],
  },
];

export const allScenes = [...scenes, ...rareScenes, ...clockScenes, ...wideScenes, ...slipScenes];

/**
 * More sessions than one sweep looks at: which of them it sees is Redis's choice, but in the end none of the old ones is
 * `left`. `cursor` says that the sweeps never came to the end of them.
 */
export async function sweepManySessions(bench: Bench): Promise<{ rounds: number; left: number; cursor: boolean }> {
  const old = String.fromCharCode(0x93) + packedInteger(1) + packedInteger(1) + packedInteger(1);
  const fresh = String.fromCharCode(0x93) + packedInteger(1) + packedInteger(startedAt / 1000) + packedInteger(1);
  // Those that stay make the sweep go on from where it was.
  const sessions = Array.from({ length: 1500 }, (_, i) => (i % 2 ? [`old-session-${i}`, old] : [`fresh-session-${i}`, fresh])).flat();
  const sweep: CallOf<'sweep'> = { verb: 'sweep', queue: 'q', completedAgeMs: -1, failedAgeMs: -1, limit: 100, sessionAgeMs: 1000 };
  const calls: Call[] = [change('sessions', 'HSET', ...sessions), ...Array.from({ length: 40 }, () => sweep)];
  const answers = await bench.run(calls.map((call) => ({ call, micros: startedAt })));
  const left = answers.map(({ state }) => [...(state.get('q')?.sessions.keys() ?? [])].filter((session) => session.startsWith('old')).length);
  const hadCursor = answers.map(({ state }) => state.get('q')?.meta.has('sessionsCursor') ?? false);
  return { rounds: left.filter((count) => count > 0).length, left: left.at(-1) ?? 0, cursor: hadCursor.every((has, i) => i === 0 || has) };
}

export async function runScenarios(bench: Bench): Promise<void> {
  for (const scene of allScenes) await playScene(bench, scene);
  await sweepManySessions(bench);
}
