import * as v from 'valibot';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { Queue, SchemaMismatchError, type JobSchemas } from 'drover';
import { z } from 'zod';
import { openQueue, uniqueName } from '../../support/behaviour.js';
import { urlAs } from '../../support/roles.js';

const ofZod = z.object({ to: z.array(z.string().email()), urgent: z.boolean().default(false) });
const ofValibot = v.object({ to: v.array(v.pipe(v.string(), v.email())), urgent: v.optional(v.boolean(), false) });
const later = z.object({ to: z.array(z.string()).refine(async (all) => Promise.resolve(all.every((each) => each.includes('@')))) });

const wrong = { to: ['a@example.org', 'nobody'] };

describe.each<[string, JobSchemas[string]]>([['zod', ofZod], ['valibot', ofValibot]])('schemas of %s', (_library, send) => {
  test('refuse at add, in bulk and in schedules, naming the place, before anything is written', async () => {
    const queue = openQueue({ schemas: { send } });
    const refusals: [() => Promise<unknown>, string][] = [
      [() => queue.add('send', wrong), 'data.to[1]'],
      [() => queue.addBulk([{ name: 'send', data: { to: [] } }, { name: 'send', data: wrong }]), 'jobs[1].data.to[1]'],
      [() => queue.upsertJobScheduler('daily', { every: 60_000 }, { name: 'send', data: wrong }), 'jobTemplate.data.to[1]'],
    ];
    for (const [call, field] of refusals) {
      const error: unknown = await call().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SchemaMismatchError);
      expect(error).toMatchObject({ code: 'SCHEMA_MISMATCH', field });
    }
    expect(await queue.count()).toBe(0);
    expect(await queue.getJobSchedulersCount()).toBe(0);
  });

  test('only look: defaults are not written into the data', async () => {
    const queue = openQueue({ schemas: { send } });
    const { id } = await queue.add('send', { to: ['a@example.org'] });
    expect((await queue.getJob(id))?.data).toEqual({ to: ['a@example.org'] });
    await queue.upsertJobScheduler('daily', { every: 60_000 }, { name: 'send', data: { to: [] } });
    expect(await queue.getJobSchedulersCount()).toBe(1);
  });
});

describe('schemas', () => {
  test('that answer later are waited for', async () => {
    const queue = openQueue({ schemas: { send: later } });
    await expect(queue.add('send', wrong)).rejects.toMatchObject({ code: 'SCHEMA_MISMATCH', field: 'data.to' });
    await queue.add('send', { to: ['a@example.org'] });
    expect(await queue.count()).toBe(1);
  });

  test('give a queue its types', async () => {
    interface Jobs {
      send: { data: z.input<typeof ofZod>; result: number };
      note: { data: v.InferInput<typeof ofValibot> };
    }
    await using queue = new Queue<Jobs>(uniqueName(), { connection: urlAs('operator'), schemas: { send: ofZod, note: ofValibot } });
    const added = await queue.add('send', { to: [] });
    expectTypeOf(added.data).toEqualTypeOf<{ to: string[]; urgent?: boolean | undefined }>();
    expectTypeOf(added.returnvalue).toEqualTypeOf<number>();
    // @ts-expect-error -- a number is not a list of addresses; the schema says the same when the program runs
    await expect(queue.add('note', { to: 5 })).rejects.toMatchObject({ field: 'data.to' });
  });
});
