import { MetricNames, TelemetryAttributes } from './names.js';
import type { Counter, Histogram, Meter } from './telemetry.js';

/** What can become of a job that a worker held. */
export type CountedState = 'completed' | 'failed' | 'delayed' | 'retried' | 'waiting' | 'waiting-children';

const counterNames: Record<CountedState, MetricNames> = {
  completed: MetricNames.JobsCompleted,
  failed: MetricNames.JobsFailed,
  delayed: MetricNames.JobsDelayed,
  retried: MetricNames.JobsRetried,
  waiting: MetricNames.JobsWaiting,
  'waiting-children': MetricNames.JobsWaitingChildren,
};

/** Counts what becomes of jobs, and how long they ran, in a meter. Each instrument is made once. */
export class JobMeter {
  readonly #meter: Meter;
  readonly #queue: string;
  readonly #counters = new Map<CountedState, Counter>();
  #durations: Histogram | undefined;

  constructor(meter: Meter, queue: string) {
    this.#meter = meter;
    this.#queue = queue;
  }

  /** @param ranMs how long it ran. */
  count(name: string, state: CountedState, ranMs: number | undefined): void {
    const attributes = {
      [TelemetryAttributes.QueueName]: this.#queue, [TelemetryAttributes.JobName]: name, [TelemetryAttributes.JobState]: state,
    };
    this.#counter(state).add(1, attributes);
    if (ranMs !== undefined) this.#histogram().record(ranMs, attributes);
  }

  #counter(state: CountedState): Counter {
    const known = this.#counters.get(state);
    if (known) return known;
    const made = this.#meter.createCounter(counterNames[state], { description: `Number of jobs ${state}`, unit: '1' });
    this.#counters.set(state, made);
    return made;
  }

  #histogram(): Histogram {
    this.#durations ??= this.#meter.createHistogram(MetricNames.JobDuration, { description: 'Job processing duration', unit: 'ms' });
    return this.#durations;
  }
}

/** Records how many jobs are in each state. */
export function gaugeCounts(meter: Meter | undefined, queue: string, counts: Record<string, number>): void {
  if (!meter) return;
  const gauge = meter.createGauge(MetricNames.QueueJobsCount, { description: 'Number of jobs in the queue by state', unit: '{jobs}' });
  for (const [state, count] of Object.entries(counts)) {
    gauge.record(count, { [TelemetryAttributes.QueueName]: queue, [TelemetryAttributes.QueueJobsState]: state });
  }
}
