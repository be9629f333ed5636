import type { Job } from '../queue/job.js';
import { SpanKind, TelemetryAttributes as say } from '../telemetry/names.js';
import { trace } from '../telemetry/trace.js';
import { ByHand, type Workbench } from './by-hand.js';
import type { EndingOf, FailedEnding } from '../queue/endings.js';
import { becomes } from './told-ending.js';
import { ranMs, type WorkerTelemetry } from './tracing-announcer.js';

/** What is done with jobs by hand, told to telemetry. */
export class TracingByHand extends ByHand {
  readonly #terms: WorkerTelemetry;
  readonly #queue: string;

  constructor(worker: Workbench, queue: string, terms: WorkerTelemetry) {
    super(worker);
    this.#terms = terms;
    this.#queue = queue;
  }

  override async giveBack(job: Job, dueAt: number, token: string | undefined): Promise<void> {
    await super.giveBack(job, dueAt, token);
    this.#terms.meter?.count(job.name, dueAt > 0 ? 'delayed' : 'waiting', ranMs(job));
  }

  override async awaitChildren(job: Job, token: string, child: string | undefined): Promise<boolean> {
    const waits = await super.awaitChildren(job, token, child);
    if (waits) this.#terms.meter?.count(job.name, 'waiting-children', ranMs(job));
    return waits;
  }

  protected override async settle(job: Job, ending: EndingOf | FailedEnding, lease: string, doing: string): Promise<void> {
    const { operation, state } = becomes(ending);
    if (!operation || !state) return super.settle(job, ending, lease, doing);
    await trace(this.#terms.telemetry, { kind: SpanKind.INTERNAL, operation, queue: this.#queue }, (span) => {
      span?.setAttributes({ [say.JobName]: job.name, [say.JobId]: job.id });
      return super.settle(job, ending, lease, doing);
    });
    this.#terms.meter?.count(job.name, state, ranMs(job));
  }
}
