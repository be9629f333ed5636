import { AsyncLocalStorage } from 'node:async_hooks';
import type { Attributes, Telemetry } from 'drover';

/** A span, as both libraries can be asked to tell it: without times, and with ids that differ from run to run replaced. */
export interface Told {
  name: string;
  kind: number | undefined;
  /** The name of the span above, `trace of …` when it came with the job; '' for none. */
  parent: string;
  attributes: Attributes;
  events: [string, Attributes | undefined][];
  /** Whether an exception was recorded. */
  failed: boolean;
}

export interface Recorder {
  telemetry: Telemetry<string>;
  /** In the order in which they began. */
  spans: Told[];
  /** What was counted: instrument and attributes. */
  counts: [string, Attributes | undefined][];
  /** Spans that have not ended. */
  open: Set<Told>;
}

/** Attributes whose values are times or random. */
const arbitrary = ['bullmq.worker.id', 'bullmq.job.attempt_finished_timestamp', 'bullmq.job.processed.timestamp'];

/** Telemetry that writes down what it is told. A context is the name of a span. */
export function recorder(): Recorder {
  const active = new AsyncLocalStorage<string>();
  const spans: Told[] = [];
  const counts: Recorder['counts'] = [];
  const open = new Set<Told>();
  const instrument = (name: string): { add: (value: number, attributes?: Attributes) => void; record: (value: number, attributes?: Attributes) => void } => {
    const note = (_value: number, attributes?: Attributes): void => void counts.push([name, attributes]);
    return { add: note, record: note };
  };
  const telemetry: Telemetry<string> = {
    tracer: {
      startSpan: (name, options, context) => {
        const span: Told = { name, kind: options?.kind, parent: context ?? active.getStore() ?? '', attributes: {}, events: [], failed: false };
        spans.push(span);
        open.add(span);
        const set = (key: string, value: unknown): void => {
          span.attributes[key] = arbitrary.includes(key) ? typeof value : value as string;
        };
        return {
          setSpanOnContext: () => name,
          setAttribute: set,
          setAttributes: (attributes) => {
            for (const [key, value] of Object.entries(attributes)) if (value !== undefined) set(key, value);
          },
          addEvent: (event, attributes) => void span.events.push([event, attributes]),
          recordException: () => void (span.failed = true),
          end: () => void open.delete(span),
        };
      },
    },
    contextManager: {
      with: (context: string, fn) => active.run(context, fn) as never,
      active: () => active.getStore() ?? '',
      root: () => '',
      getMetadata: (context: string) => context,
      fromMetadata: (_active: string, metadata) => `trace of ${metadata}`,
    },
    meter: { createCounter: instrument, createHistogram: instrument, createGauge: instrument },
  };
  return { telemetry, spans, counts, open };
}
