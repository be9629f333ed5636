import { onTestFinished } from 'vitest';
import { FlowProducer, type FlowProducerOptions, type Queue } from 'drover';
import { lua } from '../../src/redis/lua.generated.js';
import type { ChildEntry } from '../../src/redis/scripts/plant.js';
import { urlAs } from '../support/roles.js';

/** A producer that is closed when the test ends. */
export function openFlows(opts: Partial<FlowProducerOptions> = {}): FlowProducer {
  const flows = new FlowProducer({ connection: urlAs('operator'), ...opts });
  onTestFinished(() => flows.close());
  return flows;
}

/** The key of a job, as parents name their children. */
export function keyOf(queue: Queue, id: string): string {
  return `${queue.qualifiedName}:${id}`;
}

/** A job as `plant` names it to its parent. */
export function entryOf({ keys: { prefix, queue } }: Queue, id: string): ChildEntry {
  return { prefix, queue, id };
}

/** How often each script was called on the connection of `queue` while `work` ran. */
export async function callsDuring(queue: Queue, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const { connection } = queue;
  const run = connection.run.bind(connection);
  connection.run = (script, ...rest) => {
    const name = names.get(script.source) ?? 'unknown';
    counts[name] = (counts[name] ?? 0) + 1;
    return run(script, ...rest);
  };
  try {
    await work();
  } finally {
    connection.run = run;
  }
  return counts;
}

const names = new Map(Object.entries(lua).map(([name, source]) => [source, name]));
