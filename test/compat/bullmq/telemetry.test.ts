import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { MetricNames, SpanKind, TelemetryAttributes, type Attributes, type Span, type Telemetry } from 'drover';
import { openQueue, openWorker } from '../../support/behaviour.js';
import { nextEvent } from './next-event.js';

interface Recorded {
  name: string;
  kind: SpanKind | undefined;
  parent: string | undefined;
  attributes: Attributes;
  events: [string, Attributes | undefined][];
  exceptions: unknown[];
  ended: Promise<void>;
}

/** Telemetry that writes down what it is told; a context is the name of a span. */
function recorder(): { telemetry: Telemetry<string>; spans: Recorded[]; span: (name: string) => Recorded; metrics: [string, number, Attributes | undefined][] } {
  const active = new AsyncLocalStorage<string>();
  const spans: Recorded[] = [];
  const metrics: [string, number, Attributes | undefined][] = [];
  const instrument = (name: string): { add: (value: number, attributes?: Attributes) => void; record: (value: number, attributes?: Attributes) => void } => {
    const note = (value: number, attributes?: Attributes): void => void metrics.push([name, value, attributes]);
    return { add: note, record: note };
  };
  const telemetry: Telemetry<string> = {
    tracer: {
      startSpan: (name, options, context): Span => {
        let end = (): void => undefined;
        const ended = new Promise<void>((resolve) => (end = resolve));
        const span: Recorded = { name, kind: options?.kind, parent: context ?? active.getStore(), attributes: {}, events: [], exceptions: [], ended };
        spans.push(span);
        return {
          setSpanOnContext: () => name,
          setAttribute: (key, value) => void (span.attributes[key] = value),
          setAttributes: (attributes) => void Object.assign(span.attributes, attributes),
          addEvent: (event, attributes) => void span.events.push([event, attributes]),
          recordException: (exception) => void span.exceptions.push(exception),
          end,
        };
      },
    },
    contextManager: {
      with: (context: string, fn) => active.run(context, fn) as never,
      active: () => active.getStore() ?? '',
      root: () => '',
      getMetadata: (context: string) => `[${context}]`,
      fromMetadata: (_active: string, metadata) => metadata.slice(1, -1),
    },
    meter: { createCounter: instrument, createHistogram: instrument, createGauge: instrument },
  };
  const span = (name: string): Recorded => {
    const found = spans.find((each) => each.name === name);
    if (!found) throw new Error(`No span ${name} among ${spans.map((each) => each.name).join(', ')}`);
    return found;
  };
  return { telemetry, spans, span, metrics };
}

