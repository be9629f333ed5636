import { describe, expect, it } from 'vitest';
import { pack, unpackAll } from '../../src/core/codec.js';
import { appendLog } from '../../src/redis/scripts/append-log.js';
import { reportProgress } from '../../src/redis/scripts/report-progress.js';
import { updateData } from '../../src/redis/scripts/update-data.js';
import { openQueue, packedRecord, record, records, type TestQueue } from './open-queue.js';

describe('update-data', () => {
  it('replaces the record of a known job only', async () => {
    const queue = openQueue();
    await queue.add('a', 'b');
    const before = await queue.state();
    expect(await queue.run(updateData, { id: 'a', record: packedRecord('new') })).toBe(true);
    expect(await queue.run(updateData, { id: 'unknown', record: packedRecord('new') })).toBe(false);
    expect(await queue.state()).toEqual({ ...before, job: { a: record('new'), b: record('b') } });
  });
});

describe('report-progress', () => {
  it('stores and announces the progress of a known job only', async () => {
    const queue = openQueue();
    await queue.add('a');
    await queue.on('events', 'del');
    const before = await queue.state();
    expect(await queue.run(reportProgress, { id: 'a', progress: pack({ done: 1 }, 'p') })).toBe(true);
    expect(await queue.run(reportProgress, { id: 'a', progress: pack(7, 'p') })).toBe(true);
    expect(await queue.run(reportProgress, { id: 'unknown', progress: pack(7, 'p') })).toBe(false);
    expect(await queue.state()).toEqual({ ...before, progress: { a: 7 } });
    expect((await queue.snapshot({ events: true })).events).toHaveLength(2);
  });
});

describe('append-log', () => {
  const row = (queue: TestQueue, text: string, keep = -1) => queue.run(appendLog, { id: 'a', row: pack(text, 'row'), keep });

  it('adds rows to the log of a known job only', async () => {
    const queue = openQueue();
    await queue.add('a');
    const before = await queue.state();
    expect([await row(queue, 'one'), await row(queue, 'two')]).toEqual([1, 2]);
    expect(await queue.run(appendLog, { id: 'unknown', row: pack('x', 'row'), keep: -1 })).toBe(-1);
    expect(await queue.state()).toEqual({ ...before, logs: { a: ['one', 'two'] } });
  });

  it('keeps the newest rows', async () => {
    const queue = openQueue();
    await queue.add('a');
    for (const text of ['1', '2', '3']) await row(queue, text);
    expect(await row(queue, '4', 2)).toBe(2);
    expect((await queue.state()).logs).toEqual({ a: ['3', '4'] });
    expect(await queue.run(appendLog, { id: 'a', row: undefined, keep: 1 })).toBe(1);
    expect((await queue.state()).logs).toEqual({ a: ['4'] });
    expect(await queue.run(appendLog, { id: 'a', row: undefined, keep: 0 })).toBe(0);
    expect(await queue.state()).toEqual({ job: records('a'), wait: [['a', 0, 1]], marker: true });
  });

  it('drops the oldest beyond 1 MiB', async () => {
    const queue = openQueue();
    await queue.add('a');
    for (const letter of ['a', 'b', 'c']) await row(queue, letter.repeat(400_000));
    expect((await queue.state()).logs?.a?.map((text) => text[0])).toEqual(['b', 'c']);
  });

  it('cuts a log of 100,000 rows to its newest in one go', async () => {
    const queue = openQueue();
    await queue.add('a');
    const rows = Array.from({ length: 100_000 }, (_, i) => pack(String(i).padStart(8, '0'), 'row'));
    const count = Buffer.alloc(4);
    count.writeUInt32BE(rows.length);
    await queue.on('logs', 'hset', 'a', Buffer.concat([count, ...rows]));
    expect(await queue.run(appendLog, { id: 'a', row: undefined, keep: 2 })).toBe(2);
    expect((await queue.state()).logs).toEqual({ a: ['00099998', '00099999'] });
  });

  it('stores rows that can be read one after the other', async () => {
    const queue = openQueue();
    await queue.add('a');
    await row(queue, 'é\n');
    const stored = (await queue.on('logs', 'hget', 'a')) as Buffer;
    expect([stored.readUInt32BE(0), unpackAll(stored.subarray(4))]).toEqual([1, ['é\n']]);
  });
});
