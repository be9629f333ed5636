import { checkValue, shape, wholeNumber } from '../core/check.js';
import { everyChild, readPage, tallyOf, valueOf, type BookEntry, type ChildKind } from './books.js';
import type { JobStore } from './job-store.js';

/** A page of one kind of children. */
export interface DependencyOpts {
  /** Where the page before ended. Default 0, the beginning. */
  cursor?: number;
  /** About how many to read, from 1; a page may hold more or fewer. Default 20. */
  count?: number;
}

/** The kinds of children to read, each with its page. */
export interface DependenciesOpts {
  processed?: DependencyOpts;
  unprocessed?: DependencyOpts;
  ignored?: DependencyOpts;
  failed?: DependencyOpts;
}

/** Children by job key (`prefix:queue:id`). A cursor of 0 says that its kind is read to the end. */
export interface Dependencies {
  /** Results of children that completed. */
  processed?: Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's type
  nextProcessedCursor?: number;
  /** Children that have not ended. */
  unprocessed?: string[];
  nextUnprocessedCursor?: number;
  /** Reasons of children that failed and are not waited for. */
  ignored?: Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- BullMQ's type
  nextIgnoredCursor?: number;
  /** Children that failed, and either made the job fail or make it wait on. */
  failed?: string[];
  nextFailedCursor?: number;
}

/** How many children there are of each kind. */
export interface DependenciesCount {
  processed?: number;
  unprocessed?: number;
  ignored?: number;
  failed?: number;
}

type Relation = 'processed' | 'unprocessed' | 'ignored' | 'failed';

const kindsOf: Record<Relation, readonly ChildKind[]> = {
  processed: ['completed'], unprocessed: ['open'], ignored: ['ignored'], failed: ['failing', 'failed'],
};

const relations = Object.keys(kindsOf) as Relation[];

/** Values of all children of one kind, by job key. */
export async function valuesOf(jobs: JobStore, parent: string, relation: 'processed' | 'ignored'): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for await (const entries of everyChild(jobs, parent)) Object.assign(values, valuesIn(entries, relation));
  return values;
}

function valuesIn(entries: readonly BookEntry[], relation: Relation): Record<string, unknown> {
  return Object.fromEntries(entries.filter((entry) => isOf(entry, relation)).map((entry) => [entry.key, valueOf(entry)]));
}

function isOf({ kind }: BookEntry, relation: Relation): boolean {
  return kindsOf[relation].includes(kind);
}

const page = shape({ cursor: wholeNumber(0, Number.MAX_SAFE_INTEGER), count: wholeNumber(1, Number.MAX_SAFE_INTEGER) });
const pages = shape({ processed: page, unprocessed: page, ignored: page, failed: page });

/** The children of a job: all of them, or a page of each kind that is asked for. */
export async function dependenciesOf(jobs: JobStore, parent: string, opts: DependenciesOpts): Promise<Dependencies> {
  checkValue(opts, pages, 'opts');
  const asked = relations.filter((relation) => opts[relation] !== undefined);
  if (asked.length === 0) return everyDependency(jobs, parent);
  const found: Dependencies = {};
  await Promise.all(asked.map(async (relation) => {
    const { cursor, entries } = await pageOf(jobs, parent, relation, opts[relation] ?? {});
    put(found, relation, entries);
    found[cursorNames[relation]] = cursor;
  }));
  return found;
}

const cursorNames = {
  processed: 'nextProcessedCursor', unprocessed: 'nextUnprocessedCursor', ignored: 'nextIgnoredCursor', failed: 'nextFailedCursor',
} as const;

async function everyDependency(jobs: JobStore, parent: string): Promise<Dependencies> {
  const all = new Map<string, BookEntry>();
  for await (const entries of everyChild(jobs, parent)) for (const entry of entries) all.set(entry.key, entry);
  const found: Dependencies = {};
  for (const relation of relations) put(found, relation, [...all.values()].filter((entry) => isOf(entry, relation)));
  return found;
}

function put(found: Dependencies, relation: Relation, entries: readonly BookEntry[]): void {
  if (relation === 'processed' || relation === 'ignored') found[relation] = valuesIn(entries, relation);
  else found[relation] = entries.map(({ key }) => key);
}

/** All kinds lie in one hash, so a page may take several reads; rare kinds are looked for in ever larger ones. */
async function pageOf(jobs: JobStore, parent: string, relation: Relation, { cursor = 0, count = 20 }: DependencyOpts): Promise<{ cursor: number; entries: BookEntry[] }> {
  const entries = new Map<string, BookEntry>();
  let size = count;
  let at = cursor;
  do {
    const read = await readPage(jobs, parent, at, size);
    for (const entry of read.entries) if (isOf(entry, relation)) entries.set(entry.key, entry);
    at = read.cursor;
    size = entries.size === 0 ? size * 2 : count;
  } while (at !== 0 && entries.size < count);
  return { cursor: at, entries: [...entries.values()] };
}

/** How many children a job has of each kind that is asked for; of all when none is. */
export async function countDependencies(jobs: JobStore, parent: string, opts: Partial<Record<Relation, boolean>>): Promise<DependenciesCount> {
  const tally = await tallyOf(jobs, parent);
  const asked = relations.filter((relation) => opts[relation]);
  return Object.fromEntries((asked.length > 0 ? asked : relations).map((relation) => {
    const counts = kindsOf[relation].map((kind) => tally?.[kind] ?? 0);
    return [relation, counts.reduce((sum, count) => sum + count, 0)];
  }));
}

/** Children from the `start`-th to the `end`-th (inclusive, -1 for the last), in the order of the books, and how many there are. */
export async function rangeOf(jobs: JobStore, parent: string, relation: 'processed' | 'unprocessed', range: { start: number; end: number }): Promise<{ entries: BookEntry[]; total: number }> {
  const last = range.end < 0 ? Infinity : range.end;
  const counted = await countDependencies(jobs, parent, { [relation]: true });
  const found = new Map<string, BookEntry>();
  for await (const entries of everyChild(jobs, parent)) {
    for (const entry of entries) if (isOf(entry, relation)) found.set(entry.key, entry);
    if (found.size > last) break;
  }
  return { entries: [...found.values()].slice(range.start, last + 1), total: counted[relation] ?? 0 };
}
