import type { Call, CallOf, EndedJob, NewJob } from '../machine/calls.js';
import { recordOf } from './player.js';

// Calls by hand, for runs whose steps are known.

export function job(id: string, more: Partial<NewJob> = {}): NewJob {
  return { id, name: 'job', record: recordOf('job', id), delayMs: 0, priority: 0, lifo: false, facts: '', ...more };
}

let calls = 0;
export const add = (...jobs: NewJob[]): Call => ({ verb: 'enqueue', queue: 'q', session: `p${++calls}`, seq: 1, form: 'special', attended: false, jobs });
const settling = (): CallOf<'settle'> => ({
  verb: 'settle', queue: 'q', session: `w${++calls}`, seq: 1, items: [], token: 'w', wanted: 0, leaseMs: 3_600_000, max: 0, durationMs: 0, keepCompleted: -1, keepFailed: -1,
  woken: false, prefetch: 0, minutes: 0,
});
export const take = (queue = 'q', wanted = 3, leaseMs = 3_600_000): Call => ({ ...settling(), queue, wanted, leaseMs });
export const settle = (items: EndedJob[]): Call => ({ ...settling(), items });
export const child = (id: string): { prefix: string; queue: string; id: string; key: string } => ({ prefix: 'm', queue: 'q', id, key: `m:q:${id}` });
export const plant = (id: string, ...children: string[]): Call =>
  ({ verb: 'plant', queue: 'q', parents: [{ id, name: 'flow', record: recordOf('flow', id), facts: '', children: children.map(child) }] });
export const giveBack = (id: string): Call =>
  ({ verb: 'transfer', queue: 'q', target: 'd', direction: 'return', items: [{ id, lease: '', attemptsMade: 1, attempt: '', outcome: '' }] });
export const change = (key: string, command: string, ...args: (string | number)[]): Call => ({ verb: 'plain', queue: 'q', key, command, args });
export const jobs = (count: number, from = 0): NewJob[] => Array.from({ length: count }, (_, i) => job(`j${1000 + from + i}`));
export const recover = (leaseMs: number): Call => ({ verb: 'recover', queue: 'q', maxStalledCount: 1, limit: 100, keepFailed: -1, leaseMs });
