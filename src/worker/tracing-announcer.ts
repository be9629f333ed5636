import type { Job } from '../queue/job.js';
import { JobMeter } from '../telemetry/job-meter.js';
import { SpanKind, TelemetryAttributes } from '../telemetry/names.js';
import type { Span, Telemetry } from '../telemetry/telemetry.js';
import { Announcer, type Stage } from './announcer.js';
import type { Handler } from './executor.js';
import type { HeldJob } from './held-job.js';

/** Who processes. */
export interface ProcessingWorker {
  id: string;
  name: string | undefined;
}

/** An announcer that tells telemetry as well: a span from a handler's begin until Redis has its outcome. */
export class TracingAnnouncer extends Announcer {
  readonly #telemetry: Telemetry;
  readonly #queue: string;
  readonly #worker: ProcessingWorker;
  readonly #meter: JobMeter | undefined;
  readonly #spans = new Map<Job, { span: Span; context: unknown }>();

  constructor(stage: Stage, telemetry: Telemetry, worker: ProcessingWorker) {
    super(stage);
    this.#telemetry = telemetry;
    this.#queue = stage.name;
    this.#worker = worker;
    this.#meter = telemetry.meter && new JobMeter(telemetry.meter, stage.name);
  }

  /** Runs a handler within the span of its job. */
  override within(handler: Handler): Handler {
    return (job, token, signal) => {
      const begun = this.#spans.get(job);
      const run = (): unknown => handler(job, token, signal);
      return begun ? this.#telemetry.contextManager.with(begun.context, run) : run();
    };
  }

  override active(job: Job): void {
    this.#begin(job);
    super.active(job);
  }

  override completed(job: Job, result: unknown): void {
    const span = this.#spans.get(job)?.span;
    span?.addEvent('job completed', { [TelemetryAttributes.JobResult]: JSON.stringify(result) as string | undefined });
    span?.setAttributes({ [TelemetryAttributes.JobAttemptsMade]: job.attemptsMade });
    this.#meter?.count(job.name, 'completed', ranMs(job));
    super.completed(job, result);
  }

  override failed(job: Job | undefined, error: Error): void {
    if (job) this.#failed(job, error);
    super.failed(job, error);
  }

  override settled(held: HeldJob): void {
    super.settled(held);
    // What became of the job is announced right after this.
    queueMicrotask(() => this.#end(held.job));
  }

  override lost(held: HeldJob): void {
    super.lost(held);
    this.#end(held.job);
  }

  #begin(job: Job): void {
    const { tracer, contextManager } = this.#telemetry;
    const active: unknown = contextManager.active();
    const metadata = job.opts.telemetry?.metadata;
    const parent: unknown = metadata ? contextManager.fromMetadata(active, metadata) : undefined;
    const span = tracer.startSpan(`process ${this.#queue}`, { kind: SpanKind.CONSUMER }, parent);
    span.setAttributes({
      [TelemetryAttributes.QueueName]: this.#queue,
      [TelemetryAttributes.QueueOperation]: 'process',
      [TelemetryAttributes.WorkerId]: this.#worker.id,
      [TelemetryAttributes.WorkerName]: this.#worker.name,
      [TelemetryAttributes.JobId]: job.id,
      [TelemetryAttributes.JobName]: job.name,
    });
    this.#spans.set(job, { span, context: span.setSpanOnContext(parent ?? active) });
  }

  #failed(job: Job, error: Error): void {
    const span = this.#spans.get(job)?.span;
    span?.addEvent('job failed', { [TelemetryAttributes.JobFailedReason]: error.message });
    span?.setAttributes({ [TelemetryAttributes.JobAttemptsMade]: job.attemptsMade });
    const isDead = job.finishedOn !== undefined;
    this.#meter?.count(job.name, isDead ? 'failed' : job.opts.backoff ? 'delayed' : 'retried', ranMs(job));
  }

  #end(job: Job): void {
    const begun = this.#spans.get(job);
    if (!begun) return;
    this.#spans.delete(job);
    begun.span.setAttributes({
      [TelemetryAttributes.JobAttemptFinishedTimestamp]: job.finishedOn ?? Date.now(),
      [TelemetryAttributes.JobProcessedTimestamp]: job.processedOn,
    });
    begun.span.end();
  }
}

function ranMs({ processedOn }: Job): number | undefined {
  return processedOn === undefined ? undefined : Math.max(0, Date.now() - processedOn);
}
