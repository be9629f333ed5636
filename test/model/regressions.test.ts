import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Call } from './machine/calls.js';
import { Bench } from './play/bench.js';
import { add, change, giveBack, job, plant, settle, take } from './play/calls-by-hand.js';
import { packedOf, recordOf } from './play/player.js';
import { allScenes, playScene, sweepManySessions } from './scenarios.js';
import { damage } from './wire/read-state.js';

// What random runs found once, as short as they could be made.

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.open();
});
afterAll(() => bench.close());

const compare = (calls: readonly Call[], damaged = false): Promise<void> => playScene(bench, { calls, damaged });
const startedAtMs = 1_700_000_000_000;

test('a job that waits for children leaves no trace when it is returned to another queue', () => compare([plant('a', 'b'), giveBack('a')]));

test('a returned job does not leave the range of its priority', () => compare([
  { verb: 'enqueue', queue: 'd', session: 'p', seq: 1, form: 'special', attended: false, jobs: [job('a')] },
  { verb: 'plain', queue: 'd', key: 'wait', command: 'ZADD', args: [-1, 'a'] },
  add(job('b')), giveBack('b'),
]));

test('a child that is named twice is one child', () => compare([
  plant('a', 'b', 'b'),
  { verb: 'receive', queue: 'q', mail: [{ parent: 'a', news: [{ childKey: 'm:q:b', ending: 'completed', policy: '', stamp: 1, outcome: '' }] }] },
  { verb: 'counts', queue: 'q' },
]));

test('a deduplication entry that cannot be read is replaced by the next job', () => {
  const rule = { id: 'd', ttlMs: 0, extend: false, replace: false, keepLast: false, reschedule: false };
  const facts = packedOf({ de: 'd' });
  return compare([add(job('a', { rule, facts })), change('dedup', 'HSET', 'd', damage), add(job('b'), job('c', { rule, facts })), take()], true);
});

test('the end of a job is not held up by a deduplication entry that cannot be read', () => {
  const rule = { id: 'd', ttlMs: 0, extend: false, replace: false, keepLast: false, reschedule: false };
  return compare([
    add(job('a', { rule, facts: packedOf({ de: 'd' }) })), change('dedup', 'HSET', 'd', damage),
    { verb: 'remove', queue: 'q', session: 'c', seq: 1, ids: ['a'], only: '' },
  ], true);
});

test('a session that cannot be read begins anew', () => {
  const call: Call = { verb: 'enqueue', queue: 'q', session: 'p', seq: 2, form: 'special', attended: false, jobs: [job('a')] };
  return compare([{ ...call, seq: 1 }, change('sessions', 'HSET', 'p', damage), call], true);
});

test('the sweep takes away what cannot be read', () => {
  const sweep: Call = { verb: 'sweep', queue: 'q', completedAgeMs: -1, failedAgeMs: -1, limit: 100, sessionAgeMs: 86_400_000 };
  return compare([add(job('a')), change('sessions', 'HSET', 'p', damage), change('dedup', 'HSET', 'd', damage), sweep], true);
});

test('a schedule whose count of runs cannot be read goes on', () => {
  const definition = packedOf({ every: 1000 });
  const slot = startedAtMs;
  return compare([
    { verb: 'upsertSchedule', queue: 'q', id: 's', definition, slot }, change('scheduleRuns', 'HSET', 's', damage),
    { verb: 'fireSchedule', queue: 'q', id: 's', definition, slot, nextSlot: slot + 1000, overlap: 'skip', name: 'tick', runs: [{ id: 'r', record: recordOf('tick', 1), priority: 0, facts: '' }] },
  ], true);
});

test('a dead letter whose outcome cannot be read is moved, and its neighbours with it', () => {
  const dead = (id: string): Call[] => [change('failed', 'ZADD', 1, id), change('wait', 'ZREM', id), change('outcome', 'HSET', id, damage)];
  const item = (id: string): { id: string; lease: string; attemptsMade: number; attempt: string; outcome: string } => ({ id, lease: '', attemptsMade: 1, attempt: '', outcome: '' });
  return compare([add(job('a'), job('b')), ...dead('a'), ...dead('b'), { verb: 'transfer', queue: 'q', target: 'd', direction: 'bury', items: [item('a'), item('b')] }], true);
});

test('a ttl that is extended for a job that has ended still ends', () => {
  const rule = { id: 'd', ttlMs: 60_000, extend: false, replace: false, keepLast: false, reschedule: false };
  const facts = packedOf({ de: 'd' });
  return compare([
    add(job('a', { rule, facts })), take(), settle([{ id: 'a', lease: `w|${startedAtMs + 1000}`, end: { kind: 'kept', outcome: '' } }]),
    add(job('b', { rule: { ...rule, extend: true, keepLast: true }, facts })), add(job('c', { rule, facts })),
  ]);
});

test.each(allScenes)('$name', (scene) => playScene(bench, scene));

test('every session of a day ago is swept in the end, however many there are', async () => {
  const { rounds, left, cursor } = await sweepManySessions(bench);
  expect(rounds).toBeGreaterThan(2);
  expect({ left, cursor }).toEqual({ left: 0, cursor: false });
});
