import type { Costs } from '../measure.js';

/** Two windows over the same jobs as one: costs add up, and so do the times per job. */
export function addedAndProcessed(adding: Costs, processing: Costs): Costs {
  const sum = Object.fromEntries(Object.keys(adding).map((metric) => [metric, (adding[metric] ?? 0) + (processing[metric] ?? 0)]));
  return { ...adding, ...sum, jobsPerSecond: 1 / (1 / adding.jobsPerSecond + 1 / processing.jobsPerSecond) };
}
