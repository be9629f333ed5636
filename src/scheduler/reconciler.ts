import { readPage, talliesOf, type BookEntry } from '../queue/books.js';
import type { JobStore } from '../queue/job-store.js';
import { Courier } from '../queue/courier.js';
import { QueueKeys } from '../redis/keys.js';
import { list, text } from '../redis/script.js';
import { inquire } from '../redis/scripts/inquire.js';
import { newsOf, receive, type ParentMail } from '../redis/scripts/receive.js';

/** A child that was missing when it was last asked after. */
interface Suspect {
  parent: string;
  entry: BookEntry;
  /** When it was first missed: local clock, ms. */
  since: number;
}

/** How many children one step asks after, and how many parents it looks at. */
const mostChildren = 1000;
const mostParents = 100;
const mostSuspects = 10_000;

/** How long a child may be missing before it is given up. */
export const defaultGraceMs = 60_000;

/**
 * Sees to it that no parent waits for ever. It asks after the children of parents that have waited for a while:
 *
 * 1. A child that has ended, but whose letter was lost (a failover of its parent's server), writes anew.
 * 2. A child that nobody knows in two looks at least `graceMs` apart was never added (its producer stopped half-way) or
 *    was lost with its server: its parent fails, and says which child is missing. To run it with some of its children
 *    would be worse: nobody was ever promised that. If the child is known to have failed and was swept since, the parent
 *    goes on without it.
 * 3. A parent that nothing keeps goes on.
 *
 * Each step is bounded; it goes on where the one before stopped. What it remembers is its own: any number of workers may
 * do the same.
 */
export class Reconciler {
  readonly #jobs: JobStore;
  readonly #graceMs: number;
  readonly #suspects = new Map<string, Suspect>();
  #parentsCursor = '0';
  #parents: string[] = [];
  #booksCursor = 0;

  constructor(jobs: JobStore, graceMs = defaultGraceMs) {
    this.#jobs = jobs;
    this.#graceMs = graceMs;
  }

  /** Does a bounded part of the round; answers whether the round is complete. */
  async step(): Promise<boolean> {
    await this.#giveUp();
    if (this.#parents.length === 0) await this.#nextParents();
    for (let budget = mostChildren; budget > 0 && this.#parents.length > 0;) budget -= await this.#look();
    return this.#parents.length === 0 && this.#parentsCursor === '0';
  }

  /** Finds parents that have waited longer than the grace. */
  async #nextParents(): Promise<void> {
    const { connection, keys } = this.#jobs;
    const [next, page] = list(await connection.command('zscan', [keys.key('parents'), this.#parentsCursor, 'COUNT', mostParents], 'look for waiting parents'));
    const fields = list(page).map(text);
    const bound = connection.now - this.#graceMs;
    this.#parentsCursor = text(next);
    this.#parents = fields.filter((_, i) => i % 2 === 0 && Number(fields[i + 1]) <= bound);
    this.#booksCursor = 0;
    await this.#nudge();
  }

  /** Parents that nothing keeps go on. */
  async #nudge(): Promise<void> {
    const tallies = this.#parents.length > 0 ? await talliesOf(this.#jobs, this.#parents) : [];
    const free = this.#parents.filter((_, i) => !tallies[i] || tallies[i].open + tallies[i].failing === 0);
    this.#parents = this.#parents.filter((parent) => !free.includes(parent));
    if (free.length > 0) await this.#tell(free.map((parent) => ({ parent, news: [] })));
  }

  /** Asks after a page of the children of one parent; answers how many entries that were. */
  async #look(): Promise<number> {
    const [parent = ''] = this.#parents;
    const { cursor, entries } = await readPage(this.#jobs, parent, this.#booksCursor, mostChildren);
    this.#booksCursor = cursor;
    if (cursor === 0) this.#parents.shift();
    const awaited = entries.filter(({ kind }) => kind === 'open' || kind === 'failing');
    const since = performance.now();
    for (const entry of await this.#missing(parent, awaited)) {
      if (this.#suspects.size < mostSuspects && !this.#suspects.has(keyOf(parent, entry))) this.#suspects.set(keyOf(parent, entry), { parent, entry, since });
    }
    return Math.max(1, entries.length);
  }

  /** Which of these children their queues know nothing of. */
  async #missing(parent: string, entries: readonly BookEntry[]): Promise<BookEntry[]> {
    const { connection, keys } = this.#jobs;
    const ref = { prefix: keys.prefix, queue: keys.queue, id: parent };
    const missing: BookEntry[] = [];
    for (const [target, group] of byQueue(entries)) {
      const children = group.map(({ id, kind, stamp }) => ({ id, kind: kind === 'open' ? 'open' as const : 'failing' as const, stamp }));
      const { present, letters } = await connection.run(inquire, target, { parent: ref, children });
      await new Courier(connection, target).deliver(letters);
      missing.push(...group.filter((_, i) => !present[i]));
    }
    return missing;
  }

  /** Looks again at those that have been missing for long enough. */
  async #giveUp(): Promise<void> {
    const due = performance.now() - this.#graceMs;
    const ripe = [...this.#suspects.values()].filter(({ since }) => since <= due).slice(0, mostChildren);
    const byParent = new Map<string, BookEntry[]>();
    for (const { parent, entry } of ripe) byParent.set(parent, [...(byParent.get(parent) ?? []), entry]);
    for (const [parent, entries] of byParent) {
      const missing = await this.#missing(parent, entries);
      for (const entry of entries) this.#suspects.delete(keyOf(parent, entry));
      await this.#tell([{ parent, news: missing.length > 0 ? [newsOf('lost', missing.map(({ key }) => key))] : [] }]);
    }
  }

  async #tell(mail: ParentMail[]): Promise<void> {
    const { connection, keys } = this.#jobs;
    await connection.run(receive, keys, { mail });
  }
}

const keyOf = (parent: string, { key }: BookEntry): string => `${parent}\n${key}`;

function byQueue(entries: readonly BookEntry[]): [QueueKeys, BookEntry[]][] {
  const groups = new Map<string, [QueueKeys, BookEntry[]]>();
  for (const entry of entries) {
    const name = `${entry.prefix}\n${entry.queue}`;
    const group = groups.get(name);
    if (group) group[1].push(entry);
    else groups.set(name, [new QueueKeys(entry.prefix, entry.queue), [entry]]);
  }
  return [...groups.values()];
}
