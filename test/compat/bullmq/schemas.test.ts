import { describe, expect, test } from 'vitest';
import { InvalidInputError, SchemaMismatchError, type SchemaResult, type StandardSchemaV1 } from 'drover';
import { openQueue, openWorker, refusal } from '../../support/behaviour.js';
import { nextEvent } from './next-event.js';

/** A schema as zod and the others make them: of objects with an address. */
function addressed(answer: (result: SchemaResult<unknown>) => SchemaResult<unknown> | Promise<SchemaResult<unknown>> = (result) => result): StandardSchemaV1 {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        const to = (value as { to?: unknown } | null)?.to;
        return answer(typeof to === 'string' ? { value: { to: to.toUpperCase() } } : { issues: [{ message: 'Expected text', path: ['to', { key: 0 }] }] });
      },
    },
  };
}

describe('schemas at add', () => {
  test('let through what satisfies them, as it is', async () => {
    const queue = openQueue({ schemas: { send: addressed() } });
    const job = await queue.add('send', { to: 'ann', more: 1 });
    expect((await queue.getJob(job.id))?.data).toEqual({ to: 'ann', more: 1 });
  });

  test('refuse the rest with the path of the issue, before anything is written', async () => {
    const queue = openQueue({ schemas: { send: addressed() } });
    const error = await refusal(() => queue.add('send', { to: 1 }));
    expect(error).toBeInstanceOf(SchemaMismatchError);
    expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH', field: 'data.to[0]' });
    expect(await queue.count()).toBe(0);
  });

  test('that answer later are waited for', async () => {
    const queue = openQueue({ schemas: { send: addressed((result) => Promise.resolve(result)) } });
    expect(await refusal(() => queue.add('send', {}))).toMatchObject({ code: 'SCHEMA_MISMATCH' });
    expect((await queue.add('send', { to: 'ann' })).name).toBe('send');
  });

  test('refuse a bulk whole, and name the job', async () => {
    const queue = openQueue({ schemas: { send: addressed() } });
    const error = await refusal(() => queue.addBulk([{ name: 'send', data: { to: 'ann' } }, { name: 'send', data: null }]));
    expect(error).toMatchObject({ field: 'jobs[1].data.to[0]' });
    expect(await queue.count()).toBe(0);
  });

  test('leave names alone that have none, also those of Object.prototype', async () => {
    const queue = openQueue({ schemas: { send: addressed() } });
    expect((await queue.add('toString', 1)).data).toBe(1);
  });

  test('that are none are refused', () => {
    expect(() => openQueue({ schemas: { send: {} as StandardSchemaV1 } })).toThrow(InvalidInputError);
  });
});

describe('schemas at take', () => {
  test('fail a job for good, whatever attempts it has, and the handler never sees it', async () => {
    const queue = openQueue();
    const seen: unknown[] = [];
    const worker = openWorker(queue, (job) => void seen.push(job.data), { schemas: { send: addressed() }, validateOnTake: true });
    const failed = nextEvent(worker, 'failed');
    await queue.add('send', { to: 7 }, { attempts: 5 });
    const [job, error] = (await failed) as [{ id: string; attemptsMade: number }, Error];
    expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH', field: 'data.to[0]' });
    expect(await queue.getJobState(job.id)).toBe('failed');
    expect(seen).toEqual([]);
  });

  test('are not asked unless the worker says so', async () => {
    const queue = openQueue();
    const worker = openWorker(queue, () => 'done', { schemas: { send: addressed() } });
    const completed = nextEvent(worker, 'completed');
    await queue.add('send', { to: 7 });
    expect((await completed)[1]).toBe('done');
  });
});
