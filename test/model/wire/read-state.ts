import { emptyColumns, type Attempt, type BookEntry, type ChildKind, type Columns, type Deduplication, type LastCall } from '../machine/columns.js';
import { unpackedFacts } from '../machine/turn.js';
import { readPacked, unpacked, type Bytes, type Packed } from './message-pack.js';

const base = /^\{m:([^}]*)\}:(.*)$/s;

/** Reads what the harness says of the database: the columns of every queue that has any. */
export function readState(sizes: string, pieces: Bytes): Map<string, Columns> {
  const queues = new Map<string, Columns>();
  const parts = divided(sizes, pieces);
  for (let at = 0; at < parts.length;) {
    const [key = '', kind = '', length = ''] = parts.slice(at, at + 3);
    const content = parts.slice(at + 3, at + 3 + Number(length));
    at += 3 + Number(length);
    const [, queue = '', name = key] = base.exec(key) ?? [];
    const columns = queues.get(queue) ?? emptyColumns();
    queues.set(queue, columns);
    readKey(columns, name, kind, content);
  }
  return queues;
}

function divided(sizes: string, pieces: Bytes): Bytes[] {
  if (sizes === '') return [];
  let from = 0;
  return sizes.split(' ').map((size) => pieces.slice(from, (from += Number(size))));
}

const readers: Record<string, (value: Bytes) => unknown> = {
  state: unpackedFacts, history: readHistory, logs: readLog, sessions: readSession, dedup: readDedup,
  scheduleRuns: (value) => unpacked(value) ?? value,
};

function readKey(columns: Columns, name: string, kind: string, content: Bytes[]): void {
  if (name === 'orphans' && kind === 'set') columns.orphans = new Set(content);
  else if (name === 'rate' && kind === 'list') columns.rate = content;
  else if (name === 'events' && kind === 'stream') columns.events = { length: Number(content[0]), last: readEvent(content.slice(1)) };
  else if (name.startsWith('children:') && kind === 'hash') columns.children.set(name.slice('children:'.length), readPairs(content, readBookEntry));
  else if (kind === 'zset' && scored.has(name)) Object.assign(columns, { [name]: readPairs(content, readScore) });
  else if (kind === 'hash' && hashes.has(name)) {
    const fields = readPairs<unknown>(content, cached(name, readers[name]));
    if (name === 'run') {
      // Not a job: it keeps Redis from a slow encoding.
      const wide = fields.get('');
      columns.wide = typeof wide === 'string' ? wide : '';
      fields.delete('');
    }
    Object.assign(columns, { [name]: fields });
  } else columns.strangers.push(`${name}: ${kind}`);
}

const scored = new Set(['wait', 'delayed', 'active', 'parents', 'completed', 'failed', 'expire', 'schedules', 'marker']);
const hashes = new Set(['meta', 'job', 'run', 'state', 'outcome', 'history', 'progress', 'logs', 'sessions', 'dedup', 'outbox', 'pending', 'schedule', 'scheduleRuns', 'metrics']);

function readPairs<Value>(content: readonly Bytes[], read: (value: Bytes) => Value): Map<string, Value> {
  const fields = new Map<string, Value>();
  for (let i = 0; i + 1 < content.length; i += 2) fields.set(content[i] ?? '', read(content[i + 1] ?? ''));
  return fields;
}

const readScore = (text: Bytes): number => (text === 'inf' ? Infinity : text === '-inf' ? -Infinity : Number(text));

/** Most values are the same from one call to the next. */
function cached(name: string, read: ((value: Bytes) => unknown) | undefined): (value: Bytes) => unknown {
  if (!read) return (value) => value;
  const cache = caches.get(name) ?? new Map<Bytes, unknown>();
  caches.set(name, cache);
  return (value) => {
    if (cache.size > 5_000) cache.clear();
    let known = cache.get(value);
    if (known === undefined) cache.set(value, (known = read(value)));
    return known;
  };
}

const caches = new Map<string, Map<Bytes, unknown>>();

export function readHistory(value: Bytes): Attempt[] {
  const attempts: Attempt[] = [];
  let at = 0;
  if (value.startsWith(damage)) {
    attempts.push(damage);
    at = damage.length;
  }
  while (at < value.length) {
    const time = readPacked(value, at);
    const report = readPacked(value, time.end);
    attempts.push([Number(time.value), report.value]);
    at = report.end;
  }
  return attempts;
}

/** What the model writes where something else is expected: no MessagePack begins like that. */
export const damage = '\xc1damage';

function readLog(value: Bytes): Bytes[] {
  const rows: Bytes[] = value.startsWith(damage, 4) ? [damage] : [];
  for (let at = 4 + rows.join('').length; at < value.length;) {
    const { end } = readPacked(value, at);
    rows.push(value.slice(at, end));
    at = end;
  }
  const count = Buffer.from(value.slice(0, 4), 'latin1').readUInt32BE();
  return count === rows.length ? rows : [`${count} rows`, ...rows];
}

function readSession(value: Bytes): LastCall | Bytes {
  const last = unpacked(value);
  if (!Array.isArray(last)) return value;
  const [seq, at, reply = null] = last;
  return { seq: Number(seq), at: Number(at), reply };
}

function readDedup(value: Bytes): Deduplication | Bytes {
  const entry = unpacked(value);
  return typeof entry === 'object' && entry !== null && 'id' in entry ? (entry as unknown as Deduplication) : value;
}

function readBookEntry(value: Bytes): BookEntry | Bytes {
  try {
    const { value: entry, end } = readPacked(value);
    const [kind, prefixLength, queueLength, stamp] = entry as [ChildKind, number, number, number];
    return { kind, prefixLength, queueLength, stamp, outcome: value.slice(end) };
  } catch {
    return value;
  }
}

function readEvent(fields: readonly Bytes[]): Packed {
  if (fields.length === 0) return null;
  return Object.fromEntries([...readPairs(fields, (value) => value)].map(([field, value]) =>
    [field, field === 'moved' && value !== '' ? (unpacked(value) ?? value) : value]));
}
