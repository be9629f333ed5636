import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BullMQOtel } from 'bullmq-otel';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openQueue, openWorker } from '../../support/behaviour.js';

const exporter = new InMemorySpanExporter();
let heard: (span: ReadableSpan) => void = () => undefined;
/** Tells when a span has ended, which is after the worker's events. */
class Telling extends SimpleSpanProcessor {
  override onEnd(span: ReadableSpan): void {
    super.onEnd(span);
    heard(span);
  }
}
const provider = new BasicTracerProvider({ spanProcessors: [new Telling(exporter)] });

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
});

afterAll(() => provider.shutdown());

test('with bullmq-otel, the spans of an add, of its processing and of what the handler does are one trace', async () => {
  const telemetry = new BullMQOtel({ tracerName: 'shop' });
  const queue = openQueue({ telemetry });
  const processed = new Promise<ReadableSpan>((resolve) => {
    heard = (span) => void (span.name === `process ${queue.name}` && resolve(span));
  });
  openWorker(queue, () => trace.getTracer('test').startSpan('inner').end(), { telemetry });
  await queue.add('send', null);
  const process = await processed;
  const named = (name: string): ReadableSpan | undefined => exporter.getFinishedSpans().find((span) => span.name === name);
  const add = named(`add ${queue.name}.send`);
  expect(add?.spanContext().traceId).toBe(process.spanContext().traceId);
  expect(process.parentSpanContext?.spanId).toBe(add?.spanContext().spanId);
  expect(named('inner')?.parentSpanContext?.spanId).toBe(process.spanContext().spanId);
});
