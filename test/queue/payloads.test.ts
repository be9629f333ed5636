import { describe, expect, test } from 'vitest';
import { finished, openQueue, openWorker } from '../support/behaviour.js';

/** Values that JSON would lose. */
const values: [string, unknown][] = [
  ['a date', new Date('2026-03-01T12:00:00.123Z')],
  ['bytes', Buffer.from([0, 1, 2, 0xff, 0x0a, 0x0d])],
  ['a typed array', new Float64Array([0.1, -1, Infinity])],
  ['a big integer', 2n ** 60n + 1n],
  ['a bigger integer', -(2n ** 200n)],
  ['a set', new Set([1, 'two', null])],
  ['NaN', NaN],
  ['infinity', -Infinity],
  ['an integer beyond 53 bits', 2 ** 53 + 2],
  ['false', false],
  ['zero', 0],
  ['an empty text', ''],
  ['null', null],
  ['nothing', undefined],
  ['an empty list', []],
  ['an empty object', {}],
  ['line separators', 'a\u2028b\u2029c\r\n\u0000d'],
  ['text of every plane', '日本 🐑 é e\u0301'],
  ['a list with a gap', [1, undefined, 3]],
  ['deep nesting', Array.from({ length: 200 }).reduce<unknown>((inner) => ({ inner }), 'core')],
  ['names of Object', { constructor: 1, toString: 2, hasOwnProperty: 3, then: 4 }],
  ['a text of a megabyte', 'x'.repeat(1 << 20)],
  ['many keys', Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key ${i}`, i]))],
];

test('a map arrives as an object with text keys', async () => {
  const queue = openQueue();
  const { id } = await queue.add('echo', new Map<unknown, unknown>([['a', 1], [2, new Map([['b', null]])]]));
  expect((await queue.getJob(id))?.data).toStrictEqual({ a: 1, 2: { b: null } });
});

test.each(values)('%s survives as data, result, progress and update', async (_name, value) => {
  const queue = openQueue();
  const job = await queue.add('echo', value);
  const stored = await queue.getJob(job.id);
  // A job without data has an empty object, as in BullMQ, so that handlers can take it apart.
  expect(stored?.data).toStrictEqual(value === undefined ? {} : value);

  await stored?.updateData({ again: value });
  await stored?.updateProgress({ reached: value });
  const worker = openWorker(queue, (running) => (running.data as { again: unknown }).again);
  const done = await finished(worker, job.id);
  expect(done.returnvalue).toStrictEqual(value);
  const after = await queue.getJob(job.id);
  expect(after?.returnvalue).toStrictEqual(value);
  expect(after?.progress).toStrictEqual({ reached: value });
});

describe('what has a form of its own', () => {
  test('objects with toJSON are stored as it says', async () => {
    const queue = openQueue();
    const job = await queue.add('a', { url: new URL('http://localhost/x') });
    expect((await queue.getJob(job.id))?.data).toEqual({ url: 'http://localhost/x' });
  });

  test('instances become plain objects of their fields', async () => {
    class Point {
      constructor(readonly x: number, readonly y: number) {}
      norm(): number {
        return Math.hypot(this.x, this.y);
      }
    }
    const queue = openQueue();
    const job = await queue.add('a', new Point(3, 4));
    expect((await queue.getJob(job.id))?.data).toEqual({ x: 3, y: 4 });
  });

  test('a key __proto__ reaches no prototype', async () => {
    const queue = openQueue();
    const job = await queue.add('a', JSON.parse('{"__proto__": {"polluted": true}}'));
    const data = (await queue.getJob(job.id))?.data as Record<string, unknown>;
    expect(data['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('results', () => {
  test.each([[false], [0], [''], [null], [NaN]])('%j reaches the completed event and the stored job as it is', async (value) => {
    const queue = openQueue();
    const job = await queue.add('a', 1);
    const worker = openWorker(queue, () => value);
    const results: unknown[] = [];
    worker.on('completed', (_job, result: unknown) => results.push(result));
    expect((await finished(worker, job.id)).returnvalue).toBe(value);
    expect(results).toEqual([value]);
    expect((await queue.getJob(job.id))?.returnvalue).toBe(value);
  });

  test.each<[string, unknown]>([['a function', { fn: () => 1 }], ['a symbol', Symbol('s')], ['a cycle', cyclic()]])(
    '%s fails the attempt with a typed error', async (_name, result) => {
      const queue = openQueue();
      const job = await queue.add('a', 1);
      const worker = openWorker(queue, () => result);
      await expect(finished(worker, job.id)).rejects.toMatchObject({ code: 'INVALID_DATA' });
      expect(await queue.getJobState(job.id)).toBe('failed');
    },
  );
});

function cyclic(): object {
  const value: Record<string, unknown> = { deep: {} };
  (value['deep'] as Record<string, unknown>)['back'] = value;
  return value;
}
