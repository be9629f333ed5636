import type { CallOf } from './calls.js';
import { emptyColumns, type Columns } from './columns.js';
import { unpackedFacts, type Turn } from './turn.js';

type Column = Map<string, unknown> | Set<string>;

/** A plain command on one key: the settings of a queue, the pop of a marker, or damage. */
export function plainCommand({ queue }: Turn, { key, command, args }: CallOf<'plain'>): undefined {
  if (command === 'DEL') remove(queue, key);
  else if (command === 'RPUSH') queue.rate.push(...args.map(String));
  else if (key.startsWith('children:')) changeBooks(queue, key.slice('children:'.length), command, args);
  else change(queue[key as keyof Columns] as Column, key, command, args);
  return undefined;
}

function remove(queue: Columns, key: string): void {
  if (key.startsWith('children:')) queue.children.delete(key.slice('children:'.length));
  else Object.assign(queue, { [key]: emptyColumns()[key as keyof Columns], ...(key === 'run' && { wide: '' }) });
}

function changeBooks(queue: Columns, parent: string, command: string, args: readonly (string | number)[]): void {
  const books = queue.children.get(parent);
  if (!books) return;
  change(books, 'books', command, args);
  if (books.size === 0) queue.children.delete(parent);
}

function change(column: Column, key: string, command: string, args: readonly (string | number)[]): void {
  const [first = '', second = ''] = args;
  if (command === 'HDEL' || command === 'ZREM') for (const field of args) column.delete(String(field));
  else if (command === 'ZPOPMIN' && column instanceof Map) column.clear();
  else if (column instanceof Map && command === 'ZADD') column.set(String(second), Number(first));
  else if (column instanceof Map && command === 'HSET') {
    for (let i = 0; i + 1 < args.length; i += 2) column.set(String(args[i]), stored(key, String(args[i + 1])));
  }
}

/** A text as it is read from a column. */
function stored(key: string, value: string): unknown {
  if (key === 'history') return [value];
  // Behind the number of rows.
  if (key === 'logs') return [value.slice(4)];
  return key === 'state' ? unpackedFacts(value) : value;
}
