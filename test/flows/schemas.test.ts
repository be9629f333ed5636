import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openQueue, openWorker, refusal } from '../support/behaviour.js';
import { nextEvent } from '../compat/bullmq/next-event.js';
import { openFlows } from './open-flows.js';

const schemas = { send: z.object({ to: z.string() }), later: z.object({ to: z.string() }).refine(async () => true) };

describe('schemas of a flow producer', () => {
  test('refuse a flow whole, name the job, and write nothing', async () => {
    const queue = openQueue();
    const flows = openFlows({ schemas });
    const child = (name: string, to: unknown): { name: string; queueName: string; data: unknown } => ({ name, queueName: queue.name, data: { to } });
    const flow = { name: 'any', queueName: queue.name, children: [child('send', 'ann'), child('send', 7)] };
    expect(await refusal(() => flows.add(flow))).toMatchObject({ code: 'SCHEMA_MISMATCH', field: 'flow.children[1].data.to' });
    expect(await refusal(() => flows.addBulk([child('send', 'ann'), flow]))).toMatchObject({ field: 'flows[1].children[1].data.to' });
    expect(await refusal(() => flows.add(child('later', 7)))).toMatchObject({ field: 'flow.data.to' });
    expect(await queue.getJobCountByTypes()).toBe(0);
  });

  test('let through what satisfies them, as it is', async () => {
    const queue = openQueue();
    const flows = openFlows({ schemas });
    const { job } = await flows.add({ name: 'later', queueName: queue.name, data: { to: 'ann', more: 1 } });
    expect((await queue.getJob(job.id))?.data).toEqual({ to: 'ann', more: 1 });
    expect(await refusal(() => job.updateData({ to: 7 }))).toMatchObject({ code: 'SCHEMA_MISMATCH' });
  });
});

describe('schemas and updateData', () => {
  test('refuse data that does not satisfy the schema of the queue, and keep the old', async () => {
    const queue = openQueue({ schemas });
    const job = await queue.add('send', { to: 'ann' });
    expect(await refusal(() => job.updateData({ to: 7 }))).toMatchObject({ code: 'SCHEMA_MISMATCH', field: 'data.to' });
    const stored = await queue.getJob(job.id);
    expect([job.data, stored?.data]).toEqual([{ to: 'ann' }, { to: 'ann' }]);
    await stored?.updateData({ to: 'bob' });
    expect((await queue.getJob(job.id))?.data).toEqual({ to: 'bob' });
  });

  test.each([[true, 'SCHEMA_MISMATCH'], [false, 'stored']])('in a handler they count with `validateOnTake` (%s)', async (validateOnTake, answer) => {
    const queue = openQueue();
    const worker = openWorker(queue, async (job) => job.updateData({ to: 7 }).then(() => 'stored', (error: { code: string }) => error.code), { schemas, validateOnTake });
    const completed = nextEvent(worker, 'completed');
    await queue.add('send', { to: 'ann' });
    expect((await completed)[1]).toBe(answer);
  });
});
