import type { SpanKind } from './names.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- BullMQ's interface, which its adapters implement */

/** What tells a tracing system of the work of queues and workers: BullMQ's interface, so that `bullmq-otel` fits. */
export interface Telemetry<Context = any> {
  tracer: Tracer<Context>;
  contextManager: ContextManager;
  /** Counts jobs and their durations. Default: none. */
  meter?: Meter;
}

/** Carries a trace from call to call and, as text in the job, from producer to worker. */
export interface ContextManager<Context = any> {
  /** Calls `fn` within a context. */
  with<A extends (...args: any[]) => any>(context: Context, fn: A): ReturnType<A>;
  active(): Context;
  /** A context that belongs to no trace. */
  root?(): Context;
  /** The context as text. */
  getMetadata(context: Context): string;
  fromMetadata(activeContext: Context, metadata: string): Context;
}

export interface Tracer<Context = any> {
  /** Begins a span, below the one of `context` if that is given. */
  startSpan(name: string, options?: SpanOptions, context?: Context): Span;
}

export interface SpanOptions {
  kind: SpanKind;
}

export interface Span<Context = any> {
  setSpanOnContext(ctx: Context): Context;
  setAttribute(key: string, value: AttributeValue): void;
  setAttributes(attributes: Attributes): void;
  addEvent(name: string, attributes?: Attributes): void;
  recordException(exception: Exception, time?: Time): void;
  end(): void;
}

export interface Meter {
  createCounter(name: string, options?: MetricOptions): Counter;
  createHistogram(name: string, options?: MetricOptions): Histogram;
  createGauge(name: string, options?: MetricOptions): Gauge;
}

export interface MetricOptions {
  description?: string;
  unit?: string;
}

export interface Counter {
  add(value: number, attributes?: Attributes): void;
}

export interface Histogram {
  record(value: number, attributes?: Attributes): void;
}

export interface Gauge {
  record(value: number, attributes?: Attributes): void;
}

export interface Attributes {
  [attribute: string]: AttributeValue | undefined;
}

export type AttributeValue =
  | string | number | boolean
  | (null | undefined | string)[] | (null | undefined | number)[] | (null | undefined | boolean)[];

export type Exception = string | ExceptionType;
export type ExceptionType = CodeException | MessageException | NameException;

interface CodeException {
  code: string | number;
  name?: string;
  message?: string;
  stack?: string;
}

interface MessageException {
  code?: string | number;
  name?: string;
  message: string;
  stack?: string;
}

interface NameException {
  code?: string | number;
  name: string;
  message?: string;
  stack?: string;
}

export type Time = [seconds: number, nanoseconds: number] | number | Date;