describe('telemetry', () => {
  test('goes on in every run of a schedule, which stays the same however often it is upserted', async () => {
    const { telemetry } = recorder();
    const queue = openQueue({ telemetry });
    const upsert = (within: string): ReturnType<typeof queue.upsertJobScheduler> =>
      queue.trace(SpanKind.INTERNAL, within, '', () => queue.upsertJobScheduler('tick', { every: 3_600_000, offset: 1 }));
    const [first, second] = [await upsert('first'), await upsert('second')];
    expect(second.id).toBe(first.id);
    expect(second.opts.telemetry).toEqual({ metadata: `[add ${queue.name}.tick]` });
    const quiet = openQueue({ telemetry });
    const ran: unknown[] = [];
    await quiet.upsertJobScheduler('tick', { every: 20, limit: 2 });
    const worker = openWorker(quiet, (job) => void ran.push(job.opts.telemetry));
    while (ran.length < 2) await nextEvent(worker, 'completed');
    expect(ran).toEqual([1, 2].map(() => ({ metadata: `[add ${quiet.name}.tick]` })));
    expect((await queue.getJobScheduler('tick'))?.template.opts).toEqual({});
  });

  test('tells of an add, and the job carries the trace', async () => {
    const { telemetry, span } = recorder();
    const queue = openQueue({ telemetry });
    const job = await queue.add('send', null);
    const added = span(`add ${queue.name}.send`);
    await added.ended;
    expect(added.kind).toBe(SpanKind.PRODUCER);
    expect(added.attributes).toEqual({
      [TelemetryAttributes.QueueName]: queue.name, [TelemetryAttributes.QueueOperation]: 'add',
      [TelemetryAttributes.JobName]: 'send', [TelemetryAttributes.JobId]: job.id,
    });
    expect((await queue.getJob(job.id))?.opts.telemetry).toEqual({ metadata: `[add ${queue.name}.send]` });
  });

  test('sends no trace along when the job says so', async () => {
    const { telemetry } = recorder();
    const queue = openQueue({ telemetry });
    const job = await queue.add('send', null, { telemetry: { omitContext: true } });
    expect((await queue.getJob(job.id))?.opts.telemetry).toEqual({ omitContext: true });
  });

  test('tells of a bulk as one; a job that brings a trace keeps it', async () => {
    const { telemetry, spans, span } = recorder();
    const queue = openQueue({ telemetry });
    const jobs = await queue.addBulk([{ name: 'a', data: null }, { name: 'b', data: null, opts: { telemetry: { metadata: '[own]' } } }]);
    expect(spans).toHaveLength(1);
    expect(span(`addBulk ${queue.name}`).attributes).toMatchObject({ [TelemetryAttributes.BulkNames]: ['a', 'b'], [TelemetryAttributes.BulkCount]: 2 });
    expect(jobs.map((job) => job.opts.telemetry?.metadata)).toEqual([`[addBulk ${queue.name}]`, '[own]']);
  });

  test('records why an add was refused', async () => {
    const { telemetry, span } = recorder();
    const queue = openQueue({ telemetry });
    await expect(queue.add('send', null, { priority: -1 })).rejects.toThrow();
    const refused = span(`add ${queue.name}.send`);
    await refused.ended;
    expect(refused.exceptions).toHaveLength(1);
  });

  test('tells of processing below the add, and handlers run within it', async () => {
    const { telemetry, span, metrics } = recorder();
    const queue = openQueue({ telemetry });
    let within = '';
    const worker = openWorker(queue, async () => {
      await Promise.resolve();
      within = telemetry.contextManager.active() as string;
      return { ok: true };
    }, { telemetry, name: 'w1' });
    const completed = nextEvent(worker, 'completed');
    const job = await queue.add('send', null);
    await completed;
    const processed = span(`process ${queue.name}`);
    await processed.ended;
    expect(within).toBe(`process ${queue.name}`);
    expect(processed).toMatchObject({ kind: SpanKind.CONSUMER, parent: `add ${queue.name}.send` });
    expect(processed.events).toEqual([['job completed', { [TelemetryAttributes.JobResult]: '{"ok":true}' }]]);
    expect(processed.attributes).toMatchObject({
      [TelemetryAttributes.WorkerId]: worker.id, [TelemetryAttributes.WorkerName]: 'w1', [TelemetryAttributes.JobId]: job.id,
      [TelemetryAttributes.JobAttemptsMade]: 1, [TelemetryAttributes.JobProcessedTimestamp]: expect.any(Number),
      [TelemetryAttributes.JobAttemptFinishedTimestamp]: expect.any(Number),
    });
    expect(metrics.map(([name]) => name)).toEqual([MetricNames.JobsCompleted, MetricNames.JobDuration]);
  });

  test('tells of failures, first of the retry and then of the end', async () => {
    const { telemetry, spans, metrics } = recorder();
    const queue = openQueue();
    const worker = openWorker(queue, () => {
      throw new Error('no');
    }, { telemetry });
    const ends: unknown[][] = [];
    const twice = new Promise<void>((resolve) => worker.on('failed', (...args) => ends.push(args) === 2 && resolve()));
    await queue.add('send', null, { attempts: 2 });
    await twice;
    await Promise.all(spans.map(({ ended }) => ended));
    const processed = spans.filter(({ name }) => name === `process ${queue.name}`);
    expect(processed.map(({ events }) => events)).toEqual([1, 2].map(() => [['job failed', { [TelemetryAttributes.JobFailedReason]: 'no' }]]));
    expect(metrics.filter(([name]) => name !== (MetricNames.JobDuration as string)).map(([name]) => name)).toEqual([MetricNames.JobsRetried, MetricNames.JobsFailed]);
  });

  test('is no reason to refuse progress, options or results that JSON cannot take', async () => {
    const { telemetry, span, spans } = recorder();
    const queue = openQueue({ telemetry });
    const { id } = await queue.add('send', null);
    const cycle: Record<string, unknown> = { size: 1n };
    cycle['self'] = cycle;
    await queue.updateJobProgress(id, { done: 5n });
    expect(span(`updateJobProgress ${queue.name}`).attributes).toMatchObject({ [TelemetryAttributes.JobProgress]: '{"done":"5"}' });
    expect((await queue.getJob(id))?.progress).toEqual({ done: 5n });
    expect(await queue.remove(id, cycle as { removeChildren?: boolean })).toBe(1);
    const worker = openWorker(queue, () => ({ size: 1n }), { telemetry });
    const completed = nextEvent(worker, 'completed');
    await queue.add('send', null);
    expect((await completed)[1]).toEqual({ size: 1n });
    await Promise.all(spans.filter(({ name }) => name !== `moveStalledJobsToWait ${queue.name}`).map(({ ended }) => ended));
    expect(span(`process ${queue.name}`).events).toEqual([['job completed', { [TelemetryAttributes.JobResult]: '{"size":"1"}' }]]);
    expect(spans.flatMap(({ exceptions }) => exceptions)).toEqual([]);
  });

  test('gauges the counts of jobs by state', async () => {
    const { telemetry, metrics } = recorder();
    const queue = openQueue({ telemetry });
    await queue.add('later', null, { delay: 60_000 });
    expect(await queue.recordJobCountsMetric('delayed')).toEqual({ delayed: 1 });
    expect(metrics).toEqual([[MetricNames.QueueJobsCount, 1, { [TelemetryAttributes.QueueName]: queue.name, [TelemetryAttributes.QueueJobsState]: 'delayed' }]]);
  });
});
