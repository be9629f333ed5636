import type { BookEntry, ChildKind, Columns } from './columns.js';

/** How many children of a parent are in each condition. */
export type Tally = Record<ChildKind, number>;

const kinds: readonly ChildKind[] = ['open', 'failing', 'completed', 'ignored', 'failed'];

export function tallyOf({ pending }: Columns, id: string): Tally | undefined {
  const text = pending.get(id) ?? '';
  if (!/^\d+( \d+){4}$/.test(text)) return undefined;
  const counts = text.split(' ').map(Number);
  return Object.fromEntries(kinds.map((kind, i) => [kind, counts[i] ?? 0])) as Tally;
}

export function keepTally({ pending }: Columns, id: string, tally: Tally): void {
  pending.set(id, kinds.map((kind) => tally[kind]).join(' '));
}

export const newTally = (): Tally => ({ open: 0, failing: 0, completed: 0, ignored: 0, failed: 0 });

export const awaits = (tally: Tally): boolean => tally.open + tally.failing > 0;

/** Whether a job has children to wait for. */
export function isAwaiting(queue: Columns, id: string): boolean {
  const tally = tallyOf(queue, id);
  return tally !== undefined && awaits(tally);
}

/** What the books of a parent say of a child; undefined also when it cannot be read. */
export function entryOf({ children }: Columns, parent: string, child: string): BookEntry | undefined {
  const entry = children.get(parent)?.get(child);
  return typeof entry === 'string' ? undefined : entry;
}
