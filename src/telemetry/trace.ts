import { SpanKind, TelemetryAttributes } from './names.js';
import type { Span, Telemetry } from './telemetry.js';

/** What a span is about. */
export interface Traced {
  kind: SpanKind;
  /** E.g. `add`, `process`. */
  operation: string;
  queue: string;
  /** Default: the queue. */
  destination?: string;
  /** The trace that it goes on, as the producer's context manager wrote it. */
  from?: string | undefined;
}

/**
 * Does `work` within a span of its own, which ends with it. `work` gets the span and, to send along, its context as text.
 * Without telemetry only `work` happens.
 */
export async function trace<T>(
  telemetry: Telemetry | undefined, { kind, operation, queue, destination = queue, from }: Traced, work: (span?: Span, metadata?: () => string) => Promise<T>,
): Promise<T> {
  if (!telemetry) return work();
  const { tracer, contextManager } = telemetry;
  const active: unknown = contextManager.active();
  const parent: unknown = from ? contextManager.fromMetadata(active, from) : undefined;
  const span = tracer.startSpan(destination ? `${operation} ${destination}` : operation, { kind }, parent);
  try {
    span.setAttributes({ [TelemetryAttributes.QueueName]: queue, [TelemetryAttributes.QueueOperation]: operation });
    const context: unknown = span.setSpanOnContext(kind === SpanKind.CONSUMER && parent !== undefined ? parent : active);
    return await contextManager.with(context, () => work(span, () => contextManager.getMetadata(context)));
  } catch (error) {
    span.recordException(error instanceof Error ? error : String(error));
    throw error;
  } finally {
    span.end();
  }
}

/** Ends all of these spans with `work`, and tells each of them why it failed. `work` may begin them. */
export async function traceAll<T>(spans: readonly Span[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const span of spans) span.recordException(error instanceof Error ? error : String(error));
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

/** Begins loops outside of whatever trace is active, so that they do not prolong it for ever. */
export function detached<T>(telemetry: Telemetry | undefined, work: () => T): T {
  const root: unknown = telemetry?.contextManager.root?.();
  return root === undefined || !telemetry ? work() : telemetry.contextManager.with<() => T>(root, work);
}
