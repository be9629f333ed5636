import { unpack, unpackAll } from '../core/codec.js';
import { DroverError } from '../core/errors.js';
import { asOutcome, isMap, reasonOf } from '../core/job-record.js';
import type { JobProgress } from '../queue/job.js';
import type { OtherEvent, QueueEvent } from './event-types.js';
import { readNotes, type NoteValue } from './note-reader.js';

/** One entry of the stream as Redis answers it: fields and values in turns. */
export interface StreamEntry {
  id: string;
  fields: readonly Buffer[];
}

export type DecodedEvent = QueueEvent | OtherEvent;

/**
 * The events of one entry, in the order in which they happened. An entry is what one script call changed; its parts:
 *
 * - `added`, `names`: ids of new waiting jobs, and the names of all new jobs (one if all are the same), one a line
 * - `done`, `results`: ids of completed jobs, one a line, and their packed outcomes in a row
 * - `moved`: everything else, a list of [kind, id, …]
 * - `active`: ids of jobs that were handed out, one a line
 * - `custom`: what a QueueEventsProducer published, packed [name, args] in a row
 *
 * Throws CORRUPT_DATA, with the entry's id, when it is anything else.
 */
export function decodeEntry(entry: StreamEntry): DecodedEvent[] {
  try {
    return decodeFields(fieldsOf(entry));
  } catch (cause) {
    throw new DroverError('CORRUPT_DATA', { message: `Entry ${entry.id} of the event stream cannot be read.`, cause });
  }
}

type Fields = Map<string, Buffer>;

function fieldsOf({ fields }: StreamEntry): Fields {
  const found: Fields = new Map();
  for (let i = 0; i + 1 < fields.length; i += 2) found.set(fields[i]?.toString() ?? '', fields[i + 1] ?? Buffer.alloc(0));
  return found;
}

/** The parts of an entry that say what happened; the others belong to one of these. */
const parts: Record<string, (value: Buffer, fields: Fields, names: Names) => DecodedEvent[]> = {
  added: (value, _fields, names) => ids(value).flatMap((jobId) => [addedEvent(jobId, names.next()), { event: 'waiting', args: { jobId } }]),
  done: (value, fields) => completions(ids(value), fields.get('results')),
  moved: (value, fields, names) => moves(value, fields.has('added') ? names : undefined),
  active: (value) => ids(value).map((jobId) => ({ event: 'active', args: { jobId, prev: 'waiting' } })),
  custom: (value) => unpackAll(value).map(customEvent),
};

function decodeFields(fields: Fields): DecodedEvent[] {
  const names = new Names(fields.get('names'));
  const events: DecodedEvent[] = [];
  let known = 0;
  for (const [field, value] of fields) {
    if (!Object.hasOwn(parts, field)) continue;
    known++;
    for (const event of parts[field]?.(value, fields, names) ?? []) events.push(event);
  }
  if (known === 0) throw new TypeError('It has none of the fields that Drover writes.');
  return events;
}

function ids(joined: Buffer): string[] {
  return joined.length === 0 ? [] : joined.toString().split('\n');
}

/** The names of new jobs in their order; a single one stands for all. */
class Names {
  readonly #names: string[];
  #next = 0;

  constructor(joined: Buffer | undefined) {
    this.#names = joined ? joined.toString().split('\n') : [];
  }

  next(): string {
    const name = this.#names.length === 1 ? this.#names[0] : this.#names[this.#next++];
    if (name === undefined) throw new RangeError('There are more new jobs than names.');
    return name;
  }
}

function addedEvent(jobId: string, name: string): DecodedEvent {
  return { event: 'added', args: { jobId, name } };
}

function completions(jobIds: string[], results: Buffer | undefined): DecodedEvent[] {
  const outcomes = unpackAll(results ?? Buffer.alloc(0));
  if (outcomes.length !== jobIds.length) throw new RangeError('There is not one result per completed job.');
  return jobIds.map((jobId, i) => ({ event: 'completed', args: { jobId, returnvalue: asOutcome(outcomes[i]).value, prev: 'active' } }));
}

function customEvent(published: unknown): OtherEvent {
  if (!Array.isArray(published)) throw new TypeError('A custom event is not [name, args].');
  const [event, args] = published as unknown[];
  if (typeof event !== 'string' || !isMap(args)) throw new TypeError('A custom event is not [name, args].');
  return { event, args, custom: true };
}

