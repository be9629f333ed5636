import { validate, type JobSchemas } from '../core/schema.js';
import type { PlannedJob } from './flow-plan.js';

/** Holds the data of every job of these trees against its schema. Throws SCHEMA_MISMATCH, e.g. of `flow.children[1].data.to`. */
export async function validateFlows(schemas: JobSchemas, jobs: readonly PlannedJob[]): Promise<void> {
  for (const { node, path, children } of jobs) {
    await validate(schemas, node.name, node.data, path.field('data'));
    await validateFlows(schemas, children);
  }
}
