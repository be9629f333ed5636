import type { Job } from '../queue/job.js';
import type { JobMeter } from '../telemetry/job-meter.js';
import { jsonOf } from '../telemetry/json-of.js';
import { SpanKind, TelemetryAttributes as say } from '../telemetry/names.js';
import type { Attributes, Span, Telemetry } from '../telemetry/telemetry.js';
import { detached, trace } from '../telemetry/trace.js';
import type { RecoveredJob } from '../redis/scripts/recover.js';
import { Announcer, type Finish, type Stage } from './announcer.js';
import type { Handler } from './executor.js';
import type { HeldJob } from './held-job.js';
import { becomes } from './told-ending.js';

/** Whom a worker tells, and as who. */
export interface WorkerTelemetry {
  telemetry: Telemetry;
  meter: JobMeter | undefined;
  /** What every span of the worker says: its id and name. */
  worker: Attributes;
}

interface Begun {
  span: Span;
  context: unknown;
  /** From the handler's end on: the span of what becomes of the job. */
  ending?: { operation: string; span: Span };
}

/**
 * An announcer that tells telemetry as well: a span from a handler's begin until Redis has its outcome, and below it one
 * from the handler's end on, named after the outcome.
 */
export class TracingAnnouncer extends Announcer {
  readonly #terms: WorkerTelemetry;
  readonly #queue: string;
  readonly #begun = new Map<Job, Begun>();

  constructor(stage: Stage, terms: WorkerTelemetry) {
    super(stage);
    this.#terms = terms;
    this.#queue = stage.name;
  }

  /** Runs a handler within the span of its job. */
  override within(handler: Handler): Handler {
    return (job, token, signal) => {
      const begun = this.#begun.get(job);
      const run = (): unknown => handler(job, token, signal);
      return begun ? this.#terms.telemetry.contextManager.with(begun.context, run) : run();
    };
  }

  override upon(finish: Finish): Finish {
    return (held, ended) => {
      const begun = this.#begun.get(held.job);
      if (begun && ended && held.state === 'running') this.#ending(held.job, begun, becomes(ended));
      // Nothing is on its way: the handler has moved the job itself, or it is no longer this worker's.
      else this.#end(held.job);
      finish(held, ended);
    };
  }

  override active(job: Job): void {
    this.#begin(job);
    super.active(job);
  }

  override completed(job: Job, result: unknown): void {
    const span = this.#begun.get(job)?.span;
    span?.addEvent('job completed', { [say.JobResult]: jsonOf(result) });
    span?.setAttributes({ [say.JobAttemptsMade]: job.attemptsMade });
    this.#terms.meter?.count(job.name, 'completed', ranMs(job));
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

  override renewing<T>(jobs: readonly HeldJob[], renew: () => Promise<T>): Promise<T> {
    return this.#onItsOwn('extendLocks', (span) => {
      span?.setAttributes({ [say.WorkerJobsToExtendLocks]: jobs.map(({ id }) => id) });
      return renew();
    });
  }

  override recovering(recover: () => Promise<readonly RecoveredJob[]>): Promise<void> {
    return this.#onItsOwn('moveStalledJobsToWait', async (span) => {
      const jobs = await recover();
      const stalled = jobs.filter(({ started }) => started).map(({ id }) => id);
      span?.setAttributes({ [say.WorkerStalledJobs]: stalled });
      for (const id of stalled) span?.addEvent('job stalled', { [say.JobId]: id });
      const dead = jobs.filter((job) => job.dead).map(({ id }) => id);
      if (dead.length > 0) span?.setAttributes({ [say.WorkerFailedJobs]: dead });
    });
  }

  /** What a worker does by itself belongs to no trace of anybody. */
  #onItsOwn<T>(operation: string, work: (span: Span | undefined) => Promise<T>): Promise<T> {
    const { telemetry, worker } = this.#terms;
    return detached(telemetry, () => trace(telemetry, { kind: SpanKind.INTERNAL, operation, queue: this.#queue }, (span) => {
      span?.setAttributes(worker);
      return work(span);
    }));
  }

  #begin(job: Job): void {
    const { tracer, contextManager } = this.#terms.telemetry;
    const metadata = job.opts.telemetry?.metadata;
    // Without a trace of its own a job begins one: what happens to be active here is some other job's.
    const parent: unknown = metadata ? contextManager.fromMetadata(contextManager.active(), metadata) : contextManager.root?.();
    const span = tracer.startSpan(`process ${this.#queue}`, { kind: SpanKind.CONSUMER }, parent);
    span.setAttributes({
      [say.QueueName]: this.#queue, [say.QueueOperation]: 'process', ...this.#terms.worker, [say.JobId]: job.id, [say.JobName]: job.name,
    });
    this.#begun.set(job, { span, context: span.setSpanOnContext(parent ?? contextManager.active()) });
  }

  /** The handler has ended, and Redis is told. */
  #ending(job: Job, begun: Begun, { operation, state }: ReturnType<typeof becomes>): void {
    if (operation) begun.ending = { operation, span: this.#startEnding(job, begun, operation) };
    else if (state) this.#terms.meter?.count(job.name, state, ranMs(job));
  }

  #startEnding(job: Job, begun: Begun, operation: string): Span {
    const span = this.#terms.telemetry.tracer.startSpan(`${operation} ${this.#queue}`, { kind: SpanKind.INTERNAL }, begun.context);
    span.setAttributes({ [say.QueueName]: this.#queue, [say.QueueOperation]: operation, [say.JobName]: job.name, [say.JobId]: job.id });
    return span;
  }

  #failed(job: Job, error: Error): void {
    const begun = this.#begun.get(job);
    begun?.span.addEvent('job failed', { [say.JobFailedReason]: error.message });
    begun?.span.setAttributes({ [say.JobAttemptsMade]: job.attemptsMade });
    if (begun && (begun.ending?.operation ?? 'complete') === 'complete') this.#instead(job, begun, error);
    const isDead = job.finishedOn !== undefined;
    this.#terms.meter?.count(job.name, isDead ? 'failed' : begun?.ending?.operation === 'delay' ? 'delayed' : 'retried', ranMs(job));
  }

  /** The handler went well, but the job could not complete; or it is among the dead letters already. */
  #instead(job: Job, begun: Begun, error: Error): void {
    begun.ending?.span.recordException(error);
    begun.ending?.span.end();
    const operation = job.finishedOn === undefined ? 'retry' : 'fail';
    begun.ending = { operation, span: this.#startEnding(job, begun, operation) };
  }

  #end(job: Job): void {
    const begun = this.#begun.get(job);
    if (!begun) return;
    this.#begun.delete(job);
    begun.ending?.span.end();
    begun.span.setAttributes({
      [say.JobAttemptFinishedTimestamp]: job.finishedOn ?? Date.now(), [say.JobProcessedTimestamp]: job.processedOn,
    });
    begun.span.end();
  }
}

/** How long a job has run, in ms. */
export function ranMs({ processedOn }: Job): number | undefined {
  return processedOn === undefined ? undefined : Math.max(0, Date.now() - processedOn);
}
