import { addAwaited } from './add-awaited.js';
import { addBulk } from './add-bulk.js';
import { delayed } from './delayed.js';
import { flow } from './flow.js';
import { idle } from './idle.js';
import { latency, latencyApart } from './latency.js';
import { memory } from './memory.js';
import { payload100k, payload10k } from './payload.js';
import { prioritized } from './prioritized.js';
import { processProcesses } from './process-processes.js';
import { process1, process10, process100 } from './process.js';
import type { Workload } from './workload.js';

/** In the order of the table. */
export const workloads: readonly Workload[] = [
  addBulk,
  addAwaited,
  process100,
  processProcesses,
  process1,
  process10,
  delayed,
  prioritized,
  flow,
  memory,
  latency,
  latencyApart,
  payload10k,
  payload100k,
  // In its minutes the runtime throws compiled code away, of all peers: so nothing is measured after it.
  idle,
];

/** The workloads whose name is, or starts with, one of `names`. */
export function workloadsNamed(names: readonly string[]): readonly Workload[] {
  for (const name of names) {
    if (!workloads.some((each) => each.name.startsWith(name))) {
      throw new Error(`unknown workload '${name}': choose from ${workloads.map((each) => each.name).join(', ')}`);
    }
  }
  return workloads.filter((each) => names.some((name) => (workloads.some((other) => other.name === name) ? each.name === name : each.name.startsWith(name))));
}
