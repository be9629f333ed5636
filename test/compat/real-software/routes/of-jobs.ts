/* eslint-disable @typescript-eslint/no-unsafe-member-access -- what the board answers is JSON */
import { expect } from 'vitest';
import type { Cases } from './cases.js';

/** Routes that concern one job. */
export const ofJobs: Cases = {
  'get /api/queues/:queueName/:jobId': async (stage, route) => {
    const jobId = await stage.addFailed('it broke');
    const { status, body } = await stage.call(route, { jobId });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'failed', job: { id: jobId, name: 'failing', failedReason: 'it broke', isFailed: true, attempts: stage.shownAttempts(1), finishedOn: expect.any(Number) },
    });
    expect(body.job.stacktrace).toEqual([expect.stringContaining('it broke')]);
    expect(await stage.call(route, { jobId: 'nothing' })).toMatchObject({ status: 404, body: { error: { key: 'ERRORS.JOB_NOT_FOUND' } } });
    const done = await stage.addCompleted({ answer: 42 });
    expect((await stage.call(route, { jobId: done })).body).toMatchObject({ status: 'completed', job: { returnValue: { answer: 42 } } });
  },

  'get /api/queues/:queueName/:jobId/logs': async (stage, route) => {
    const jobId = await stage.add('logged');
    await stage.queue.addJobLog(jobId, 'one');
    await stage.queue.addJobLog(jobId, 'two');
    expect(await stage.call(route, { jobId })).toEqual({ status: 200, body: ['one', 'two'] });
  },

  'get /api/queues/:queueName/:jobId/flow': async (stage, route) => {
    const jobId = stage.kind === 'bullmq' ? await stage.addParent() : await stage.add('alone');
    const { status, body } = await stage.call(route, { jobId });
    expect(status).toBe(200);
    if (stage.kind === 'bull') return expect(body).toEqual({ nodeId: jobId, isFlowNode: false, flowRoot: null });
    expect(body).toMatchObject({
      nodeId: jobId, isFlowNode: true,
      flowRoot: {
        id: jobId, name: 'parent', state: 'waiting-children', queueName: stage.name, dependencies: { unprocessed: 1, processed: 0 },
        children: [{ name: 'child', state: 'delayed', queueName: stage.name }],
      },
    });
    // From the child up to the same root.
    const child = body.flowRoot.children[0].id as string;
    return expect((await stage.call(route, { jobId: child })).body).toMatchObject({ nodeId: child, flowRoot: { id: jobId } });
  },

  'post /api/queues/:queueName/add': async (stage, route) => {
    const { status, body } = await stage.call(route, {}, { name: 'by-hand', data: { n: 7 }, options: { attempts: 3, delay: 60_000 } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'delayed', job: { name: 'by-hand', data: { n: 7 }, opts: { attempts: 3 }, delay: 60_000 } });
    const job = await stage.queue.getJob(body.job.id as string);
    expect(job).toMatchObject({ name: 'by-hand', data: { n: 7 }, opts: { attempts: 3 } });
    // What the board's form sends when nothing is filled in but the name.
    const bare = await stage.call(route, {}, { name: 'bare', data: {}, options: {} });
    expect(await stage.state(bare.body.job.id as string)).toBe('waiting');
    expect(bare.body.job.opts).toMatchObject({ attempts: 2 });
  },

  'put /api/queues/:queueName/:jobId/retry': async (stage, route) => {
    const jobId = await stage.addFailed('once');
    expect((await stage.call(route, { jobId })).status).toBe(204);
    expect(await stage.state(jobId)).toBe('waiting');
    expect(await stage.call(route, { jobId })).toMatchObject({ status: 400, body: { error: { key: 'ERRORS.JOB_NOT_RETRIABLE' } } });
  },

  'put /api/queues/:queueName/:jobId/clean': async (stage, route) => {
    const jobId = await stage.add('unwanted');
    expect((await stage.call(route, { jobId })).status).toBe(204);
    expect(await stage.state(jobId)).toBe('unknown');
    await stage.add('running');
    const { id } = await stage.take();
    expect(await stage.call(route, { jobId: id })).toMatchObject({ status: 409, body: { error: { key: 'ERRORS.JOB_IS_ACTIVE' } } });
    expect(await stage.state(id)).toBe('active');
  },

  'put /api/queues/:queueName/:jobId/promote': async (stage, route) => {
    const jobId = await stage.add('later', {}, { delay: 60_000 });
    expect((await stage.call(route, { jobId })).status).toBe(204);
    expect(await stage.state(jobId)).toBe('waiting');
  },

  'patch /api/queues/:queueName/:jobId/update-data': async (stage, route) => {
    const jobId = await stage.add('one', { old: true });
    expect((await stage.call(route, { jobId }, { jobData: { fresh: ['yes'] } })).status).toBe(200);
    expect((await stage.queue.getJob(jobId))?.data).toEqual({ fresh: ['yes'] });
  },

  'patch /api/queues/:queueName/:jobId/delay': async (stage, route) => {
    const jobId = await stage.add('later', {}, { delay: 60_000 });
    const answer = await stage.call(route, { jobId }, { runAt: Date.now() + 3_600_000 });
    if (stage.kind === 'bull') return expect(answer).toMatchObject({ status: 400, body: { error: { key: 'ERRORS.JOB_EDIT_NOT_SUPPORTED' } } });
    expect(answer.status).toBe(200);
    const due = await stage.queue.getBackend().client.zscore(stage.queue.toKey('delayed'), jobId);
    expect(Number(due)).toBeGreaterThan(Date.now() + 3_500_000);
    const waiting = await stage.add('now');
    return expect((await stage.call(route, { jobId: waiting }, { runAt: Date.now() })).status).toBe(400);
  },

  'patch /api/queues/:queueName/:jobId/priority': async (stage, route) => {
    const jobId = await stage.add('one');
    const answer = await stage.call(route, { jobId }, { priority: 9 });
    if (stage.kind === 'bull') return expect(answer).toMatchObject({ status: 400, body: { error: { key: 'ERRORS.JOB_EDIT_NOT_SUPPORTED' } } });
    expect(answer.status).toBe(200);
    expect((await stage.queue.getJob(jobId))?.priority).toBe(9);
    return expect(await stage.state(jobId)).toBe('prioritized');
  },

  'put /api/queues/:queueName/:jobId/remove-unprocessed-children': async (stage, route) => {
    if (stage.kind === 'bull') {
      const answer = await stage.call(route, { jobId: await stage.add('alone') });
      return expect(answer).toMatchObject({ status: 400, body: { error: { key: 'ERRORS.JOB_UNPROCESSED_CHILDREN_NOT_SUPPORTED' } } });
    }
    const jobId = await stage.addParent();
    expect(await stage.call(route, { jobId })).toEqual({ status: 200, body: { removed: 1 } });
    expect(await stage.queue.getDelayedCount()).toBe(0);
    expect(await stage.state(jobId)).toBe('waiting');
    return expect((await stage.call(route, { jobId })).status).toBe(400);
  },
};
