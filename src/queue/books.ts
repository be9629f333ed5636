import { readFirst, unpack } from '../core/codec.js';
import { DroverError } from '../core/errors.js';
import { asOutcome } from '../core/job-record.js';
import { printable } from '../core/nearest.js';
import { list, text, bytes, type RawReply } from '../redis/script.js';
import { forgetChildren } from '../redis/scripts/forget-children.js';
import type { ChildEntry } from '../redis/scripts/plant.js';
import type { JobStore } from './job-store.js';

/**
 * What is known of a child to its parent. `open`: it has not ended. `failing`: it failed, and its parent waits on.
 * `failed`: it failed, and its parent with it. `ignored`: it failed, and its parent goes on all the same.
 */
export type ChildKind = 'open' | 'failing' | 'completed' | 'ignored' | 'failed';

/** An entry in the books of a parent. */
export interface BookEntry extends ChildEntry {
  /** `prefix:queue:id`. */
  key: string;
  kind: ChildKind;
  /** The stamp of the last letter that counted. */
  stamp: number;
  /** The packed outcome; empty when there is none. */
  outcome: Buffer;
}

/** How many children of a parent are in which condition. */
export type ChildTally = Record<ChildKind, number>;

/** Part of the books: ask for the next with `cursor`, until it is 0. */
export interface BookPage {
  cursor: number;
  entries: BookEntry[];
}

const mostPerPage = 1000;

/** Reads about `count` entries, at most 1,000. An entry may come twice while the books change. */
export async function readPage({ connection, keys }: JobStore, parent: string, cursor: number, count: number): Promise<BookPage> {
  const size = Math.min(Math.max(1, count), mostPerPage);
  const [next, flat] = list(await connection.command('hscan', [keys.children(parent), cursor, 'COUNT', size], 'read the children of a job'));
  const fields = list(flat);
  const entries: BookEntry[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) entries.push(readEntry(text(fields[i]), bytes(fields[i + 1]) ?? Buffer.alloc(0)));
  return { cursor: Number(text(next)), entries };
}

/** Every entry, page by page. */
export async function* everyChild(jobs: JobStore, parent: string): AsyncGenerator<BookEntry[]> {
  let cursor = 0;
  do {
    const page = await readPage(jobs, parent, cursor, mostPerPage);
    if (page.entries.length > 0) yield page.entries;
    cursor = page.cursor;
  } while (cursor !== 0);
}

type StoredEntry = [kind: ChildKind, prefixLength: number, queueLength: number, stamp: number];

const childKinds: readonly unknown[] = ['open', 'failing', 'completed', 'ignored', 'failed'] satisfies ChildKind[];

function isEntry(value: unknown): value is StoredEntry {
  return Array.isArray(value) && value.length === 4 && childKinds.includes(value[0]) && value.slice(1).every((part) => typeof part === 'number');
}

function readEntry(key: string, packed: Buffer): BookEntry {
  const { value, end } = readFirst(packed);
  if (!isEntry(value)) throw new DroverError('CORRUPT_DATA', { message: `What is known of the child ${printable(key)} cannot be read.` });
  const [kind, prefixLength, queueLength, stamp] = value;
  const queueAt = prefixLength + 1;
  const idAt = queueAt + queueLength + 1;
  return {
    key, kind, stamp, prefix: key.slice(0, prefixLength), queue: key.slice(queueAt, idAt - 1), id: key.slice(idAt),
    outcome: packed.subarray(end),
  };
}

/** The result of a child that completed, or the reason of one that failed. */
export function valueOf({ outcome }: BookEntry): unknown {
  return outcome.length === 0 ? undefined : asOutcome(unpack(outcome)).value;
}

/** Counts the children of a job; undefined when it never had any. */
export async function tallyOf({ connection, keys }: JobStore, parent: string): Promise<ChildTally | undefined> {
  const [counts] = await talliesOf({ connection, keys }, [parent]);
  return counts;
}

/** The same for several jobs of a queue. */
export async function talliesOf({ connection, keys }: Pick<JobStore, 'connection' | 'keys'>, ids: readonly string[]): Promise<(ChildTally | undefined)[]> {
  const counts = list(await connection.command('hmget', [keys.key('pending'), ...ids], 'count children'));
  return counts.map(readTally);
}

function readTally(raw: RawReply): ChildTally | undefined {
  if (raw === null) return undefined;
  const counts = text(raw).split(' ').map(Number);
  if (counts.length !== childKinds.length || counts.some(Number.isNaN)) throw new DroverError('CORRUPT_DATA', { message: 'What is known of the children of a job cannot be read.' });
  const [open = 0, failing = 0, completed = 0, ignored = 0, failed = 0] = counts;
  return { open, failing, completed, ignored, failed };
}

/** Removes the books of parents that have been forgotten, up to 100; answers how many there were. */
export async function forgetOrphans({ connection, keys }: JobStore): Promise<number> {
  const ids = list(await connection.command('srandmember', [keys.key('orphans'), 100], 'list forgotten parents')).map(text);
  if (ids.length > 0) await connection.run(forgetChildren, keys, { ids });
  return ids.length;
}
