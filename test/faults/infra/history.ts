import { closeSync, createReadStream, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { threadId } from 'node:worker_threads';

/** Anything that JSON keeps as it is. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A call of a client and how it ended; `unknown` means that it may or may not have happened. */
export type CallRecord =
  | { readonly type: 'invoke'; readonly call: number; readonly op: string; readonly value?: Json }
  | { readonly type: 'ok' | 'fail' | 'unknown'; readonly call: number; readonly value?: Json };

/** A handler at work, with the epoch of the lease under which it runs. */
export interface HandlerRecord {
  readonly type: 'start' | 'end';
  readonly queue: string;
  readonly job: string;
  readonly epoch: number;
  readonly value?: Json;
}

/** What the nemesis did, or anything else worth keeping. */
export interface NoteRecord {
  readonly type: 'fault' | 'note';
  readonly value: Json;
}

export type HistoryRecord = CallRecord | HandlerRecord | NoteRecord;

/** A record as read back: who wrote it, as its how-manieth, and when. */
export type HistoryEvent = HistoryRecord & {
  /** The writer's name, pid, thread and start; unique for each run of a process. */
  readonly process: string;
  readonly sequence: number;
  /** CLOCK_MONOTONIC in nanoseconds: comparable between the processes of a machine, deaf to clock steps. */
  readonly at: bigint;
};

const ending = '.history';

/**
 * The part of the oracle that lives in a process: a file of its own outside Redis, one line a record.
 *
 * A record is one `write` with O_APPEND: when `append` returns, the kernel has it, and it survives kill -9.
 */
export class HistoryWriter {
  readonly process: string;
  readonly #file: number;
  #sequence = 0;
  #calls = 0;

  /** Opens a new file in `folder`, named after `name` and this very process. */
  constructor(folder: string, name: string) {
    mkdirSync(folder, { recursive: true });
    this.process = `${name}-${process.pid}-${threadId}-${process.hrtime.bigint()}`;
    this.#file = openSync(join(folder, `${this.process}${ending}`), 'ax');
  }

  append(record: HistoryRecord): void {
    this.#sequence += 1;
    const line = Buffer.from(`${process.hrtime.bigint()} ${this.#sequence} ${JSON.stringify(record)}\n`);
    if (writeSync(this.#file, line) !== line.length) throw new Error(`${this.process}: no room for the history`);
  }

  /** Logs that a call begins, and returns what logs its end. */
  invoke(op: string, value?: Json): (type: 'ok' | 'fail' | 'unknown', value?: Json) => void {
    this.#calls += 1;
    const call = this.#calls;
    this.append({ type: 'invoke', call, op, ...(value === undefined ? {} : { value }) });
    return (type, result) => this.append({ type, call, ...(result === undefined ? {} : { value: result }) });
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** All records of a folder in the order of their time, read as a stream: histories may exceed the memory. */
export async function* readHistory(folder: string): AsyncGenerator<HistoryEvent> {
  const files = readdirSync(folder).filter((file) => file.endsWith(ending)).sort();
  const heads: Head[] = [];
  for (const file of files) await advance(heads, readFile(join(folder, file)));
  for (let head = heads.shift(); head; head = heads.shift()) {
    yield head.event;
    await advance(heads, head.rest);
  }
}

/** The next event of a file and what comes after it. */
interface Head {
  readonly event: HistoryEvent;
  readonly rest: AsyncGenerator<HistoryEvent>;
}

/** Puts the next event of `rest` at its place among the heads, which are sorted by time. */
async function advance(heads: Head[], rest: AsyncGenerator<HistoryEvent>): Promise<void> {
  const next = await rest.next();
  if (next.done) return;
  const event = next.value;
  const later = heads.findIndex((head) => head.event.at > event.at);
  heads.splice(later === -1 ? heads.length : later, 0, { event, rest });
}

async function* readFile(path: string): AsyncGenerator<HistoryEvent> {
  const process = basename(path, ending);
  let rest = '';
  const stream: AsyncIterable<string> = createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 20 });
  for await (const chunk of stream) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield parse(line, process);
  }
  // What is left has no line end: the write was cut short, as by a full disk or a power loss. It never returned.
}

function parse(line: string, process: string): HistoryEvent {
  const match = /^(\d+) (\d+) (\{.*\})$/.exec(line);
  if (!match?.[1] || !match[3]) throw new Error(`${process}: not a record of a history: ${line.slice(0, 200)}`);
  const record = JSON.parse(match[3]) as HistoryRecord;
  return { ...record, process, sequence: Number(match[2]), at: BigInt(match[1]) };
}
