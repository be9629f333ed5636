import type { Call } from './machine/calls.js';
import { add, change, jobs, recover, take } from './play/calls-by-hand.js';
import type { Scene } from './scenarios.js';

// What takes many jobs at once, or a clock that is set back under their leases. The clock is a second later at every call.

type Named = Scene & { name: string };

const startedAtMs = 1_700_000_000_000;
const lease = (call: number): string => `w|${startedAtMs + call * 1000}`;
const renew = (id: string, call: number, leaseMs: number): Call => ({ verb: 'renew', queue: 'q', leaseMs, leases: [{ id, lease: lease(call) }] });
const hourMs = 3_600_000;

export const clockScenes: readonly Named[] = [
  {
    name: 'leases of a clock that was hours ahead come back with it, and run out', damaged: false, setBack: { before: 4, byMs: 2 * hourMs },
    calls: [
      add(...jobs(3)), take('q', 1, 5000), take('q', 1, hourMs), renew('j1001', 2, hourMs), recover(0), recover(1000), recover(1000),
      ...Array.from({ length: 12 }, () => recover(1000)),
    ],
  },
  {
    name: 'a lease that was renewed since the clock was set back is left alone', damaged: false, setBack: { before: 2, byMs: hourMs },
    calls: [add(...jobs(2)), take('q', 2, 5000), renew('j1000', 1, 30_000), recover(1000)],
  },
  // Ten leases of a second ahead of the recovery, to the millisecond.
  { name: 'a lease exactly ten leases ahead is none of a clock set back', damaged: false, setBack: { before: 2, byMs: 11_000 }, calls: [add(...jobs(1)), take('q', 1, 5000), recover(1000)] },
  { name: 'a lease a little more ahead is one', damaged: false, setBack: { before: 2, byMs: 11_001 }, calls: [add(...jobs(1)), take('q', 1, 5000), recover(1000)] },
  { name: 'a lease that ended as it began is left alone', damaged: false, setBack: { before: 2, byMs: hourMs }, calls: [add(...jobs(1)), take('q', 1, 0), recover(1000)] },
  { name: 'one of the latest twenty tells of all', damaged: false, setBack: { before: 2, byMs: hourMs }, calls: [add(...jobs(25)), take('q', 25, 5000), recover(1000)] },
  {
    name: 'behind twenty others nobody looks', damaged: false, setBack: { before: 2, byMs: hourMs },
    calls: [add(...jobs(21)), take('q', 1, 5000), take('q', 20, 2 * hourMs), recover(1000)],
  },
  {
    name: 'before nineteen others it is seen', damaged: false, setBack: { before: 2, byMs: hourMs },
    calls: [add(...jobs(20)), take('q', 1, 5000), take('q', 19, 2 * hourMs), recover(1000)],
  },
  { name: 'a thousand come back at a time', damaged: false, setBack: { before: 3, byMs: hourMs }, calls: [add(...jobs(501)), add(...jobs(500, 501)), take('q', 1001, 5000), recover(1000), recover(1000)] },
  { name: 'nobody is active when the clock is looked at', damaged: false, calls: [recover(1000)] },
  {
    name: 'active jobs without a lease that can be read are left alone', damaged: true, setBack: { before: 2, byMs: hourMs },
    calls: [add(...jobs(4)), take('q', 3, 5000), change('run', 'HDEL', 'j1000'), change('run', 'HSET', 'j1001', 'no lease'), recover(1000)],
  },
];

export const wideScenes: readonly Named[] = [
  {
    name: 'the take that crosses sixteen active jobs makes their keys quick to search', damaged: false,
    calls: [add(...jobs(40)), take('q', 8), take('q', 8), take('q', 8), take('q', 8)],
  },
  { name: 'a small take that crosses them does not', damaged: false, calls: [add(...jobs(30)), take('q', 10), take('q', 7), take('q', 8)] },
  { name: 'a take of seventeen does', damaged: false, calls: [add(...jobs(17)), take('q', 17)] },
  { name: 'a take of more than sixteen after a take of sixteen does', damaged: false, calls: [add(...jobs(33)), take('q', 16), take('q', 17)] },
];
