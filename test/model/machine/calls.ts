import type { Bytes } from '../wire/message-pack.js';
import type { StateSet } from '../../../src/core/states.js';

/** One call of a session. */
export interface Numbered {
  session: string;
  seq: number;
}

export interface NewJob {
  id: string;
  name: string;
  record: Bytes;
  delayMs: number;
  priority: number;
  lifo: boolean;
  /** Packed, or ''. */
  facts: Bytes;
  rule?: { id: string; ttlMs: number; extend: boolean; replace: boolean; keepLast: boolean; reschedule: boolean };
}

/** How a job ends. */
export type End =
  | { kind: 'forgotten' | 'kept'; outcome: Bytes }
  | { kind: 'keptFor'; outcome: Bytes; ageMs: number }
  | { kind: 'failed'; outcome: Bytes; attemptsMade: number; attempt: Bytes; ageMs?: number; exhausted: boolean }
  | { kind: 'retried'; delayMs: number; attemptsMade: number; attempt: Bytes; lifo: boolean }
  | { kind: 'givenBack' }
  | { kind: 'delayed'; dueAt: number };

export interface EndedJob {
  id: string;
  lease: string;
  end: End;
  /** The caller knows that it is a child of this job of the same queue. */
  parent?: string;
}

export interface Parent {
  prefix: string;
  queue: string;
  id: string;
}

export interface Child extends Parent {
  /** Its name in all of Redis. */
  key: string;
}

export interface News {
  childKey: string;
  ending: 'completed' | 'failed' | 'retried' | 'removed' | 'lost';
  policy: string;
  stamp: number;
  outcome: Bytes;
}

interface Bodies {
  /** `plain` and `fresh`: under new ids that ascend; `plain` without anything particular, and handed over if `leaseMs` is given and nothing is in the way. */
  enqueue: Numbered & { form: 'plain' | 'fresh' | 'special'; attended: boolean; leaseMs?: number; jobs: NewJob[] };
  settle: Numbered & {
    items: EndedJob[]; token: string; wanted: number; leaseMs: number; max: number; durationMs: number;
    keepCompleted: number; keepFailed: number; woken: boolean; prefetch: number; minutes: number;
  };
  takeFirst: Numbered & { leaseMs: number; asked: boolean };
  renew: { leaseMs: number; leases: { id: string; lease: string }[] };
  recover: { maxStalledCount: number; limit: number; keepFailed: number; leaseMs: number };
  promote: Numbered & { limit: number; everything: boolean; ids?: string[] };
  pause: { paused: boolean };
  remove: Numbered & { ids: string[]; only: 'childless' | 'unfinished' | '' };
  reschedule: { id: string; delayMs: number };
  reprioritize: { id: string; priority: number; lifo: boolean };
  clean: Numbered & { set: StateSet; limit: number; till: string; from: string; event: string };
  redrive: Numbered & { set: 'completed' | 'failed'; limit: number; till: string; ids?: string[]; resetAttempts: boolean; resetStarted: boolean };
  transfer: {
    target: string; direction: 'bury' | 'return';
    items: { id: string; lease: string; attemptsMade: number; attempt: Bytes; outcome: Bytes }[];
  };
  sweep: { completedAgeMs: number; failedAgeMs: number; limit: number; sessionAgeMs: number };
  plant: { parents: { id: string; name: string; record: Bytes; facts: Bytes; children: Child[] }[] };
  adopt: { parent: Parent; policy: string; ids: string[] };
  receive: { mail: { parent: string; news: News[] }[] };
  acknowledge: { letters: { id: string; letter: Bytes }[] };
  awaitChildren: { id: string; lease: string; child: string };
  inquire: { parent: Parent; children: { id: string; kind: 'open' | 'failing'; stamp: number }[] };
  forgetChildren: { ids: string[] };
  upsertSchedule: { id: string; definition: Bytes; slot: number; trace?: string };
  fireSchedule: {
    id: string; definition: Bytes; slot: number; nextSlot: number; overlap: 'allow' | 'skip'; name: string;
    runs: { id: string; record: Bytes; priority: number; facts: Bytes }[];
  };
  removeSchedule: Numbered & { id: string };
  reportProgress: { id: string; progress: Bytes };
  appendLog: Numbered & { id: string; row: Bytes; keep: number };
  updateData: { id: string; record: Bytes };
  publishEvents: Numbered & { count: number; custom: Bytes; maxEvents: number };
  fetch: { ids: string[] };
  counts: object;
  inspectEvents: object;
  /** A plain command on one key of the queue: what clients do without a script, and damage. */
  plain: { key: string; command: string; args: (string | number)[] };
}

export type Verb = keyof Bodies;
export type CallOf<V extends Verb> = { verb: V; queue: string } & Bodies[V];
/** What is sent to Redis, unpacked: plain data that can be sent again, and saved. */
export type Call = { [V in Verb]: CallOf<V> }[Verb];
