import { validate, type JobSchemas } from '../core/schema.js';
import type { PlannedJob } from './flow-plan.js';

/** Holds the data of every job of these trees against its schema. Throws SCHEMA_MISMATCH, e.g. of `flow.children[1].data.to`. */
export async function validateFlows(schemas: JobSchemas, roots: readonly PlannedJob[], pathOf: (i: number) => string): Promise<void> {
  for (const [i, root] of roots.entries()) await validateTree(schemas, root, pathOf(i));
}

async function validateTree(schemas: JobSchemas, { node, children }: PlannedJob, path: string): Promise<void> {
  await validate(schemas, node.name, node.data, `${path}.data`);
  for (const [i, child] of children.entries()) await validateTree(schemas, child, `${path}.children[${i}]`);
}