/** `names` is given when the call added jobs: then what has no earlier state is new. */
function moves(packed: Buffer, names: Names | undefined): DecodedEvent[] {
  if (packed.length === 0) return [];
  const notes = readNotes(packed);
  if (!Array.isArray(notes)) throw new TypeError('`moved` is not a list.');
  const events: DecodedEvent[] = [];
  let cleaned = 0;
  for (const note of notes) {
    if (!Array.isArray(note)) throw new TypeError('A note is not a list.');
    const move = new Move(note);
    if (move.kind === 'cleaned') cleaned++;
    else events.push(...moveEvents(move, names));
  }
  if (cleaned > 0) events.push({ event: 'cleaned', args: { count: String(cleaned) } });
  return events;
}

/** One [kind, id, …] of `moved`. */
class Move {
  readonly kind: string;
  readonly #note: NoteValue[];

  constructor(note: NoteValue[]) {
    this.#note = note;
    this.kind = this.text(0);
  }

  get jobId(): string {
    return this.text(1);
  }

  text(index: number): string {
    const value = this.optionalText(index);
    if (value === undefined) throw new TypeError('A note lacks a text.');
    return value;
  }

  optionalText(index: number): string | undefined {
    const value = this.#note[index];
    return Buffer.isBuffer(value) ? value.toString() : undefined;
  }

  optionalNumber(index: number): number | undefined {
    const value = this.#note[index];
    return typeof value === 'number' ? value : undefined;
  }

  bytes(index: number): Buffer {
    const value = this.#note[index];
    if (!Buffer.isBuffer(value)) throw new TypeError('A note lacks its bytes.');
    return value;
  }
}

function moveEvents(move: Move, names: Names | undefined): DecodedEvent[] {
  switch (move.kind) {
    case 'waiting': return waiting(move, names);
    case 'delayed': return delayed(move, names);
    case 'failed': return failed(move);
    case 'progress': return [{ event: 'progress', args: { jobId: move.jobId, data: unpack(move.bytes(2)) as JobProgress } }];
    case 'removed': return [{ event: 'removed', args: { jobId: move.jobId, ...previous(move, 2) } }];
    case 'stalled': return [{ event: 'stalled', args: { jobId: move.jobId } }];
    case 'waiting-children': return waitingChildren(move, names);
    case 'duplicated':
      names?.next();
      return [{ event: 'duplicated', args: { jobId: move.jobId } }];
    case 'deduplicated':
      names?.next();
      return [{ event: 'deduplicated', args: { jobId: move.jobId, deduplicationId: move.text(3), deduplicatedJobId: move.text(2) } }];
    case 'paused': return [{ event: 'paused', args: {} }];
    case 'resumed': return [{ event: 'resumed', args: {} }];
    case 'drained': return [{ event: 'drained', args: {} }];
    default: return [{ event: move.kind, args: { jobId: move.optionalText(1) }, custom: true }];
  }
}

function waiting(move: Move, names: Names | undefined): DecodedEvent[] {
  const { jobId } = move;
  const prev = previous(move, 2);
  const event: DecodedEvent = { event: 'waiting', args: { jobId, ...prev } };
  return names && !prev.prev ? [addedEvent(jobId, names.next()), event] : [event];
}

function delayed(move: Move, names: Names | undefined): DecodedEvent[] {
  const { jobId } = move;
  const event: DecodedEvent = { event: 'delayed', args: { jobId, delay: move.optionalNumber(2) ?? 0 } };
  return names && !previous(move, 3).prev ? [addedEvent(jobId, names.next()), event] : [event];
}

function waitingChildren(move: Move, names: Names | undefined): DecodedEvent[] {
  const { jobId } = move;
  const prev = previous(move, 2);
  const event: DecodedEvent = { event: 'waiting-children', args: { jobId, ...prev } };
  return names && !prev.prev ? [addedEvent(jobId, names.next()), event] : [event];
}

/** [failed, id, outcome, attempts made when they are exhausted]. */
function failed(move: Move): DecodedEvent[] {
  const { jobId } = move;
  const failedReason = reasonOf(unpack(move.bytes(2)));
  const events: DecodedEvent[] = [{ event: 'failed', args: { jobId, failedReason, prev: 'active' } }];
  const attemptsMade = move.optionalNumber(3);
  if (attemptsMade !== undefined) events.push({ event: 'retries-exhausted', args: { jobId, attemptsMade: String(attemptsMade) } });
  return events;
}

function previous(move: Move, index: number): { prev?: string } {
  const prev = move.optionalText(index);
  return prev === undefined ? {} : { prev };
}
