/* eslint-disable @typescript-eslint/no-unsafe-member-access -- what the board answers is JSON */
import { expect } from 'vitest';
import type { Cases } from './cases.js';

/** Routes that concern schedules: job schedulers to BullMQ, repeatable jobs to Bull. */
export const ofSchedules: Cases = {
  'get /api/job-schedulers': async (stage, route) => {
    const id = await stage.addSchedule();
    const { status, body } = await stage.call(route);
    expect(status).toBe(200);
    expect(body.schedulers).toMatchObject([{ id, queueName: stage.name, name: 'hourly', pattern: '0 * * * *', tz: 'Europe/Berlin', next: expect.any(Number) }]);
    if (stage.kind === 'bullmq') expect(body.schedulers[0].template).toMatchObject({ data: { of: 'the hour' } });
    expect((await stage.listed()).jobSchedulerCount).toBe(1);
  },

  'put /api/queues/:queueName/job-schedulers/:schedulerId/remove': async (stage, route) => {
    const schedulerId = await stage.addSchedule();
    expect((await stage.call(route, { schedulerId })).status).toBe(204);
    expect(await stage.queue.getJobSchedulersCount()).toBe(0);
    expect((await stage.call(route, { schedulerId })).status).toBe(404);
  },

  'patch /api/queues/:queueName/job-schedulers/:schedulerId': async (stage, route) => {
    const schedulerId = await stage.addSchedule();
    const answer = await stage.call(route, { schedulerId }, { pattern: '0 4 * * *', tz: 'Europe/Berlin', limit: 5 });
    if (stage.kind === 'bull') return expect(answer.status).toBe(405);
    expect(answer.status).toBe(204);
    const changed = await stage.queue.getJobScheduler(schedulerId);
    expect(changed).toMatchObject({ name: 'hourly', pattern: '0 4 * * *', tz: 'Europe/Berlin', limit: 5, template: { data: { of: 'the hour' } } });
    const wrong = await stage.call(route, { schedulerId }, { pattern: 'every morning' });
    expect(wrong).toMatchObject({ status: 400, body: { error: { key: 'ERRORS.INVALID_SCHEDULER_PATTERN' } } });
    const past = await stage.call(route, { schedulerId: 'nothing' }, { every: 1_000 });
    return expect(past.status).toBe(404);
  },

  'put /api/queues/:queueName/job-schedulers/:schedulerId/run': async (stage, route) => {
    const schedulerId = await stage.addSchedule();
    const before = await stage.queue.getJobScheduler(schedulerId);
    const answer = await stage.call(route, { schedulerId });
    if (stage.kind === 'bull') return expect(answer.status).toBe(405);
    expect(answer).toMatchObject({ status: 200, body: { job: { name: 'hourly', data: { of: 'the hour' } } } });
    expect(await stage.state(answer.body.job.id as string)).toBe('waiting');
    return expect(await stage.queue.getJobScheduler(schedulerId)).toEqual(before);
  },
};
