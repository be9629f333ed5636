import type { Job } from './job.js';
import type { JobJson } from './declarations.js';

/** A job as plain data. */
export function jsonOf<T>(job: Job<T>): JobJson<T> {
  return {
    id: job.id,
    name: job.name,
    data: job.data ?? ({} as T),
    opts: { ...job.opts },
    progress: job.progress() as unknown,
    delay: job.delay,
    timestamp: job.timestamp,
    attemptsMade: job.attemptsMade,
    failedReason: job.failedReason,
    stacktrace: job.stacktrace,
    returnvalue: job.returnvalue as unknown,
    debounceId: job.debounceId ?? null,
    finishedOn: job.finishedOn ?? null,
    processedOn: job.processedOn ?? null,
  };
}

/** A job as Bull stores it: structured fields as JSON text. */
export function dataOf(job: Job): Record<string, unknown> {
  const json = jsonOf(job);
  return {
    ...json,
    data: JSON.stringify(json.data),
    opts: JSON.stringify(json.opts),
    stacktrace: JSON.stringify(json.stacktrace),
    failedReason: JSON.stringify(json.failedReason),
    returnvalue: JSON.stringify(json.returnvalue),
  };
}
