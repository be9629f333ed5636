import { PlainWriter } from '../core/plain-writer.js';
import { packRecordCarefully, type NewRecord } from '../core/job-record.js';
import type { EnqueueRequest } from './enqueuer.js';

/** From this many bytes on, a record is an argument of its own: packed, Redis would copy and hash it once more. */
export const largeFrom = 2048;

/** What stands before the record: the head of the id and the id, and three bytes for the head of the record. */
const lengthBefore = (id: string): number => 1 + id.length + 3;

/** A job to the end of priority 0, packed as `enqueue.lua` reads it: its id and its record, in a page with others. */
export class PlainJob implements EnqueueRequest {
  readonly special = undefined;

  constructor(readonly id: string, readonly name: string, readonly page: Buffer, readonly from: number, readonly to: number) {}

  get size(): number {
    return this.to - this.from - lengthBefore(this.id);
  }

  get record(): Buffer {
    return this.page.subarray(this.from + lengthBefore(this.id), this.to);
  }
}

/** Packs jobs to the end of priority 0, one behind the other, so that thousands of them are copied into a call at once. */
export class PlainJobs {
  readonly #writer = new PlainWriter();

  /** A record that is large, or not of plain data, is packed by itself. @param id one that Drover has made. */
  pack(id: string, record: NewRecord): EnqueueRequest {
    return this.#packInPlace(id, record) ?? { id, name: record.name, record: packRecordCarefully(record), special: undefined };
  }

  #packInPlace(id: string, { name, data, timestamp, opts }: NewRecord): EnqueueRequest | undefined {
    const writer = this.#writer;
    if (!writer.begin()) return undefined;
    const from = writer.at;
    writer.value(id);
    const head = writer.at;
    writer.skip(3).list(opts ? 4 : 3);
    if (!writer.value(name) || !writer.value(data) || !writer.value(timestamp) || (opts && !writer.value(opts))) return undefined;
    writer.keep();
    const { page, at: to } = writer;
    const length = to - head - 3;
    if (length >= largeFrom) return { id, name, record: page.subarray(head + 3, to), special: undefined };
    page[head] = 0xda;
    page[head + 1] = length >> 8;
    page[head + 2] = length & 0xff;
    return new PlainJob(id, name, page, from, to);
  }
}
