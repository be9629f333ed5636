import type { Bytes, Packed } from '../wire/message-pack.js';

/** Members by score. */
export type Scores = Map<string, number>;
/** The facts of a job, or what else lies in their place. */
export type Facts = { [field: string]: Packed };

export interface LastCall {
  seq: number;
  at: number;
  /** As it is stored. */
  reply: Packed;
}

export interface Deduplication {
  id: string;
  till: number;
  /** [id, record, facts, priority, delayMs, lifo] */
  last?: [string, Bytes, Bytes, number, number, number];
}

export type ChildKind = 'open' | 'failing' | 'completed' | 'ignored' | 'failed';

/** What the books of a parent say of one child. */
export interface BookEntry {
  kind: ChildKind;
  prefixLength: number;
  queueLength: number;
  stamp: number;
  outcome: Bytes;
}

/** An attempt in a history: when, and what the worker reported. Text is what something else wrote there. */
export type Attempt = [at: number, report: Packed] | Bytes;

/** Everything that Redis holds of one queue. Text where a value is expected is damage. */
export interface Columns {
  meta: Map<string, string>;
  job: Map<string, Bytes>;
  wait: Scores;
  delayed: Scores;
  active: Scores;
  parents: Scores;
  completed: Scores;
  failed: Scores;
  run: Map<string, string>;
  /** What keeps `run` from the encoding in which every lookup is a scan; '' when it was never needed. */
  wide: string;
  state: Map<string, Facts | Bytes>;
  outcome: Map<string, Bytes>;
  history: Map<string, Attempt[]>;
  progress: Map<string, Bytes>;
  logs: Map<string, Bytes[]>;
  expire: Scores;
  sessions: Map<string, LastCall | Bytes>;
  dedup: Map<string, Deduplication | Bytes>;
  outbox: Map<string, Bytes>;
  pending: Map<string, string>;
  orphans: Set<string>;
  marker: Scores;
  rate: string[];
  schedules: Scores;
  schedule: Map<string, Bytes>;
  scheduleRuns: Map<string, Packed>;
  metrics: Map<string, string>;
  /** How many events there are, and the last one. */
  events: { length: number; last: Packed };
  /** The books: per parent, what is known of its children. */
  children: Map<string, Map<string, BookEntry | Bytes>>;
  /** Keys that belong to no queue. */
  strangers: string[];
}

export function emptyColumns(): Columns {
  const scores = (): Scores => new Map();
  return {
    meta: new Map(), job: new Map(), wait: scores(), delayed: scores(), active: scores(), parents: scores(), completed: scores(),
    failed: scores(), run: new Map(), wide: '', state: new Map(), outcome: new Map(), history: new Map(), progress: new Map(), logs: new Map(),
    expire: scores(), sessions: new Map(), dedup: new Map(), outbox: new Map(), pending: new Map(), orphans: new Set(), marker: scores(),
    rate: [], schedules: scores(), schedule: new Map(), scheduleRuns: new Map(), metrics: new Map(),
    events: { length: 0, last: null }, children: new Map(), strangers: [],
  };
}

/** The members in Redis's order, from `low` to `high` inclusive. */
export function ordered(set: Scores, low = -Infinity, high = Infinity): string[] {
  return [...set].filter(([, score]) => score >= low && score <= high)
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1)).map(([id]) => id);
}

/** The lowest score, or 0 when the set is empty. */
export function lowest(set: Scores): number {
  const [first] = ordered(set);
  return first === undefined ? 0 : (set.get(first) ?? 0);
}

export const isFirst = (set: Scores, id: string): boolean => ordered(set)[0] === id;

/** The facts of a job; none if they cannot be read. */
export function factsOf(queue: Columns, id: string): Facts {
  const known = queue.state.get(id);
  if (known === undefined || typeof known === 'string') return {};
  return Object.fromEntries(Object.entries(structuredClone(known)).filter(([field, value]) => isFact(field, value)));
}

const counts = new Set(['am', 'as', 'sc', 'pr', 'pd', 'mv', 'rd']);
const texts = new Set(['de', 'po', 'df', 'rj']);
const lists = new Map([['pk', 3], ['dl', 5]]);

/** What something else wrote in the place of a fact is none. */
function isFact(field: string, value: Packed): boolean {
  if (counts.has(field)) return isCount(field, value);
  if (texts.has(field)) return typeof value === 'string';
  return !lists.has(field) || (Array.isArray(value) && value.length === lists.get(field));
}

/** Counts that something else wrote are none. */
function isCount(field: string, value: Packed): boolean {
  return typeof value === 'number' && value >= 0 && value < (field === 'pr' ? 2 ** 21 : 2 ** 53);
}

/** Stores facts; those that are null are left out. */
export function remember(queue: Columns, id: string, facts: Facts): void {
  const left = Object.entries(facts).filter(([, value]) => value !== null);
  if (left.length === 0) queue.state.delete(id);
  else queue.state.set(id, Object.fromEntries(left));
}

export const numberIn = (facts: Facts, field: string): number => Number(facts[field] ?? 0);
