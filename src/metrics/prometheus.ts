/** What a queue tells Prometheus. */
export interface Exposition {
  queue: string;
  /** Jobs by state. */
  counts: Record<string, number>;
  completed: number;
  failed: number;
  /** Labels for every line. */
  labels?: Record<string, string> | undefined;
}

/**
 * Writes Prometheus's text format under BullMQ's metric names.
 *
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function prometheusText({ queue, counts, completed, failed, labels = {} }: Exposition): string {
  const line = (metric: string, own: Record<string, string>, value: number): string => {
    const pairs = Object.entries({ queue, ...own, ...labels }).map(([name, text]) => `${name}="${escaped(text)}"`);
    return `${metric}{${pairs.join(', ')}} ${value}`;
  };
  return [
    '# HELP bullmq_job_count Number of jobs in the queue by state',
    '# TYPE bullmq_job_count gauge',
    ...Object.entries(counts).map(([state, count]) => line('bullmq_job_count', { state }, count)),
    '# HELP bullmq_job_completed_total Total number of completed jobs',
    '# TYPE bullmq_job_completed_total counter',
    line('bullmq_job_completed_total', {}, completed),
    '# HELP bullmq_job_failed_total Total number of failed jobs',
    '# TYPE bullmq_job_failed_total counter',
    line('bullmq_job_failed_total', {}, failed),
  ].join('\n');
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
