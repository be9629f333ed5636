import type { JobsOptions } from '../core/job-options.js';
import { SpanKind, TelemetryAttributes } from '../telemetry/names.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { trace } from '../telemetry/trace.js';
import type { ScheduleOptions } from '../core/cron.js';
import type { NewJob } from './draft.js';
import type { ScheduleTemplate } from './schedules.js';

interface Added {
  id: string;
}

/** Adds a job within a span, and sends the span's context along, unless the job says `omitContext`. */
export function tracedAdd<T extends Added>(telemetry: Telemetry, queue: string, job: NewJob, add: (opts: JobsOptions | undefined) => Promise<T>): Promise<T> {
  const about = { kind: SpanKind.PRODUCER, operation: 'add', queue, destination: `${queue}.${job.name}` };
  return trace(telemetry, about, async (span, metadata) => {
    const added = await add(withContext(job.opts, metadata));
    span?.setAttributes({ [TelemetryAttributes.JobName]: job.name, [TelemetryAttributes.JobId]: added.id });
    return added;
  });
}

/** The same for many jobs in one span. A job that brings a context of its own keeps it. */
export function tracedAddBulk<T>(telemetry: Telemetry, queue: string, jobs: readonly NewJob[], addBulk: (jobs: NewJob[]) => Promise<T>): Promise<T> {
  return trace(telemetry, { kind: SpanKind.PRODUCER, operation: 'addBulk', queue }, (span, metadata) => {
    span?.setAttributes({ [TelemetryAttributes.BulkNames]: jobs.map((job) => job.name), [TelemetryAttributes.BulkCount]: jobs.length });
    return addBulk(jobs.map((job) => (job.opts?.telemetry?.metadata ? job : { ...job, opts: withContext(job.opts, metadata) })));
  });
}

/** A schedule that is created or changed. */
export interface UpsertRequest {
  id: string;
  repeat: ScheduleOptions;
  template: ScheduleTemplate;
  /** Options for runs whose template does not give its own. */
  defaults: JobsOptions | undefined;
}

/** Upserts a schedule within a span, and hands on its context unless the template says `omitContext` or brings its own. */
export function tracedUpsert<T extends Added>(
  telemetry: Telemetry, queue: string, { id, template, defaults }: UpsertRequest, upsert: (trace: string | undefined) => Promise<T>,
): Promise<T> {
  const about = { kind: SpanKind.PRODUCER, operation: 'add', queue, destination: `${queue}.${template.name ?? id}` };
  const isOwn = { ...defaults, ...template.opts }.telemetry;
  return trace(telemetry, about, async (span, metadata) => {
    span?.setAttributes({ [TelemetryAttributes.JobSchedulerId]: id });
    const next = await upsert(isOwn?.omitContext || isOwn?.metadata ? undefined : metadata?.() || undefined);
    span?.setAttributes({ [TelemetryAttributes.JobId]: next.id });
    return next;
  });
}

function withContext(opts: JobsOptions | undefined, metadata: (() => string) | undefined): JobsOptions | undefined {
  if (!metadata || opts?.telemetry?.omitContext) return opts;
  const context = metadata();
  return context ? { ...opts, telemetry: { metadata: context } } : opts;
}
